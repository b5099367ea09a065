"""What a dump shows against what was applied. Pure.

Missing: applied, and not there. Altered: there, otherwise than applied. Ghost: there, although
its row says it was removed. Stray: there, and no row speaks of it. Link: settings of the interface
itself that are not as its row wants them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from control.guard import split
from wireguard.types import Applied, PeerStatus, psk_digest


class Known(NamedTuple):
    """What a row says of its peer. ``applied`` None: a send was cut short."""

    id: int
    public_key: str
    live: bool
    quarantined: bool
    applied_key: str
    applied: Applied | None
    generation: int
    applied_generation: int
    verified_generation: int
    #: The apply that touched it last; later than the dump's: not judged.
    applied_seq: int


@dataclass
class Drift:
    """Differences by kind; ``guarded`` strays wait for an operator."""

    missing: list[Known] = field(default_factory=list)
    altered: list[tuple[Known, PeerStatus]] = field(default_factory=list)
    ghosts: list[tuple[Known, str]] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    guarded: list[str] = field(default_factory=list)
    verified: list[Known] = field(default_factory=list)
    #: Fields of the interface; healed by `control.adjust`, and no reason to touch a peer.
    link: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.altered or self.ghosts or self.strays)

    @property
    def differing(self) -> list[int]:
        """The rows whose applied state is not what runs."""
        rows = [*self.missing, *(row for row, _ in self.altered), *(row for row, _ in self.ghosts)]
        return [row.id for row in rows]

    def counts(self) -> dict[str, int]:
        """Numbers by kind, those that are not zero."""
        found = {
            "missing": len(self.missing),
            "altered": len(self.altered),
            "ghosts": len(self.ghosts),
            "strays": len(self.strays),
            "guarded": len(self.guarded),
            "link": len(self.link),
        }
        return {kind: number for kind, number in found.items() if number}


def compare(
    running: Mapping[str, PeerStatus],
    rows: Iterable[Known],
    *,
    seq: int,
    recorded: Collection[str],
    latest: int = 0,
) -> Drift:
    """Judge a dump taken at apply number ``seq``; ``latest`` is the last one by now.

    If there was one since, the key of a row that is on no interface may have run for another.
    ``recorded`` are keys that vwg is known to have applied on this host (its boot file): when not
    one row is left, those are kept however few, for a table is empty sooner by fault than by wish.
    """
    drift = Drift()
    spoken: set[str] = set()
    live = 0
    for row in rows:
        spoken.update((row.public_key, row.applied_key))
        live += row.live
        unsure = latest > seq and not row.applied_key
        if row.applied_seq <= seq and not unsure:
            _judge(row, running, drift)
    claimed = {row.public_key for row in drift.verified} | {
        known.public_key for known, _ in drift.altered
    }
    drift.ghosts = [(row, key) for row, key in drift.ghosts if key not in claimed]
    drift.strays, drift.guarded = split(
        [key for key in running if key not in spoken],
        running=len(running),
        live_rows=live,
        recorded=recorded,
    )
    return drift


def _judge(row: Known, running: Mapping[str, PeerStatus], drift: Drift) -> None:
    if row.applied is None:
        if row.applied_key in running:
            drift.altered.append((row, running[row.applied_key]))
        else:
            drift.missing.append(row)
        return
    if not row.applied_key:
        if row.public_key in running and not row.live:
            drift.ghosts.append((row, row.public_key))
        elif row.public_key in running and row.applied_generation == row.generation:
            drift.altered.append((row, running[row.public_key]))
        elif row.applied_generation == row.generation:
            drift.verified.append(row)
        return
    status = running.get(row.applied_key)
    if status is None:
        if not row.quarantined:
            drift.missing.append(row)
    elif same(status, row.applied):
        drift.verified.append(row)
    else:
        drift.altered.append((row, status))


def same(status: PeerStatus, applied: Applied) -> bool:
    """Whether the running peer is as it was applied; endpoints roam and do not count."""
    return (
        status.allowed_ips == applied.allowed_ips
        and status.persistent_keepalive == applied.persistent_keepalive
        and psk_digest(status.preshared_key) == applied.psk_digest
    )
