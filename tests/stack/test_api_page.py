"""Every command of docs/api.md, and the API in five lines of the README, works as it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.stack.databases import ROOT
from tests.stack.processes import Stack

pytestmark = [pytest.mark.stack, pytest.mark.wg]

PAGE = ROOT / "docs" / "api.md"
README = ROOT / "README.md"


def commands() -> str:
    """The page's commands as one script that ends with the first that fails."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) > 12
    return "set -eu -o pipefail\n" + "\necho\n".join(blocks)


def test_the_page_works(stack: Stack, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-x", "-c", commands()],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "URL": stack.url, "TOKEN": stack.token()},
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "[Interface]" in (tmp_path / "sara.conf").read_text()
    assert (tmp_path / "sara.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "configs.zip").read_bytes().startswith(b"PK")


def test_the_five_lines_of_the_readme_work(stack: Stack) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    script = "\n".join(block for block in blocks if "api localhost:8000" in block)
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script.replace("localhost:8000", stack.url)],
        env=stack.env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count('"success":true') == 4, done.stdout
    assert '"dns_servers":["9.9.9.9","2620:fe::9"]' in done.stdout
