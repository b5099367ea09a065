"""Interface keys at rest. The place a value is sealed for names its table, row and field."""

from uuid import UUID

from vault.rings import gateway_ring
from wireguard.types import Secret


def _place(uuid: UUID) -> str:
    return f"gateways_interface|{uuid}|private_key"


def seal_interface_key(uuid: UUID, key: Secret) -> str:
    """The text to store in `Interface.private_key`."""
    return gateway_ring().seal(key.reveal(), place=_place(uuid))


def open_interface_key(uuid: UUID, sealed: str) -> Secret:
    """The interface's private key. Raises `vault.ring.RingError`."""
    return Secret(gateway_ring().open(sealed, place=_place(uuid)))
