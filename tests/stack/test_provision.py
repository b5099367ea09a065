"""The example's 200 lives against a running vwg, on both databases: the ledger equals vwg."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.live.conftest import note_figure
from tests.stack.databases import ROOT
from tests.stack.processes import Stack

pytestmark = [pytest.mark.stack, pytest.mark.wg, pytest.mark.proof]


@pytest.mark.timeout(900)
def test_the_ledger_equals_vwg(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "provision.py"), "--url", stack.url,
         "--token", stack.token(), "--clients", "200"],
        capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        name, _, value = line.strip().partition(": ")
        note_figure(f"provision.{name.replace(' ', '_')}", value)
    assert done.returncode == 0, done.stdout + done.stderr
