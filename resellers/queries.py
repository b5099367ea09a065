"""Reading tenants and what belongs to them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.db.models import Case, F, Prefetch, Q, QuerySet, When
from django.db.models.functions import Coalesce

from gateways.models import AddressPool, Interface
from peers.models import Client, Peer
from rest.errors import Missing
from tenants.models import ApiToken, Tenant
from tenants.scoping import Caller

NO_TENANT: Final = "There is no such tenant."


def tenants() -> QuerySet[Tenant]:
    """Every tenant with what its description needs, in three queries; without its logo."""
    return (
        Tenant.objects.defer("brand_logo")
        .select_related("sandbox_of")
        .prefetch_related(
            Prefetch("interfaces", Interface.objects.only("uuid").order_by("pk")),
            Prefetch("pools", AddressPool.objects.only("uuid").order_by("pk")),
        )
    )


def tenants_with_usage() -> QuerySet[Tenant]:
    """Every tenant with what was counted for it, in one query."""
    return Tenant.objects.defer("brand_logo").select_related("usage")


def stopped_tenants() -> QuerySet[Tenant]:
    """The tenants whose clients are all held, since their pool is used up."""
    return Tenant.objects.filter(
        max_bytes_per_period__isnull=False,
        pool_counts=Tenant.PoolCounts.USED,
        pool_stops=Tenant.PoolStops.ALL,
        usage__stopped_since__isnull=False,
    )


def with_pool() -> QuerySet[Tenant]:
    """Every tenant with ``counted`` bytes, and whether its pool ``is_empty``."""
    used = F("usage__billed_up") + F("usage__billed_down")
    used = used - F("usage__base_up") - F("usage__base_down")
    sold = When(pool_counts=Tenant.PoolCounts.SOLD, then=F("usage__sold_bytes"))
    rows = Tenant.objects.annotate(counted=Coalesce(Case(sold, default=used), 0))
    return rows.annotate(
        is_empty=Case(When(counted__gte=F("max_bytes_per_period"), then=True), default=False)
    )


def find_tenant(tenant_id: UUID) -> Tenant:
    """One tenant, for operators. Raises `Missing`."""
    found = tenants().filter(uuid=tenant_id).first()
    if found is None:
        raise Missing(NO_TENANT)
    return found


def tenant_in_full(tenant: Tenant) -> Tenant:
    """The acting tenant as `tenants` reads it (a caller's has a few columns alone)."""
    return tenants().get(pk=tenant.pk)


def visible_tokens(caller: Caller) -> QuerySet[ApiToken]:
    """The tokens of the acting tenant and of its sandbox; operators' tokens to operators alone."""
    rows = ApiToken.objects.select_related("tenant", "user").defer("tenant__brand_logo")
    rows = rows.filter(Q(tenant_id=caller.tenant_id) | Q(tenant__sandbox_of=caller.tenant_id))
    return rows if caller.operator else rows.filter(operator=False)


def used(tenant: Tenant) -> dict[str, int]:
    """How much of its limits the tenant uses: clients and devices that are not deleted."""
    own: Any = {"tenant_id": tenant.pk, "deleted_at__isnull": True}
    return {
        "clients": Client.objects.filter(**own).count(),
        "devices": Peer.objects.filter(**own).count(),
    }


def find_interfaces(ids: Collection[UUID]) -> list[Interface]:
    """The interfaces of these ids; fewer when some are unknown."""
    return list(Interface.objects.filter(uuid__in=ids).order_by("pk"))


def find_pools(ids: Collection[UUID]) -> list[AddressPool]:
    """The pools of these ids; fewer when some are unknown."""
    return list(AddressPool.objects.filter(uuid__in=ids).order_by("pk"))
