"""Which device of a client an act is about."""

from __future__ import annotations

from uuid import UUID

from peers.models import Client, Peer
from peers.queries import NO_PEER, live_peers, only_peer
from rest.errors import Missing


def device_of(client: Client, peer_id: UUID | None) -> Peer:
    """The client's device of this id, or its only one for None; read under the client's lock.

    Raises `Missing`, and `Invalid` (``several_devices``).
    """
    if peer_id is None:
        return only_peer(client)
    for found in live_peers(client):
        if found.uuid == peer_id:
            return found
    raise Missing(NO_PEER)
