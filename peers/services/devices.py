"""Devices: making, changing and removing the peer rows of a client, inside its transaction.

Nothing here writes a job or an audit event; `clients` and `founding` do, for the whole change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypedDict
from uuid import uuid4

from django.db import IntegrityError

from gateways.models import Interface
from peers.allocation import allocate, claim
from peers.models import Client, Peer, PeerAddress, PeerKey
from peers.networks import check_networks, replace_networks
from peers.queries import Device, as_networks
from peers.sealing import seal_preshared_key, seal_private_key
from peers.values import (
    DEVICE_CHECKS,
    GENERATE,
    check_addresses,
    check_key,
    check_key_mode,
    check_psk,
)
from rest.errors import Conflict, Invalid
from rest.values import check_fields, check_text
from tenants.writes import Insert
from wireguard.keys import generate_private_key, public_key_of
from wireguard.types import Secret

#: The least MTU of a link that carries IPv6 (RFC 8200, 5).
IPV6_MTU = 1280
_NEW: Final = Insert(Peer)
_NEW_KEY: Final = Insert(PeerKey)


class DeviceDetails(TypedDict, total=False):
    """What may be said of a device; what is left out takes its default or stays as it is."""

    public_key: str | None
    key_mode: str
    preshared_key: str | None
    addresses: Iterable[str] | None
    networks: Iterable[str]
    persistent_keepalive: int | None
    endpoint: str
    device_name: str
    dns_servers: list[str] | None
    mtu: int | None
    client_keepalive: int | None
    routes: list[str] | None
    endpoint_override: str


@dataclass(frozen=True)
class DeviceWish:
    """Checked details. ``columns`` are those of `Peer` that are set as they stand."""

    public_key: str | None = None
    awaits_key: bool = False
    preshared_key: Secret | None = None
    sets_preshared_key: bool = False
    addresses: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None
    columns: dict[str, Any] = field(default_factory=dict)


#: The names that a refusal gives to the two kinds of allowed-ips.
FieldNames = tuple[str, str]
V1_FIELDS: FieldNames = ("addresses", "networks")


def check_device(details: Mapping[str, Any], *, fields: FieldNames = V1_FIELDS) -> DeviceWish:
    """The details, each checked on its own. Raises `Invalid`."""
    columns = check_fields(details, DEVICE_CHECKS)
    if "dns_servers" in columns:
        columns["use_server_dns"] = columns["dns_servers"] is None
        columns["dns_servers"] = columns["dns_servers"] or []
    if "device_name" in details:
        columns["name"] = check_text(details["device_name"], "device_name", longest=120)
    key, addresses = details.get("public_key"), details.get("addresses")
    networks = details.get("networks")
    return DeviceWish(
        public_key=None if key is None else check_key(key),
        awaits_key=check_key_mode(details.get("key_mode"), key),
        preshared_key=check_psk(details.get("preshared_key")),
        sets_preshared_key="preshared_key" in details,
        addresses=None if addresses is None else check_addresses(addresses, field=fields[0]),
        networks=None if networks is None else check_networks(networks, field=fields[1]),
        columns=columns,
    )


def key_taken() -> Conflict:
    """The refusal of a key that a device on the interface has; it does not say whose."""
    return Conflict(
        "This public key is already in use on this interface.",
        field="public_key",
        code="key_taken",
    )


def build_device(
    *, client: Client, interface: Interface, wish: DeviceWish, blocked: bool
) -> tuple[Peer, Secret | None]:
    """An unsaved peer, and its private key where the portal keeps one.

    Where the customer is to make the key, the pair is made all the same: a row and an interface
    need a public key. Its private half ends here. Raises `Invalid` for the server's own key.
    """
    private_key = None
    if wish.public_key is None:
        private_key = generate_private_key()
    elif wish.public_key == interface.public_key:
        raise Invalid("This is the server's own key.", field="public_key", code="key_of_server")
    identity = uuid4()
    psk = wish.preshared_key if wish.sets_preshared_key else check_psk(GENERATE)
    peer = Peer(
        uuid=identity,
        tenant=client.tenant,
        client=client,
        interface=interface,
        public_key=wish.public_key or public_key_of(_known(private_key)),
        preshared_key=seal_preshared_key(identity, psk) if psk is not None else "",
        blocked=blocked,
        awaits_key=wish.awaits_key,
        **wish.columns,
    )
    return peer, None if wish.awaits_key else private_key


def add_device(
    *,
    client: Client,
    interface: Interface,
    wish: DeviceWish,
    blocked: bool,
    at: datetime,
    fields: FieldNames = V1_FIELDS,
) -> Device:
    """Write a new peer of ``client``; without a public key the portal makes the pair.

    Raises `Invalid` for the server's own key, `Conflict` for one that a device on the interface
    has (the constraint decides, races too), and both as `peers.allocation` does.
    """
    peer, private_key = build_device(client=client, interface=interface, wish=wish, blocked=blocked)
    try:
        _NEW(peer)
    except IntegrityError as error:
        if not is_key_taken(error):
            raise
        raise key_taken() from None
    if private_key is not None:
        _NEW_KEY(PeerKey(peer=peer, private_key=seal_private_key(peer.uuid, private_key)))
    if wish.addresses is None:
        rows = allocate(peer=peer, interface=interface, at=at)
    else:
        rows = claim(
            peer=peer, interface=interface, addresses=wish.addresses, at=at, field=fields[0]
        )
    if wish.networks:
        replace_networks(
            peer=peer, interface=interface, networks=wish.networks, at=at, field=fields[1]
        )
    refuse_small_mtu(peer, (row.address for row in rows))
    return _as_new(peer, interface, rows, wish.networks or (), private_key is not None)


def refuse_small_mtu(peer: Peer, addresses: Iterable[str]) -> None:
    """Raise `Invalid` when the device has an IPv6 address and an MTU that carries none."""
    if peer.mtu is None or peer.mtu >= IPV6_MTU:
        return
    if any(":" in address for address in addresses):
        raise Invalid(f"IPv6 needs an MTU of at least {IPV6_MTU}.", field="mtu")


def _as_new(
    peer: Peer,
    interface: Interface,
    rows: Iterable[PeerAddress],
    networks: tuple[str, ...],
    private_key_known: bool,
) -> Device:
    return Device(
        peer=peer,
        interface=interface.name,
        gateway=interface.gateway.slug,
        addresses=as_networks(row.address for row in rows),
        networks=networks,
        status="pending",
        reason="",
        private_key_known=private_key_known,
        preshared_key_set=bool(peer.preshared_key),
        observed_at=interface.observed_at,
    )


def is_key_taken(error: IntegrityError) -> bool:
    """Whether it is the key's constraint: PostgreSQL names it, SQLite names its columns."""
    told = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    columns = "UNIQUE constraint failed: peers_peer.interface_id, peers_peer.public_key"
    return told == "peer_key_once_per_interface" or str(error) == columns


def _known(key: Secret | None) -> Secret:
    if key is None:
        raise TypeError("a device without a public key is made with a private one")
    return key
