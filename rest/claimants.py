"""Who holds a claim, told by the claim itself, so that a dead holder's is found at once.

A claim is sixteen bytes: the place (boot and process namespace), the process, the tick at which
it started, a number of its own. Whoever reads one made in the same place can ask the kernel
whether that very process still lives; one made elsewhere has its time to run out. A process knows
of its own claims which it holds: one that it let go is dead, though the database was away then.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import struct
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

_PARTS: Final = struct.Struct(">IIII")
_MASK: Final = 0xFFFFFFFF
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE: Final = Path("/proc/self/ns/pid")
_numbers: Final = itertools.count(int.from_bytes(os.urandom(4)))
_held: Final[set[UUID]] = set()


def new_claim() -> UUID:
    """A claim of this process that was never made before; it is held until `let_go`."""
    number = next(_numbers) & _MASK
    claim = UUID(bytes=_PARTS.pack(_place(), *_self(os.getpid()), number))
    _held.add(claim)
    return claim


def let_go(claim: UUID) -> None:
    """Nothing is done under the claim any more, whatever became of it in the database."""
    _held.discard(claim)


def is_dead(claim: UUID) -> bool:
    """Whether nobody is known to hold the claim: its process is gone, or is this and let it go."""
    place, pid, started, _ = _PARTS.unpack(claim.bytes)
    if not place or place != _place():
        return False
    return _started(pid) != started or (pid == os.getpid() and claim not in _held)


@cache
def _self(pid: int) -> tuple[int, int]:
    return pid, _started(pid) or 0


@cache
def _place() -> int:
    """This boot of this host's process namespace; 0 where the kernel does not say."""
    try:
        text = f"{_BOOT.read_text().strip()} {os.readlink(_NAMESPACE)}"
    except OSError:
        return 0
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def _started(pid: int) -> int | None:
    """The tick at which a process started (proc(5), field 22); None for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZXx" else int(fields[19]) & _MASK
