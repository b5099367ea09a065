"""Networks behind a device, as 16-byte bounds that SQL can compare.

IPv4 lives in ::ffff:0:0/96 (RFC 4291, 2.5.5.2), so one index holds both families and no IPv4
network meets an IPv6 one: IPv6 networks that contain that range are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from ipaddress import ip_interface, ip_network
from itertools import pairwise
from operator import or_

from django.db.models import Q

from gateways.models import AddressPool, Gateway, Interface
from peers.keeping import give_up, kept_peers
from peers.models import Peer, PeerNetwork
from rest.errors import Conflict, Invalid
from tenants.row_security import NETWORKS, door
from wireguard.allowed_ips import check_network, sort_networks
from wireguard.errors import InvalidConfig

MAX_NETWORKS = 50
_MAPPED = 0xFFFF << 32

Bounds = tuple[bytes, bytes]


def bounds(network: str) -> Bounds:
    """The first and last address of a canonical network, 16 bytes each."""
    parsed = ip_network(network)
    base = _MAPPED if parsed.version == 4 else 0
    return (
        (base + int(parsed.network_address)).to_bytes(16, "big"),
        (base + int(parsed.broadcast_address)).to_bytes(16, "big"),
    )


def check_networks(networks: Iterable[object], *, field: str) -> tuple[str, ...]:
    """The networks in canonical spelling and order. Raises `Invalid`.

    Refused are host bits and other spellings, more than 50, default routes (they would draw the
    gateway's own traffic into the tunnel), and networks that overlap one another.
    """
    given = list(networks)
    if len(given) > MAX_NETWORKS:
        raise Invalid(f"At most {MAX_NETWORKS} networks per device.", field=field, code="too_many")
    try:
        checked = [check_network(text) for text in given]
    except InvalidConfig as error:
        raise Invalid(_sentence(error.message), field=field, code="network_invalid") from None
    for network in checked:
        _refuse_unusable(network, field)
    ordered = sorted((bounds(network), network) for network in checked)
    for former, latter in pairwise(ordered):
        if latter[0][0] <= former[0][1]:
            raise Invalid(
                f"{latter[1]} and {former[1]} overlap.", field=field, code="network_overlaps"
            )
    return sort_networks(checked)


def lock_gateway(gateway_id: int) -> None:
    """Hold the gateway's row till the end of the transaction: one writer of networks at a time.

    NO KEY: rows that merely point to the gateway can be written meanwhile.
    """
    Gateway.objects.select_for_update(no_key=True).values_list("pk").get(pk=gateway_id)


def replace_networks(
    *, peer: Peer, interface: Interface, networks: Sequence[str], at: datetime, field: str
) -> None:
    """Let ``peer`` have exactly these networks (checked by `check_networks`).

    Raises `Conflict` when one overlaps a pool, an address of a server or another device's
    network on the gateway; whose it is, the message does not say.
    """
    lock_gateway(interface.gateway_id)
    PeerNetwork.objects.filter(peer=peer).exclude(network__in=networks).delete()
    if not networks:
        return
    _refuse_taken(peer, interface.gateway_id, networks, at=at, field=field)
    held = set(PeerNetwork.objects.filter(peer=peer).values_list("network", flat=True))
    PeerNetwork.objects.bulk_create(
        PeerNetwork(
            gateway_id=interface.gateway_id,
            tenant_id=peer.tenant_id,
            peer=peer,
            network=network,
            start=bounds(network)[0],
            end=bounds(network)[1],
        )
        for network in networks
        if network not in held
    )


def _refuse_unusable(network: str, field: str) -> None:
    parsed = ip_network(network)
    if parsed.prefixlen == 0:
        raise Invalid(
            "A default route cannot lie behind a device.", field=field, code="default_route"
        )
    reserved = parsed.is_loopback or parsed.is_multicast or parsed.is_link_local
    start, end = bounds(network)
    mapped = _MAPPED.to_bytes(16, "big")
    if reserved or (parsed.version == 6 and start <= mapped <= end):
        raise Invalid(f"{network} cannot be routed.", field=field, code="network_unusable")


def _refuse_taken(
    peer: Peer, gateway_id: int, networks: Sequence[str], *, at: datetime, field: str
) -> None:
    reserved = [bounds(text) for text in _reserved(gateway_id)]
    for network in networks:
        start, end = bounds(network)
        if any(start <= high and low <= end for low, high in reserved):
            raise Conflict(
                f"{network} overlaps an address pool or a server's own address.",
                field=field,
                code="network_reserved",
            )
    overlaps = reduce(
        or_, (Q(start__lte=bounds(text)[1], end__gte=bounds(text)[0]) for text in networks)
    )
    others = PeerNetwork.objects.filter(overlaps, gateway_id=gateway_id).exclude(peer=peer)
    with door(NETWORKS):
        taken = others.exists()
    if taken:  # by a deleted client of the same tenant, who may have it back
        kept = kept_peers(peer.tenant_id)
        give_up(kept.filter(networks__in=others.filter(tenant_id=peer.tenant_id)), at=at)
        with door(NETWORKS):
            taken = others.exists()
    if taken:
        raise Conflict(
            "One of these networks overlaps a network that is taken.",
            field=field,
            code="network_taken",
        )


def _reserved(gateway_id: int) -> set[str]:
    """Pools and the servers' own addresses; every peer's address lies in a pool."""
    reserved = set(
        AddressPool.objects.filter(gateway_id=gateway_id).values_list("network", flat=True)
    )
    for addresses in Interface.objects.filter(gateway_id=gateway_id).values_list(
        "addresses", flat=True
    ):
        reserved.update(str(ip_network(ip_interface(text).ip)) for text in addresses)
    return reserved


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
