"""Peers' secrets at rest. The place a value is sealed for names its table, row and field."""

from uuid import UUID

from vault.rings import client_ring, gateway_ring
from wireguard.types import Secret


def _psk_place(uuid: UUID) -> str:
    return f"peers_peer|{uuid}|preshared_key"


def _key_place(peer_uuid: UUID) -> str:
    return f"peers_peerkey|{peer_uuid}|private_key"


def seal_preshared_key(uuid: UUID, key: Secret) -> str:
    """The text to store in `Peer.preshared_key`."""
    return gateway_ring().seal(key.reveal(), place=_psk_place(uuid))


def open_preshared_key(uuid: UUID, sealed: str) -> Secret | None:
    """The peer's preshared key, None for an empty value. Raises `vault.ring.RingError`."""
    return Secret(gateway_ring().open(sealed, place=_psk_place(uuid))) if sealed else None


def seal_private_key(peer_uuid: UUID, key: Secret) -> str:
    """The text to store in `PeerKey.private_key`."""
    return client_ring().seal(key.reveal(), place=_key_place(peer_uuid))


def open_private_key(peer_uuid: UUID, sealed: str) -> Secret:
    """A device's private key. Raises `vault.ring.RingError`."""
    return Secret(client_ring().open(sealed, place=_key_place(peer_uuid)))


def _request_place(run: UUID) -> str:
    return f"peers_bulkrun|{run}|request"


def seal_request(run: UUID, text: str) -> str:
    """The text to store in `BulkRun.request`."""
    return client_ring().seal(text, place=_request_place(run))


def open_request(run: UUID, sealed: str) -> str:
    """What a bulk run was asked for. Raises `vault.ring.RingError`."""
    return client_ring().open(sealed, place=_request_place(run))
