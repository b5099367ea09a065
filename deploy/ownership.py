"""Who runs the stack of a state directory: one lock file, held for as long as it runs."""

import fcntl
import os
import signal
import time
from pathlib import Path

#: supervisord closes descriptors from 5 on when it reloads, and its children close from 3 on: so
#: the lock lives exactly as long as the supervisor.
LOCK_DESCRIPTOR = 3


class AlreadyRunning(Exception):
    """Another `make up` holds this state directory."""


def hold(state: Path) -> None:
    """Take the lock for this process and whatever it execs. Raises AlreadyRunning."""
    descriptor = os.open(state / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise AlreadyRunning(holder) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    if descriptor != LOCK_DESCRIPTOR:
        os.dup2(descriptor, LOCK_DESCRIPTOR, inheritable=True)
        os.close(descriptor)
    os.set_inheritable(LOCK_DESCRIPTOR, True)


def holder(state: Path) -> int | None:
    """The process id that runs the stack of ``state``, or None when nobody does."""
    try:
        descriptor = os.open(state / "up.lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 32, 0) or 0) or None
    else:
        return None
    finally:
        os.close(descriptor)


def stop(state: Path, *, seconds: float) -> bool:
    """Ask a running stack to stop and wait for it; False when it still runs after ``seconds``."""
    deadline = time.monotonic() + seconds
    pid = holder(state)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    while holder(state) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
