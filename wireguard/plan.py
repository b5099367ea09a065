"""The least change that turns what was applied into what is wanted.

Whatever is not in ``desired`` is not looked at: an empty set changes nothing, so no bug upstream
can turn into a mass removal here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import islice
from typing import Final, NamedTuple

from wireguard.types import UNKNOWN_ENDPOINT, Applied, PeerConfig, Secret, psk_digest


class Clear(Enum):
    """The type of `CLEAR`."""

    CLEAR = "clear"

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR: Final = Clear.CLEAR
"""`PeerChange.preshared_key`: take the preshared key away."""


class PeerChange(NamedTuple):
    """What is sent for one peer. None of a field means: not sent, stays as it is.

    ``allowed_ips`` replace the whole list, () blocks the peer. ``persistent_keepalive`` is in
    seconds, 0 is off. ``is_new``: nothing of this peer was on the interface.
    """

    public_key: str
    allowed_ips: tuple[str, ...] | None = None
    preshared_key: Secret | Clear | None = None
    persistent_keepalive: int | None = None
    endpoint: str | None = None
    is_new: bool = False


class Plan:
    """Removals, then changes, to be carried out in this order. Immutable; empty is false."""

    __slots__ = ("changes", "removals")

    def __init__(self, removals: Sequence[str] = (), changes: Sequence[PeerChange] = ()) -> None:
        self.removals: Final = tuple(removals)
        self.changes: Final = tuple(changes)

    def __bool__(self) -> bool:
        return bool(self.removals or self.changes)

    def __len__(self) -> int:
        return len(self.removals) + len(self.changes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        return (self.removals, self.changes) == (other.removals, other.changes)

    __hash__ = None  # type: ignore[assignment]  # changes hold secrets, which do not hash

    def __repr__(self) -> str:
        return f"Plan(removals={self.removals!r}, changes={self.changes!r})"

    @property
    def touched(self) -> frozenset[str]:
        """The public keys of every peer that the plan names."""
        return frozenset(self.removals) | {change.public_key for change in self.changes}

    def batches(self, size: int = 200) -> Iterator[Plan]:
        """Cut the plan into plans of at most ``size`` peers, in the same order."""
        if size < 1:
            raise ValueError("a batch holds at least one peer")
        removals, changes = iter(self.removals), iter(self.changes)
        while True:
            gone = tuple(islice(removals, size))
            part = Plan(gone, tuple(islice(changes, size - len(gone))))
            if not part:
                return
            yield part


def diff(desired: Mapping[str, PeerConfig | None], applied: Mapping[str, Applied | None]) -> Plan:
    """Return the least change that turns ``applied`` into ``desired``, for the keys of ``desired``.

    ``desired[key]`` None: the peer must be absent. ``applied[key]`` None: its state is unknown, so
    everything is sent, and a removal is sent too; a key that is missing is not on the interface.
    To a blocked peer that is absent nothing is done: absent or empty are both right.

    Order: removals, then changes that take addresses away, then the rest. Each list is sent whole
    and desired lists share no address, so one that moves ends where it is wanted, wherever a
    batch is cut; an abort in between leaves a client without its address, never with another's.
    """
    removals: list[str] = []
    losses: list[PeerChange] = []
    others: list[PeerChange] = []
    for key, wanted in desired.items():
        if wanted is None:
            if key in applied:
                removals.append(key)
            continue
        known = applied.get(key)
        if known is not None:
            change: PeerChange | None = _difference(wanted, known)
            takes = not set(wanted.allowed_ips) >= set(known.allowed_ips)
        elif wanted.allowed_ips or key in applied:
            change = _whole(wanted, is_new=key not in applied)
            takes = not wanted.allowed_ips
        else:
            continue
        if change is not None:
            (losses if takes else others).append(change)
    return Plan(removals, losses + others)


def _whole(wanted: PeerConfig, *, is_new: bool) -> PeerChange:
    """Everything of a peer. What a new peer does not need is left out; an unknown one gets all."""
    psk: Secret | Clear | None = wanted.preshared_key
    keepalive = wanted.persistent_keepalive
    if not is_new:
        psk, keepalive = psk or CLEAR, keepalive or 0
    return PeerChange(
        wanted.public_key, wanted.allowed_ips, psk, keepalive, wanted.endpoint, is_new
    )


def _difference(wanted: PeerConfig, known: Applied) -> PeerChange | None:
    allowed_ips = psk = keepalive = endpoint = None
    if wanted.allowed_ips != known.allowed_ips:
        allowed_ips = wanted.allowed_ips
    if psk_digest(wanted.preshared_key) != known.psk_digest:
        psk = wanted.preshared_key or CLEAR
    if wanted.persistent_keepalive != known.persistent_keepalive:
        keepalive = wanted.persistent_keepalive or 0
    # Clients roam: only a new wish is sent, never the old one again, and never on a guess.
    if wanted.endpoint and known.endpoint not in (wanted.endpoint, UNKNOWN_ENDPOINT):
        endpoint = wanted.endpoint
    change = PeerChange(wanted.public_key, allowed_ips, psk, keepalive, endpoint)
    return None if change == PeerChange(wanted.public_key) else change
