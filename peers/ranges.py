"""Addresses for many peers at once: each pool is locked once, read once and written once.

The same order as for one (`peers.allocation`): what was released longest ago, then what was
never given; and the unique constraint on gateway and address has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection

from gateways.models import AddressPool, Interface
from peers.allocation import move_on
from peers.models import Peer, PeerAddress
from peers.pools import address_at, server_addresses
from tenants.models import Tenant

_WINDOW = 500


@dataclass(frozen=True)
class Place:
    """An address to take: a released row to take over, or a number of the pool never given."""

    pool: AddressPool
    address: str
    row: int | None = None
    offset: int | None = None


def reserve(
    interface: Interface, tenant: Tenant, *, number: int, at: datetime
) -> list[tuple[Place, ...]]:
    """An address of each of the pools that the tenant may use, for up to ``number`` peers.

    Fewer where a pool ends, none without a pool. The pools stay locked until the transaction
    ends. Call it in the savepoint that takes them all: numbers are used up here.
    """
    rows = AddressPool.objects.select_for_update(no_key=True).filter(interface_id=interface.pk)
    if tenant.limits_pools:
        rows = rows.filter(pk__in=tenant.pools.values("pk"))
    pools = list(rows.order_by("family", "pk"))
    own = server_addresses(interface)
    found = [_of_pool(pool, number, own, at) for pool in pools]
    places = list(zip(*found, strict=False))
    move_on({pool.pk: offset + 1 for offset, pool in _last_offsets(places)})
    return places


def take(peers: Sequence[Peer], places: Sequence[tuple[Place, ...]]) -> list[list[str]]:
    """Give each of the peers its places. Raises IntegrityError when somebody was faster."""
    wanted = [(peer, one) for peer, chosen in zip(peers, places, strict=True) for one in chosen]
    PeerAddress.objects.bulk_create(
        [_row(peer, place) for peer, place in wanted if place.row is None], batch_size=500
    )
    over = [(peer.pk, peer.tenant_id, place.row) for peer, place in wanted if place.row is not None]
    if over:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE peers_peeraddress SET peer_id = %s, tenant_id = %s, free_at = NULL"
                " WHERE id = %s AND peer_id IS NULL",
                over,
            )
            if cursor.rowcount != len(over):
                raise IntegrityError("a released address was taken by another transaction")
    return [[place.address for place in chosen] for chosen in places]


def _row(peer: Peer, place: Place) -> PeerAddress:
    return PeerAddress(
        gateway_id=place.pool.gateway_id,
        tenant_id=peer.tenant_id,
        pool=place.pool,
        address=place.address,
        family=place.pool.family,
        peer=peer,
    )


def _of_pool(pool: AddressPool, number: int, own: set[str], at: datetime) -> list[Place]:
    """Up to ``number`` places of one pool."""
    released = PeerAddress.objects.filter(pool=pool, peer__isnull=True, free_at__lte=at)
    found = [
        Place(pool, address, row=row)
        for row, address in released.order_by("free_at").values_list("pk", "address")[:number]
    ]
    offset = pool.next_offset
    while len(found) < number and offset < pool.size:
        ahead = {
            address_at(pool, place): place
            for place in range(offset, min(offset + _WINDOW, pool.size))
        }
        claimed = own | set(
            PeerAddress.objects.filter(
                gateway_id=pool.gateway_id, address__in=list(ahead)
            ).values_list("address", flat=True)
        )
        free = [text for text in ahead if text not in claimed][: number - len(found)]
        found += [Place(pool, text, offset=ahead[text]) for text in free]
        offset += len(ahead)
    return found


def _last_offsets(places: Sequence[tuple[Place, ...]]) -> list[tuple[int, AddressPool]]:
    """The highest number taken of each pool of which any was."""
    last: dict[int, tuple[int, AddressPool]] = {}
    for chosen in places:
        for place in chosen:
            if place.offset is not None:
                last[place.pool.pk] = (place.offset, place.pool)
    return list(last.values())
