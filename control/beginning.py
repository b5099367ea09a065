"""Who shook hands in a dump: what was sold to a client may begin with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import Q

from control.clock import database_now
from control.presence import Shown
from peers.models import Peer
from peers.services.starting import begin
from wireguard.types import PeerStatus


def begin_terms(running: Mapping[str, PeerStatus], shown: Collection[Shown]) -> int:
    """Begin what was sold to the clients of whom this dump has a newer handshake than the rows.

    In the transaction that writes it to the rows, and before any device is locked: a handshake is
    seen once. One that comes again is another.
    """
    fresh = [
        row.id
        for row in shown
        if (status := running.get(row.key)) is not None and status.latest_handshake > row.handshake
    ]
    if not fresh:
        return 0
    waits = Q(client__starts_at__isnull=True) | Q(client__first_connected_at__isnull=True)
    peers = Peer.objects.filter(waits, pk__in=fresh, deleted_at__isnull=True, blocked=False)
    waiting = set(peers.values_list("client", flat=True))
    return begin(client_ids=waiting, at=database_now()) if waiting else 0
