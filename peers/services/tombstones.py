"""Devices that must go: the rows that say why, and what becomes of their secrets.

A row stays behind as a tombstone: the interface's worker finds in it that the peer's removal has
a cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from peers.models import Peer
from peers.services.changes import raise_generation
from peers.services.due import forget


def bury(peers: Sequence[Peer], *, at: datetime) -> None:
    """These peers must leave their interfaces; what they hold they keep for now."""
    raise_generation(peers, deleted_at=at)


def remove_devices(peers: Sequence[Peer], *, at: datetime) -> None:
    """Remove these peers for good: their secrets are destroyed now."""
    bury(peers, at=at)
    forget(Peer.objects.filter(pk__in=[peer.pk for peer in peers]), at=at)
