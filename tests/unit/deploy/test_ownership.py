import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import ownership

_HOLDER = """
import os, sys
from pathlib import Path
from deploy import ownership
ownership.hold(Path(sys.argv[1]))
print("held", flush=True)
os.execv("/bin/sleep", ["sleep", "60"])
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds ``tmp_path`` and has since become another program."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "held\n"
        yield process
    process.kill()
    process.wait()


def test_a_second_start_is_told_who_runs(tmp_path: Path, running: "subprocess.Popen[str]") -> None:
    with pytest.raises(ownership.AlreadyRunning, match=f"^{running.pid}$"):
        ownership.hold(tmp_path)

    assert ownership.holder(tmp_path) == running.pid


def test_a_killed_holder_leaves_nothing_behind(
    tmp_path: Path, running: "subprocess.Popen[str]"
) -> None:
    os.kill(running.pid, signal.SIGKILL)
    running.wait()

    assert ownership.holder(tmp_path) is None


def test_stop_asks_and_waits(tmp_path: Path, running: "subprocess.Popen[str]") -> None:
    assert ownership.stop(tmp_path, seconds=5)

    assert running.wait(5) == -signal.SIGTERM


def test_stop_says_when_it_did_not_help(tmp_path: Path, running: "subprocess.Popen[str]") -> None:
    os.kill(running.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, running.pid, os.WSTOPPED)  # else SIGTERM, the lower number, comes first

    assert not ownership.stop(tmp_path, seconds=0.2)


def test_where_nobody_runs_there_is_nothing_to_stop(tmp_path: Path) -> None:
    assert ownership.stop(tmp_path, seconds=0)
