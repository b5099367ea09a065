"""Gateways, interfaces and pools as the operator's pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q
from django.http import Http404

from gateways.models import AddressPool, Gateway, Interface
from gateways.queries import queue_seen
from peers.models import Peer
from peers.pools import Utilisation, utilisation
from portal.status.queries import LATE_SECONDS

#: What came within this time is what is expected to come.
GROWTH: Final = timedelta(days=14)
_FAR_DAYS: Final = 3650


@dataclass(frozen=True)
class HostRow:
    """A gateway: whether its worker answers, and how many interfaces it has."""

    gateway: Gateway
    seen_at: datetime | None
    silent: bool
    interfaces: int


@dataclass(frozen=True)
class PoolRow:
    """A pool: how far it is given out, and when it will be."""

    pool: AddressPool
    used: Utilisation
    percent: int
    #: Days until none is left, as it went of late; None for no end in sight.
    days: int | None


def hosts(now: datetime) -> list[HostRow]:
    """Every real gateway, by its short name."""
    rows = list(
        Gateway.objects.exclude(interfaces__simulated=True)
        .annotate(interface_count=Count("interfaces"))
        .order_by("slug")
    )
    seen = queue_seen(rows)
    late = now - timedelta(seconds=LATE_SECONDS)
    return [
        HostRow(row, at, at is not None and at < late, row.interface_count)
        for row in rows
        for at in [seen.get(row.queue)]
    ]


def find_gateway(uuid: UUID) -> Gateway:
    """A real gateway. Raises Http404."""
    found = Gateway.objects.exclude(interfaces__simulated=True).filter(uuid=uuid).first()
    if found is None:
        raise Http404
    return found


def find_interface(uuid: UUID) -> Interface:
    """A real interface with its gateway. Raises Http404."""
    rows = Interface.objects.filter(simulated=False).select_related("gateway")
    found = rows.filter(uuid=uuid).first()
    if found is None:
        raise Http404
    return found


def pools(now: datetime, interface: Interface | None = None) -> list[PoolRow]:
    """The pools of one interface, or all of them: given out so far, and until when they last."""
    rows = AddressPool.objects.filter(interface__simulated=False)
    if interface is not None:
        rows = rows.filter(interface=interface)
    found = list(
        rows.select_related("interface__gateway").order_by(
            "interface__gateway__slug", "interface__name", "family", "network"
        )
    )
    used, came = utilisation(found, at=now), _came(now)
    return [_pool_row(pool, used[pool.pk], came.get(pool.interface_id, 0)) for pool in found]


def _came(now: datetime) -> dict[int, int]:
    """How many more devices each interface has than some time ago."""
    since = now - GROWTH
    rows = Peer.objects.filter(Q(created_at__gte=since) | Q(deleted_at__gte=since)).order_by()
    counted = rows.values_list("interface_id").annotate(
        more=Count("pk", filter=Q(created_at__gte=since)),
        less=Count("pk", filter=Q(deleted_at__gte=since)),
    )
    return {interface: more - less for interface, more, less in counted}


def _pool_row(pool: AddressPool, used: Utilisation, came: int) -> PoolRow:
    gone = pool.size - used.free
    days = None
    if came > 0:
        days = int(max(used.free, 0) * GROWTH.days / came)
    return PoolRow(
        pool,
        used,
        100 * gone // pool.size if pool.size else 100,
        None if days is None or days > _FAR_DAYS else days,
    )
