"""One writer per interface and host: a lock that the kernel frees when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from wireguard.errors import DriverForbidden, DriverUnavailable
from wireguard.host import check_interface_name

_FIRST_PAUSE_S: Final = 0.001
_LONGEST_PAUSE_S: Final = 0.02


class LockBusy(DriverUnavailable):
    """Another process (or thread) is at work on the interface."""


class HostLock:
    """An exclusive lock on one interface of one network namespace of this host.

    It is an flock(2) on a file of its own (0600, never deleted, for a deleted one could be held
    twice). kill -9 frees it; a holder that is stopped (SIGSTOP) keeps it, which is right: it may
    be in the middle of a write. It works between threads too, and is not re-entrant. The
    descriptor is closed on exec, so no command inherits it.
    """

    def __init__(
        self, directory: Path, netns_inode: int, interface: str, *, timeout_s: float = 10.0
    ) -> None:
        self.path = directory / f"{netns_inode}.{check_interface_name(interface)}.lock"
        self._timeout_s = timeout_s
        self._descriptor: int | None = None

    def acquire(self, timeout_s: float) -> bool:
        """Take the lock within ``timeout_s`` seconds (0: only if it is free); say whether.

        Raises `DriverForbidden` when the directory cannot be written, `RuntimeError` when this
        very object holds the lock already.
        """
        if self._descriptor is not None:
            raise RuntimeError("a HostLock cannot be taken twice")
        descriptor = self._open()
        deadline = time.monotonic() + timeout_s
        pause = _FIRST_PAUSE_S
        try:
            while not _try_lock(descriptor):
                left = deadline - time.monotonic()
                if left <= 0:
                    os.close(descriptor)
                    return False
                time.sleep(min(pause, left))
                pause = min(pause * 2, _LONGEST_PAUSE_S)
        except BaseException:  # a soft time limit may be raised in the sleep
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.path, flags, 0o600)
        except PermissionError:
            raise DriverForbidden(f"lock {self.path}: this user may not write it") from None
        except OSError as error:
            raise DriverUnavailable(f"lock {self.path}: {error.strerror}") from None

    def __enter__(self) -> Self:
        """Take the lock; raises `LockBusy` after the time-out given to the constructor."""
        if not self.acquire(self._timeout_s):
            raise LockBusy(f"{self.path.name} is held by another for over {self._timeout_s:g} s")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
