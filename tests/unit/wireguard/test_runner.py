"""Commands run without a shell, with a deadline, and leave nothing behind."""

import os
import sys
import time
from pathlib import Path

import pytest

from wireguard.errors import CommandMissing, DriverForbidden, DriverRejected, DriverUnavailable
from wireguard.runner import LocalRunner


def test_output_exit_status_and_stdin_are_passed_whole() -> None:
    text = os.urandom(3_000_000)
    done = LocalRunner().run(["cat"], stdin=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, text, b"")
    assert LocalRunner().run(["cat"]).stdout == b""
    assert LocalRunner().run(["sh", "-c", "echo no >&2; exit 7"])[::2] == (7, b"no\n")


def test_the_environment_is_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x")
    monkeypatch.setenv("LD_DEBUG_OUTPUT", "x")
    monkeypatch.setenv("BASH_ENV", "x")
    names = {
        line.partition(b"=")[0].decode() for line in LocalRunner().run(["env"]).stdout.splitlines()
    }
    assert names == {"PATH", "HOME", "LC_ALL"}


def test_a_command_is_looked_up_at_each_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runner = LocalRunner()
    with pytest.raises(CommandMissing, match="vwg-no-such-thing"):
        runner.run(["vwg-no-such-thing"])
    shim = tmp_path / "vwg-no-such-thing"
    shim.write_text("#!/bin/sh\necho here\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(DriverForbidden):
        runner.run(["vwg-no-such-thing"])
    shim.chmod(0o755)
    assert runner.run(["vwg-no-such-thing"]).stdout == b"here\n"


def test_a_late_command_and_its_children_are_killed(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    script = f"sleep 60 & echo $! $$ > {note}; wait"
    started = time.monotonic()
    with pytest.raises(DriverUnavailable, match=r"sh did not answer within 0\.5 s"):
        LocalRunner().run(["sh", "-c", script], timeout=0.5)
    assert time.monotonic() - started < 3
    for pid in note.read_text().split():
        assert _is_gone(int(pid))


def test_arguments_that_do_not_fit_are_a_refusal_that_bisecting_mends() -> None:
    with pytest.raises(DriverRejected) as caught:
        LocalRunner().run(["true", "x" * 200_000])
    assert caught.value.explained


def test_a_prefix_stands_before_every_command() -> None:
    assert b"A=1" in LocalRunner(("env", "A=1")).run(["env"]).stdout


def test_descriptors_are_inherited_only_when_passed() -> None:
    read, write = os.pipe()
    os.set_inheritable(read, True)
    os.write(write, b"hello")
    os.close(write)
    try:
        probe = [sys.executable, "-c", f"import os; print(os.read({read}, 9))"]
        assert LocalRunner().run(probe).returncode != 0
        assert LocalRunner().run(probe, pass_fds=[read]).stdout == b"b'hello'\n"
    finally:
        os.close(read)


def _is_gone(pid: int) -> bool:
    """Whether a process ended, if need be after init has reaped it."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
