"""Rules of sudo give the commands they name, and not root's files or a shell of root's."""

from __future__ import annotations

import re
from pathlib import Path

SUDOERS = Path(__file__).parents[3] / "deploy/systemd/sudoers"


def test_wg_alone_is_allowed_and_by_no_wildcard() -> None:
    """nft, tc and ip run programs and read files that a text on their input names (ADR 41)."""
    text = SUDOERS.read_text()
    rules = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert set(re.findall(r"/\S*bin/\w+", rules)) == {"/usr/bin/wg"}
    assert " *" not in rules, "sudo's own wildcard matches any words"
    assert "private-key" not in rules
