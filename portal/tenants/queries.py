"""Resellers as the operator's pages show them: a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404

from peers.models import Client, Peer
from peers.queries import ONLINE_WITHIN
from portal.overview.queries import passed, tenant_row
from portal.overview.rows import TenantRow
from quotas.models import Hold, TenantUsage
from resellers.pools import Pool, pool_of
from resellers.queries import tenants, tenants_with_usage
from resellers.statements import tenant_usage
from tenants.models import Membership, Tenant

SHOWS: Final = ("all", "active", "suspended", "closed", "stopped")
_LIVE: Final = Q(deleted_at__isnull=True)


@dataclass(frozen=True)
class Standing:
    """How a reseller stands: what it has, what is on, what it used."""

    clients: int
    on: int
    devices: int
    online: int
    pool: Pool
    passed: int | None
    usage: TenantUsage


def listed(*, show: str, words: str) -> QuerySet[Tenant]:
    """The resellers of a view, with what was counted for them."""
    rows = tenants_with_usage().filter(sandbox_of=None)
    if show == "stopped":
        rows = rows.filter(usage__stopped_since__isnull=False)
    elif show != "all":
        rows = rows.filter(status=show)
    if words:
        rows = rows.filter(
            Q(name__icontains=words) | Q(slug__icontains=words) | Q(contact_email__icontains=words)
        )
    return rows


def receivers(gives: Tenant) -> list[Tenant]:
    """The resellers that a client of this one can be handed over to, by name."""
    rows = Tenant.objects.defer("brand_logo").filter(sandbox_of=None).exclude(pk=gives.pk)
    return list(rows.exclude(status=Tenant.Status.CLOSED).order_by("name", "pk"))


def tallies() -> dict[str, int]:
    """How many resellers each view has."""
    rows = Tenant.objects.filter(sandbox_of=None)
    found = rows.aggregate(
        all=Count("pk"),
        active=Count("pk", filter=Q(status="active")),
        suspended=Count("pk", filter=Q(status="suspended")),
        closed=Count("pk", filter=Q(status="closed")),
        stopped=Count("pk", filter=Q(usage__stopped_since__isnull=False)),
    )
    return dict(found)


def told(rows: Collection[Tenant], now: datetime) -> list[TenantRow]:
    """These resellers with their clients and who is online, in two queries."""
    ids = [row.pk for row in rows]
    clients = _counted(Client.objects.filter(_LIVE, tenant__in=ids))
    online = _counted(Peer.objects.filter(_online(now), tenant__in=ids))
    return [
        tenant_row(
            row,
            getattr(row, "usage", None) or TenantUsage(tenant=row),
            clients.get(row.pk, 0),
            online.get(row.pk, 0),
            now,
        )
        for row in rows
    ]


def _counted(rows: QuerySet[Client] | QuerySet[Peer]) -> dict[int, int]:
    return dict(rows.order_by().values_list("tenant").annotate(n=Count("pk")))


def _online(now: datetime) -> Q:
    return _LIVE & Q(
        observed_present=True, blocked=False, last_handshake_at__gte=now - ONLINE_WITHIN
    )


def find(slug: str) -> Tenant:
    """One reseller. Raises Http404."""
    found = tenants().filter(slug=slug, sandbox_of=None).first()
    if found is None:
        raise Http404
    return found


def standing(tenant: Tenant, now: datetime) -> Standing:
    """How this reseller stands."""
    usage = tenant_usage(tenant)
    held = Hold.objects.filter(client=OuterRef("pk"), closed_at__isnull=True)
    found = Client.objects.filter(_LIVE, tenant=tenant).aggregate(
        clients=Count("pk"), on=Count("pk", filter=~Exists(held))
    )
    devices = Peer.objects.filter(_LIVE, tenant=tenant).aggregate(
        devices=Count("pk"), online=Count("pk", filter=_online(now))
    )
    return Standing(
        **found, **devices, pool=pool_of(tenant, usage), passed=passed(usage, now), usage=usage
    )


def members(tenant: Tenant) -> list[Membership]:
    """Who may act for the reseller, oldest first."""
    rows = Membership.objects.filter(tenant=tenant).select_related("user")
    return list(rows.order_by("pk"))


def resumed(tenant: Tenant) -> int:
    """How many clients are off for the reseller's suspension alone: those come back with it."""
    others = Hold.objects.filter(client=OuterRef("pk"), closed_at__isnull=True).exclude(
        reason=Hold.Reason.TENANT_SUSPENDED
    )
    suspended = Hold.objects.filter(
        client=OuterRef("pk"), closed_at__isnull=True, reason=Hold.Reason.TENANT_SUSPENDED
    )
    rows = Client.objects.filter(_LIVE, tenant=tenant)
    return rows.filter(Exists(suspended)).exclude(Exists(others)).count()
