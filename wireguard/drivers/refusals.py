"""What ``wg``, ``sudo`` and ``ip netns exec`` say when they fail, and what it means for us.

The texts are those of wireguard-tools 1.0 (config.c, ipc.c, set.c, setconf.c, show.c), sudo 1.9
and iproute2 in the C locale. Patterns are looked for in this order.
"""

from __future__ import annotations

import re
from typing import Final

from wireguard.errors import (
    CommandMissing,
    DriverError,
    DriverForbidden,
    DriverRejected,
    DriverUnavailable,
    InterfaceMissing,
)

_LONGEST: Final = 300

# wg echoes the value or the line it stumbles on. Anything long enough to be (a part of) a key
# goes, with what clings to it.
_KEYLIKE: Final = re.compile(r"[A-Za-z0-9+/=]{20,}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

_NOT_INSTALLED: Final = re.compile(
    r"command not found|exec of \".*\" failed: No such file|failed to execute .*: No such file"
)
_FORBIDDEN: Final = re.compile(
    r"Operation not permitted|Permission denied|password is required|terminal is required"
    r"|not in the sudoers|not allowed to (?:run|execute)|may not run sudo"
    r"|effective uid is not 0|no new privileges"
)
# Without a kernel module a missing (or dead) userspace interface is "Protocol not supported".
_MISSING: Final = re.compile(
    r"(?:interface|configuration): (?:No such device|No such file or directory"
    r"|Protocol not supported|Operation not supported|Connection refused)"
    r"|Cannot open network namespace"
)
_PASSING: Final = re.compile(
    r"Cannot allocate memory|No buffer space|Resource temporarily unavailable|Interrupted"
    r"|Device or resource busy|Too many open files|Connection reset|Broken pipe|timed out"
    r"|Input/output error"
)
_EXPLAINED: Final = re.compile(
    r"not the correct|not in the correct|[Uu]nable to (?:parse|find)|[Nn]either "
    r"|Invalid argument: |Line unrecognized|not known|Invalid length key|trailing character"
    r"|missing a public key|Address already in use|Servname not supported|Usage: "
)

RIGHTS: Final = (
    "it needs root or CAP_NET_ADMIN (and, for wireguard-go, the user that runs it),"
    " or a sudo rule without a password for exactly this command"
)


def refusal(command: str, returncode: int, stderr: bytes) -> DriverError:
    """The error to raise for a command that ended with ``returncode`` (not 0)."""
    text = clean(stderr.decode("utf-8", "replace"))
    said = f"{command} failed: {text or f'exit status {returncode}'}"
    if _NOT_INSTALLED.search(text):
        return CommandMissing(f"the command {command} is not installed ({text})")
    if _FORBIDDEN.search(text):
        return DriverForbidden(f"{command} may not be used here: {RIGHTS} ({text})")
    if _MISSING.search(text):
        return InterfaceMissing(said)
    if returncode < 0 or _PASSING.search(text):
        return DriverUnavailable(said)
    return DriverRejected(said, explained=bool(_EXPLAINED.search(text)))


def clean(text: str) -> str:
    """One line of at most 300 characters in which nothing looks like a key."""
    line = _CONTROL.sub("; ", text.strip())
    return _KEYLIKE.sub("(key)", line)[:_LONGEST]
