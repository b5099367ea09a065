"""Commands run in named steps, so that a failure says where it happened and what to do.

The prefix (sudo, a network namespace) is put before every command here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from wireguard.errors import (
    CommandMissing,
    DriverError,
    DriverForbidden,
    DriverRejected,
    DriverUnavailable,
    InterfaceMissing,
)
from wireguard.runner import Completed, Runner

_KEY: Final = re.compile(r"[A-Za-z0-9+/]{43}=")
_NOT_INSTALLED: Final = re.compile(
    r'command not found|exec of "[^"]+" failed: No such file|failed to execute|'
    r"^env: .*No such file",
    re.MULTILINE,
)
_FORBIDDEN: Final = re.compile(
    r"not permitted|permission denied|you must be root|a password is required|"
    r"a terminal is required|not allowed to execute|may not run sudo",
    re.IGNORECASE,
)
#: What runs any program or reads any file of root's when it is told to on its standard input
#: ("netns exec", "exec bpf", "include"): no sudo rule for a batch of these is less than all rights.
_ALL_OR_NOTHING: Final = frozenset({"ip", "tc", "nft"})
_NO_NAMESPACE: Final = re.compile(r"Cannot open network namespace|setting the network namespace")
_NO_DEVICE: Final = re.compile(r"No such device|Cannot find device|does not exist")


class Steps:
    """Runs commands behind ``prefix`` and turns their failures into this package's errors."""

    def __init__(self, runner: Runner, prefix: tuple[str, ...] = ()) -> None:
        self._runner = runner
        self.prefix = prefix

    def attempt(
        self, step: str, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 5.0
    ) -> Completed:
        """Run ``argv`` and hand back how it ended. ``timeout`` is in seconds.

        Raises `DriverUnavailable` on a time-out and `CommandMissing`, both with the step's name.
        """
        try:
            return self._runner.run((*self.prefix, *argv), stdin=stdin, timeout=timeout)
        except DriverUnavailable as error:
            raise type(error)(f"{step}: {error}") from None

    def run(
        self, step: str, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 5.0
    ) -> str:
        """Run ``argv`` and return what it wrote. Raises `failure` if it failed."""
        completed = self.attempt(step, argv, stdin=stdin, timeout=timeout)
        if completed.returncode:
            raise failure(step, argv[0], completed)
        return completed.stdout.decode(errors="replace")


def failure(step: str, program: str, completed: Completed) -> DriverError:
    """Name what a failed command means. Nothing that looks like a key stays in the text."""
    text = _KEY.sub("(key)", completed.stderr.decode(errors="replace")).strip()
    text = " ".join(text.split())[:500] or f"{program} ended with code {completed.returncode}"
    if _NOT_INSTALLED.search(text):
        return CommandMissing(f"{step}: the command {program} is not installed")
    if _FORBIDDEN.search(text):
        return DriverForbidden(
            f"{step}: {program} was not permitted ({text}); give CAP_NET_ADMIN"
            + ("" if program in _ALL_OR_NOTHING else f" or a sudo rule for {program}")
        )
    if _NO_NAMESPACE.search(text):
        return DriverUnavailable(f"{step}: {text}")
    if _NO_DEVICE.search(text):
        return InterfaceMissing(f"{step}: {text}")
    return DriverRejected(f"{step}: {text}", explained=False)
