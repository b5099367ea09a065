"""Giving addresses to peers and taking them back.

The cost does not depend on how full a pool is: first the address that was released longest ago,
else the pool's next one that was never given. The pools' rows are locked, and the unique
constraint on gateway and address has the last word: who loses a race tries again.

A released address is held back from others for a while (its former user's traffic may still
arrive), not from the tenant that released it, if it asks for it by name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from django.db.models import OuterRef, QuerySet, Subquery

from gateways.models import AddressPool, Interface
from peers.keeping import give_up, kept_peers
from peers.keeping import release as release
from peers.models import Peer, PeerAddress
from peers.pools import address_at, offset_of, server_addresses
from rest.errors import Conflict, Invalid
from tenants.models import Tenant
from tenants.prepared import Prepared, run_for_each
from tenants.row_security import ADDRESSES, door
from tenants.writes import Insert

_TRIES = 5
_NEW: Final = Insert(PeerAddress, unless_taken=True)
#: How many never-given addresses one query looks at, at first and at most.
_WINDOW, _WIDEST = 16, 512


_POOLS = "SELECT p.* FROM gateways_addresspool p WHERE p.interface_id = %s{} ORDER BY family, id"
_ALLOWED = (
    " AND EXISTS (SELECT 1 FROM tenants_tenant_pools a"
    " WHERE a.addresspool_id = p.id AND a.tenant_id = %s)"
)


@dataclass
class _Chosen:
    """An address to take from a pool: ``row`` is the released row to take over, if there is one."""

    pool: AddressPool
    address: str
    row: int | None = None
    #: The pool's next offset afterwards, None to leave it.
    next_offset: int | None = None


def allocate(
    *, peer: Peer, interface: Interface, at: datetime, but_of: Collection[int] = ()
) -> list[PeerAddress]:
    """Give ``peer`` one address of each of the interface's pools (``but_of`` these), IPv4 first.

    Call inside the transaction that wrote the peer. Raises `Conflict` (``pool_exhausted``).
    """
    with door(ADDRESSES):
        for _ in range(_TRIES):
            pools = _to_take_from(interface.pk, peer.tenant, at, but_of)
            if not pools and not but_of:
                raise Conflict("There is no address pool to take from.", code="pool_exhausted")
            taken = _take(peer, _choose(pools, server_addresses(interface)))
            if taken is not None:
                return taken
    raise Conflict("Too many changes at once; try again.", code="conflict")


def claim(
    *, peer: Peer, interface: Interface, addresses: Sequence[str], at: datetime, field: str
) -> list[PeerAddress]:
    """Give ``peer`` exactly these addresses (of `check_addresses`), which nobody may hold.

    Raises `Invalid` for one that is no client's address on this interface, `Conflict`
    (``address_taken``) for one that is held or held back, in the same words whoever holds it.
    """
    pools = _pools(interface.pk, peer.tenant)
    wanted = {text: _place(interface, pools, text, field) for text in addresses}
    for one in wanted.values():
        one.next_offset = None  # the pools are not locked: `allocate` skips what is held
    taken = _take(peer, list(wanted.values()))  # nearly always nobody has it
    if taken:
        return taken
    with door(ADDRESSES):
        return _claim_locked(peer, interface, addresses, at, field)


def _claim_locked(
    peer: Peer, interface: Interface, addresses: Sequence[str], at: datetime, field: str
) -> list[PeerAddress]:
    """Somebody has, or had, one of the addresses: say so, or take over what was released."""
    own = server_addresses(interface)
    for _ in range(_TRIES):
        pools = list(_locked_pools(interface.pk, peer.tenant, at))
        wanted = {text: _place(interface, pools, text, field) for text in addresses}
        rows = list(
            PeerAddress.objects.filter(gateway_id=interface.gateway_id, address__in=list(wanted))
        )
        kept = kept_peers(peer.tenant_id).filter(addresses__in=rows)
        given_up = give_up(kept, at=at)
        for row in rows:
            chosen = wanted[row.address]
            if row.peer_id not in given_up:
                _refuse_held(
                    row, tenant_id=peer.tenant_id, pool=chosen.pool, own=own, at=at, field=field
                )
            chosen.row = row.pk
        taken = _take(peer, list(wanted.values()))
        if taken is not None:
            return taken
    raise Conflict("Too many changes at once; try again.", field=field, code="conflict")


def _pools(interface_id: int, tenant: Tenant) -> list[AddressPool]:
    """The interface's pools that the tenant may use."""
    if tenant.limits_pools:
        return list(AddressPool.objects.raw(_POOLS.format(_ALLOWED), [interface_id, tenant.pk]))
    return list(AddressPool.objects.raw(_POOLS.format(""), [interface_id]))


def _to_take_from(
    interface_id: int, tenant: Tenant, at: datetime, but_of: Collection[int]
) -> list[AddressPool]:
    if not but_of and not tenant.limits_pools:
        return _LOCKED(interface_id, at)
    return list(_locked_pools(interface_id, tenant, at).exclude(pk__in=but_of))


def _locked_pools(interface_id: int, tenant: Tenant, at: datetime) -> QuerySet[AddressPool]:
    """These pools, locked, each with the row that was released longest ago."""
    rows = _all_locked(interface_id, at)
    return rows.filter(pk__in=tenant.pools.values("pk")) if tenant.limits_pools else rows


def lock_pools(interface: Interface, tenant: Tenant, *, at: datetime) -> None:
    """Hold the interface's pools, for who claims addresses one by one and then allocates more."""
    with door(ADDRESSES):
        _to_take_from(interface.pk, tenant, at, ())


def _all_locked(interface_id: int, at: datetime) -> QuerySet[AddressPool]:
    released = PeerAddress.objects.filter(
        pool=OuterRef("pk"), peer__isnull=True, free_at__lte=at
    ).order_by("free_at")
    rows = AddressPool.objects.select_for_update(of=("self",), no_key=True).filter(
        interface_id=interface_id
    )
    return rows.order_by("family", "pk").annotate(
        released_row=Subquery(released.values("pk")[:1]),
        released_address=Subquery(released.values("address")[:1]),
    )


_LOCKED: Final = Prepared(_all_locked, int, datetime)
#: Those of some addresses that somebody holds, or that are held back.
_CLAIMED: Final = Prepared(
    lambda gateway_id, addresses: PeerAddress.objects.filter(
        gateway_id=gateway_id, address__in=addresses
    ).values_list("address"),
    int,
    [str],
)


def _choose(pools: Sequence[AddressPool], own: set[str]) -> list[_Chosen]:
    """One free address of each pool. Raises `Conflict` (``pool_exhausted``)."""
    fresh = _next_free([pool for pool in pools if _released(pool) is None], own)
    return [_released(pool) or fresh[pool.pk] for pool in pools]


def _released(pool: AddressPool) -> _Chosen | None:
    row: int | None = vars(pool)["released_row"]
    return None if row is None else _Chosen(pool, vars(pool)["released_address"], row)


def _next_free(pools: Sequence[AddressPool], own: set[str]) -> dict[int, _Chosen]:
    """The first address of each pool that was never given and that nobody claimed by name.

    The first query looks at a few addresses of every pool; more are needed only where a run of
    addresses ahead was claimed by name, and the pool's offset then moves past the run.
    """
    found: dict[int, _Chosen] = {}
    offsets = {pool.pk: pool.next_offset for pool in pools}
    window = _WINDOW
    while missing := [pool for pool in pools if pool.pk not in found]:
        ahead = {pool.pk: _ahead(pool, offsets[pool.pk], window) for pool in missing}
        asked = [address for run in ahead.values() for address in run.values()]
        claimed = own | {address for (address,) in _CLAIMED(missing[0].gateway_id, asked)}
        for pool in missing:
            run = ahead[pool.pk]
            if not run:
                raise Conflict(f"The address pool {pool.name} is exhausted.", code="pool_exhausted")
            free = next((number for number, text in run.items() if text not in claimed), None)
            if free is not None:
                found[pool.pk] = _Chosen(pool, run[free], next_offset=free + 1)
            offsets[pool.pk] += len(run)
        window = min(4 * window, _WIDEST)
    return found


def _ahead(pool: AddressPool, offset: int, window: int) -> dict[int, str]:
    """The next ``window`` addresses of the pool by their numbers."""
    return {
        number: address_at(pool, number)
        for number in range(offset, min(offset + window, pool.size))
    }


def _place(interface: Interface, pools: Sequence[AddressPool], address: str, field: str) -> _Chosen:
    """The pool that ``address`` belongs to. Raises `Invalid` when it is no client's address."""
    parsed = ip_address(address)
    if address in server_addresses(interface):
        raise Invalid(
            f"{address} is the server's own address.", field=field, code="address_reserved"
        )
    for pool in pools:
        offset = offset_of(pool, parsed)
        if offset is None:
            continue
        if offset == pool.next_offset:
            pool.next_offset += 1  # claims in sequence leave no run behind for others to skip
            return _Chosen(pool, address, next_offset=pool.next_offset)
        return _Chosen(pool, address)
    raise Invalid(
        f"{address} is not a client address of this interface's pools.",
        field=field,
        code="address_outside_pool",
    )


def _refuse_held(
    row: PeerAddress, *, tenant_id: int, pool: AddressPool, own: set[str], at: datetime, field: str
) -> None:
    """Raise `Conflict` unless the address was released, and by this tenant or long ago."""
    if row.peer_id is None and (
        row.tenant_id == tenant_id or (row.free_at is not None and row.free_at <= at)
    ):
        return
    try:
        hint = f" The next free one is {_choose([pool], own)[0].address}."
    except Conflict:
        hint = ""
    raise Conflict(f"{row.address} is taken.{hint}", field=field, code="address_taken")


def _take(peer: Peer, chosen: Sequence[_Chosen]) -> list[PeerAddress] | None:
    """Write what was chosen; None, and nothing is left of it, when another transaction was faster
    with one of them. By hand: a savepoint costs two round trips, and nearly always for nothing.
    """
    rows = [
        PeerAddress(
            pk=one.row,
            gateway_id=one.pool.gateway_id,
            tenant_id=peer.tenant_id,
            pool=one.pool,
            address=one.address,
            family=one.pool.family,
            peer=peer,
        )
        for one in chosen
    ]
    fresh = [row for row in rows if row.pk is None]
    released = [row.pk for row in rows if row.pk is not None]
    written = _NEW(*fresh) if fresh else []
    if len(written) < len(fresh) or not _take_over(peer, released):
        PeerAddress.objects.filter(pk__in=written).delete()
        return None
    move_on({one.pool.pk: one.next_offset for one in chosen if one.next_offset is not None})
    return rows


def _take_over(peer: Peer, rows: Sequence[int]) -> bool:
    """Hand released rows to ``peer``: all of them, or none when one is released no longer."""
    if not rows:
        return True
    found = PeerAddress.objects.filter(pk__in=rows, peer__isnull=True)
    if len(rows) > 1 and len(found.select_for_update(no_key=True).values_list("pk")) < len(rows):
        return False
    return found.update(peer=peer, tenant=peer.tenant_id, free_at=None) == len(rows)


def move_on(offsets: dict[int, int]) -> None:
    """Store the pools' next offsets; a CASE by the ORM costs 1 ms to write."""
    run_for_each(
        "UPDATE gateways_addresspool SET next_offset = %s"
        " WHERE id = %s AND next_offset < %s",  # a claim does not hold the pool's row
        [(offset, pool_id, offset) for pool_id, offset in offsets.items()],
    )
