"""What a dump adds to which meter. Pure.

A key is counted by the device that had it applied. One that nobody had applied is of a send that
was never written down: of the row whose removal is still to come, else of the live one that wants
it, else of the one that was deleted last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from quotas.metering import Flag
from wireguard.types import PeerStatus


class Take(NamedTuple):
    """What is to be counted of one device: its counters in a dump."""

    peer_id: int
    rx: int
    tx: int
    #: Whether what comes after this sample is billed; None: as before.
    billing: bool | None = None
    flags: Flag = Flag(0)
    #: It is off by the books: a meter that is made now does not bill.
    off: bool = False
    #: The counters so far are another's: begin where they stand.
    takes_over: bool = False


class Counted(NamedTuple):
    """What a row and its meter say. ``run`` None: no meter, or a closed one."""

    id: int
    public_key: str
    live: bool
    applied_key: str
    #: Deleted, and its removal is still to come.
    going: bool
    #: Off by the books, since the apply of this number or an earlier one.
    off: bool
    applied_seq: int
    run: int | None
    rx: int
    tx: int
    billing: bool | None

    @property
    def key(self) -> str:
        return self.applied_key or self.public_key


def samples(
    running: Mapping[str, PeerStatus],
    rows: Iterable[Counted],
    *,
    run: int,
    apply_seq: int,
    latest: int,
    resting: Collection[str] = (),
) -> list[Take]:
    """The samples that change something of a dump after apply ``apply_seq``; ``latest`` is the
    last apply by now. ``resting`` are applied keys of which nothing moved.
    """
    takes = []
    for key, row in _owners(row for row in rows if row.key not in resting).items():
        status = running.get(key)
        if status is None or _may_be_anothers(row, apply_seq, latest):
            continue
        counts = (status.rx_bytes, status.tx_bytes)
        billing = None
        if row.billing is not None and row.billing is row.off and row.applied_seq <= apply_seq:
            billing = not row.off  # a block or an unblock whose reading was cut short
        if (
            counts != (row.rx, row.tx)
            or (row.run not in (None, run) and any(counts))
            or (billing is not None)
        ):
            takes.append(Take(row.id, *counts, billing, off=row.off))
    return takes


def _may_be_anothers(row: Counted, apply_seq: int, latest: int) -> bool:
    """Whether the key of a row that counts nothing yet may have run for another in this dump, who
    has counted it: something was applied since. The next dump tells; counters only rise.
    """
    return row.run is None and (row.applied_seq if row.applied_key else latest) > apply_seq


def _owners(rows: Iterable[Counted]) -> dict[str, Counted]:
    found: dict[str, Counted] = {}
    for row in rows:
        other = found.get(row.key)
        if other is None or _claim(row) > _claim(other):
            found[row.key] = row
    return found


def _claim(row: Counted) -> tuple[bool, bool, bool, int]:
    return bool(row.applied_key), row.going, row.live, row.id
