"""Another key for a device: the old one is off the interface with the same apply."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction

from gateways.models import Job
from peers.models import Peer, PeerKey
from peers.sealing import seal_preshared_key, seal_private_key
from peers.services.changes import (
    Changed,
    locked_client,
    note_act,
    raise_generation,
    raise_version,
    told,
)
from peers.services.choosing import device_of
from peers.services.devices import is_key_taken, key_taken
from peers.values import GENERATE, check_key, check_key_mode, check_psk
from rest.errors import Invalid
from rest.versions import Version
from tenants.scoping import Caller
from wireguard.keys import generate_private_key, public_key_of
from wireguard.types import Secret


class NewKeys(TypedDict, total=False):
    """What is left out is made: the pair always, the preshared key where there was one.

    ``key_mode`` "customer": the pair's private half is thrown away, and the device waits for the
    customer's key (`peers.services.keys`).
    """

    public_key: str | None
    key_mode: str
    preshared_key: str | None


@transaction.atomic
def rotate_keys(
    *,
    caller: Caller,
    client_id: UUID,
    at: datetime,
    peer_id: UUID | None = None,
    if_match: Version | None = None,
    **keys: Unpack[NewKeys],
) -> Changed:
    """Give the client's device (its only one, unless named) a new key pair and preshared key.

    With ``public_key`` the customer keeps the private half, and the portal forgets the one it
    had; the key that the device has already is no change. Raises `Missing`, `StaleVersion`,
    `Invalid` (``several_devices``, ``key_of_server``) and `Conflict` (``key_taken``).
    """
    given = keys.get("public_key")
    key = None if given is None else check_key(given)
    awaits = check_key_mode(keys.get("key_mode"), given)
    client = locked_client(caller, client_id, if_match)
    peer = device_of(client, peer_id)
    old = peer.public_key
    if key == old and "preshared_key" not in keys:
        return told(client, Job.Kind.ROTATE, caller, [], at)
    _set_psk(peer, keys)
    if key != old:
        set_pair(peer, key, awaits=awaits)
    peer.awaits_key = awaits
    save_keys(peer)
    raise_version(client)
    note_act(
        client=client,
        actor=caller.actor,
        action="client.keys_rotated",
        before={"public_key": old},
        after={
            "public_key": peer.public_key,
            "device": str(peer.uuid),
            **({"key_mode": "customer"} if awaits else {}),
        },
    )
    return told(client, Job.Kind.ROTATE, caller, [peer], at)


def _set_psk(peer: Peer, keys: NewKeys) -> None:
    if "preshared_key" in keys:
        psk = check_psk(keys["preshared_key"])
    else:
        psk = check_psk(GENERATE) if peer.preshared_key else None
    peer.preshared_key = "" if psk is None else seal_preshared_key(peer.uuid, psk)


def set_pair(peer: Peer, key: str | None, *, awaits: bool = False) -> None:
    """The customer's public key, or a pair of our own; the private key we had is destroyed.

    With ``awaits`` so is the one we made. Not saved: `save_keys`. Raises `Invalid`.
    """
    if key == peer.interface.public_key:
        raise Invalid("This is the server's own key.", field="public_key", code="key_of_server")
    PeerKey.objects.filter(peer=peer).delete()
    if key is None:
        private: Secret = generate_private_key()
        if not awaits:
            PeerKey.objects.create(peer=peer, private_key=seal_private_key(peer.uuid, private))
        key = public_key_of(private)
    peer.public_key = key


def save_keys(peer: Peer) -> None:
    """The row with its keys; WireGuard must learn of them, and the file is another.

    The caller holds the client's row. Raises `Conflict` (``key_taken``).
    """
    peer.file_generation += 1
    fields = ["public_key", "preshared_key", "awaits_key", "file_generation"]
    try:
        peer.save(update_fields=fields)
    except IntegrityError as error:
        if not is_key_taken(error):
            raise
        raise key_taken() from None
    raise_generation([peer])
