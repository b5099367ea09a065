"""The ranges that peers' addresses come from: what an interface's own addresses leave over.

IPv4: the network without its own address, broadcast and the server. IPv6: from ::2 on (::0 is
the subnet-router anycast address, RFC 4291 2.6.1), at most 2**48 addresses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any, Final, NamedTuple

from django.db.models import Count, Q, QuerySet

from gateways.models import AddressPool, Interface
from peers.models import PeerAddress, PeerNetwork
from peers.networks import bounds
from rest.errors import Conflict, Invalid
from tenants.prepared import Prepared
from wireguard.allowed_ips import check_interface_address
from wireguard.errors import InvalidConfig

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LARGEST = 2**48


def make_pools(interface: Interface, addresses: Iterable[str]) -> list[AddressPool]:
    """Create a pool for every network of the interface's ``addresses`` ("10.252.0.1/16").

    A network without room for one peer (a /32, say) makes none. Raises `Invalid` for a malformed
    address and `Conflict` for a network that overlaps what the gateway already routes.
    """
    made: list[AddressPool] = []
    names = set(interface.pools.values_list("name", flat=True))
    for text in addresses:
        try:
            own = ip_interface(check_interface_address(text))
        except InvalidConfig as error:
            raise Invalid(error.message, field="addresses", code="address_invalid") from None
        _refuse_overlap(interface, own.network)
        span = _span(own.network, own.ip)
        if span is None:
            continue
        first, last = span
        made.append(
            AddressPool.objects.create(
                gateway_id=interface.gateway_id,
                interface=interface,
                name=_name(own.network, names | {pool.name for pool in made}),
                network=str(own.network),
                family=own.version,
                first=str(first),
                last=str(last),
                size=int(last) - int(first) + 1,
            )
        )
    return made


def _name(network: Network, taken: set[str]) -> str:
    plain = f"IPv{network.version}"
    return f"{plain} {network}" if plain in taken else plain


def _span(network: Network, server: Address) -> tuple[Address, Address] | None:
    """The first and last address of a pool that may be given; the server may lie between."""
    low, high = int(network.network_address), int(network.broadcast_address)
    if network.version == 4:
        low, high = low + 1, high - 1
    else:
        low, high = low + 2, min(high, low + 1 + _LARGEST)
    if low == int(server):
        low += 1
    elif high == int(server):
        high -= 1
    if low > high or (low == high == int(server)):
        return None
    make = type(network.network_address)
    return make(low), make(high)


def _refuse_overlap(interface: Interface, network: Network) -> None:
    others = AddressPool.objects.filter(gateway_id=interface.gateway_id, family=network.version)
    for other in others.values_list("network", flat=True):
        if network.overlaps(ip_network(other)):
            raise Conflict(
                f"{network} overlaps the pool {other} of this gateway.",
                field="addresses",
                code="pool_overlaps",
            )
    start, end = bounds(str(network))
    routed = PeerNetwork.objects.filter(
        Q(start__lte=end) & Q(end__gte=start), gateway_id=interface.gateway_id
    )
    if routed.exists():
        raise Conflict(
            f"{network} overlaps a network behind a device of this gateway.",
            field="addresses",
            code="pool_overlaps",
        )


def address_at(pool: AddressPool, offset: int) -> str:
    """The canonical text of the pool's address number ``offset``."""
    return str(ip_address(pool.first) + offset)


def offset_of(pool: AddressPool, address: Address) -> int | None:
    """The number of ``address`` in the pool, None when it is not one that may be given."""
    if address.version != pool.family:
        return None
    offset = int(address) - int(ip_address(pool.first))
    return offset if 0 <= offset < pool.size else None


def server_addresses(interface: Interface) -> set[str]:
    """The interface's own addresses without their prefix lengths, canonical."""
    return {str(ip_interface(text).ip) for text in interface.addresses}


class Utilisation(NamedTuple):
    """How many addresses of a pool are given, held back after their release, and free."""

    given: int
    held_back: int
    free: int


def _given(pools: Collection[int], at: datetime) -> QuerySet[PeerAddress, Any]:
    given = Count("pk", filter=Q(peer__isnull=False))
    held = Count("pk", filter=Q(peer__isnull=True, free_at__gt=at))
    rows = PeerAddress.objects.filter(pool__in=pools).order_by()
    return rows.values_list("pool").annotate(given=given, held=held)


_GIVEN: Final = Prepared(_given, [int], datetime)


def utilisation(pools: Collection[AddressPool], *, at: datetime) -> dict[int, Utilisation]:
    """How far these pools (read with their interfaces) are given out, in one query."""
    rows = _GIVEN([pool.pk for pool in pools], at)
    counted = {pool_id: numbers for pool_id, *numbers in rows}
    found = {}
    for pool in pools:
        used, waiting = counted.get(pool.pk, (0, 0))
        own = sum(
            offset_of(pool, ip_interface(text).ip) is not None for text in pool.interface.addresses
        )
        found[pool.pk] = Utilisation(used, waiting, pool.size - used - waiting - own)
    return found
