"""The example's 200 lives against a running vwg, on both databases: the ledger equals vwg."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.live.conftest import note_figure
from tests.stack.databases import ROOT
from tests.stack.processes import Stack

pytestmark = [pytest.mark.stack, pytest.mark.wg, pytest.mark.proof]


def provision(stack: Stack, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / "provision.py"), "--url", stack.url,
         "--token", stack.token(), *options],
        capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip


@pytest.mark.timeout(900)
def test_the_ledger_equals_vwg(stack: Stack) -> None:
    done = provision(stack, "--clients", "200")
    for line in done.stdout.splitlines():
        name, _, value = line.strip().partition(": ")
        note_figure(f"provision.{name.replace(' ', '_')}", value)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  without an external id: 50\n" in done.stdout


@pytest.mark.timeout(900)
def test_without_keys_it_finds_clients_twice(stack: Stack) -> None:
    """Else the ledger that equals vwg would say nothing of the keys."""
    options = ("--clients", "120", "--acts", "0", "--nameless", "100", "--without-keys")
    done = provision(stack, *options)
    assert done.returncode == 1, done.stdout + done.stderr
    twice = re.search(r"clients twice: (\d+)", done.stdout)
    assert twice is not None, done.stdout + done.stderr
    note_figure("provision.without_keys.clients_twice", twice[1])
    assert int(twice[1]) > 0, done.stdout
