"""Stopping a process for certain."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def stop(pid: int, *, seconds: float = 5.0) -> None:
    """SIGSTOP, and wait until every thread has stopped: a running one takes a moment."""
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + seconds
    while not all(_is_stopped(task) for task in Path(f"/proc/{pid}/task").iterdir()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} did not stop")
        time.sleep(0.005)


def _is_stopped(task: Path) -> bool:
    """proc(5): the state stands behind the command's name in parentheses."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] in {"T", "t", "Z"}
    except FileNotFoundError:
        return True
