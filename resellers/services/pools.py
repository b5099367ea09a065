"""Tenants' pools: their periods, and what stops when they are used up.

Level-triggered and safe to repeat: one query finds the tenants whose row does not say yet what is
so, each is settled in a transaction of its own, and the holds of its clients follow in batches
(`following`), as one recorded act.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q

from audit.events import SYSTEM, Actor, record
from gateways.models import Job
from quotas.models import TenantUsage
from quotas.periods import Period, next_period, period_at
from quotas.spans import known_zone
from quotas.thresholds import percent_to_tell
from resellers.pools import Pool, pool_of
from resellers.queries import stopped_tenants, with_pool
from resellers.services.following import announce_following
from tenants.accounts import tenant_target
from tenants.models import Tenant

#: What a new period begins with, beside its dates.
_ANEW: Final[Mapping[str, Any]] = {
    "period": F("period") + 1,
    "base_up": F("billed_up"),
    "base_down": F("billed_down"),
    "sold_bytes": 0,
    "warned_percent": 0,
}
#: What of a tenant says when its periods begin and end.
DATING: Final = frozenset({"pool_reset", "timezone"})
#: What of a tenant says how its pool stands.
POOLING: Final = DATING | {"max_bytes_per_period", "pool_counts", "pool_stops"}


def settle_pools(*, at: datetime) -> int:
    """Begin the periods that are due, stop those whose pool is used up, let the others go on; how
    many tenants that concerned.
    """
    ids = list(_astray(at).order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        _settle_one(pk, at)
    return len(ids)


def _astray(at: datetime) -> Any:
    """Tenants whose row does not say what is so."""
    undated = Q(usage__isnull=False, usage__period_began_at__isnull=True)
    unmade = Q(usage__isnull=True, max_bytes_per_period__isnull=False)
    over = Q(usage__period_ends_at__lte=at)
    stops = Q(is_empty=True, usage__stopped_since__isnull=True)
    goes_on = Q(is_empty=False, usage__stopped_since__isnull=False)
    return with_pool().filter(undated | unmade | over | stops | goes_on)


@transaction.atomic
def _settle_one(tenant_id: int, at: datetime) -> None:
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
    settle_pool(tenant=tenant, actor=SYSTEM, at=at)


def warn_pools(*, at: datetime) -> int:
    """Tell of pools that are nearly used up, once for each threshold; how many."""
    found = with_pool().filter(max_bytes_per_period__isnull=False, usage__isnull=False)
    found = found.select_related("usage").defer("brand_logo").order_by("pk")
    news = [tenant.pk for tenant in found if _to_tell(tenant) != _usage(tenant).warned_percent]
    return sum(_tell(pk) for pk in news)


@transaction.atomic
def _tell(tenant_id: int) -> bool:
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
    usage = _locked(tenant)
    tenant.usage = usage
    told, now, pool = usage.warned_percent, _to_tell(tenant), pool_of(tenant, usage)
    TenantUsage.objects.filter(pk=usage.pk).update(warned_percent=now)
    if now > told:
        _note(tenant, "pool_warning", pool, SYSTEM, percent=now)
    return now > told


def _to_tell(tenant: Tenant) -> int:
    usage = _usage(tenant)
    percent = pool_of(tenant, usage).percent
    return percent_to_tell(percent, tenant.warn_percents, usage.warned_percent)


def _usage(tenant: Tenant) -> TenantUsage:
    usage: TenantUsage = tenant.usage
    return usage


def follow_change(
    *, tenant: Tenant, changed: Mapping[str, Any], actor: Actor, at: datetime
) -> None:
    """After an edit of the tenant, whose row the caller holds: what it means for its pool."""
    if POOLING & changed.keys():
        redate = bool(DATING & changed.keys())
        settle_pool(tenant=tenant, actor=actor, at=at, redate=redate, edited=True)


def settle_pool(
    *, tenant: Tenant, actor: Actor, at: datetime, redate: bool = False, edited: bool = False
) -> None:
    """Bring the row of one tenant, whose own row the caller holds, to what is so.

    No client is touched: theirs are locked before this row, so their holds follow later.
    """
    usage = _locked(tenant)
    _date(tenant, usage, at, redate=redate)
    usage.refresh_from_db()
    pool, was_empty = pool_of(tenant, usage), usage.stopped_since is not None
    if pool.is_empty != was_empty:
        since = at if pool.is_empty else None
        TenantUsage.objects.filter(pk=usage.pk).update(stopped_since=since)
        _note(tenant, "pool_stopped" if since else "pool_resumed", pool, actor)
    # After an edit another question may have the same answer, or the same question another one.
    stops = tenant.pool_stops == Tenant.PoolStops.ALL
    if (stops and pool.is_empty != was_empty) or (edited and was_empty):
        _follow(tenant, actor)


def _locked(tenant: Tenant) -> TenantUsage:
    TenantUsage.objects.get_or_create(tenant=tenant)
    return TenantUsage.objects.select_for_update(no_key=True).get(pk=tenant.pk)


def _date(tenant: Tenant, usage: TenantUsage, at: datetime, *, redate: bool) -> None:
    """Date the tenant's period, or begin the next one when it is over."""
    rows = TenantUsage.objects.filter(pk=usage.pk)
    zone = known_zone(tenant.timezone)
    start = usage.period_began_at or tenant.created_at
    if usage.period_began_at is None:
        rows.update(**_dates(period_at(tenant.pool_reset, start=start, zone=zone, at=at)))
    elif usage.period_ends_at is not None and usage.period_ends_at <= at:
        following = next_period(
            tenant.pool_reset, start=start, zone=zone, ended_at=usage.period_ends_at, at=at
        )
        rows.update(**_ANEW, **_dates(following))
    elif redate:  # the running one goes on, and ends when the calendar says now
        running = period_at(tenant.pool_reset, start=start, zone=zone, at=at)
        rows.update(period_ends_at=running.ends_at)


def _dates(period: Period) -> dict[str, datetime | None]:
    return {"period_began_at": period.began_at, "period_ends_at": period.ends_at}


def _note(tenant: Tenant, verb: str, pool: Pool, actor: Actor, **more: Any) -> None:
    record(
        actor=actor,
        action=f"tenant.{verb}",
        target=tenant_target(tenant),
        after={
            "counts": tenant.pool_counts,
            "stops": tenant.pool_stops,
            "limit_bytes": pool.limit,
            "counted_bytes": pool.counted,
            **more,
        },
    )


def _follow(tenant: Tenant, actor: Actor) -> None:
    holds = stopped_tenants().filter(pk=tenant.pk).exists()
    announce_following(
        kind=Job.Kind.SUSPEND if holds else Job.Kind.RESUME,
        tenant_id=tenant.pk,
        actor_name=actor.name,
        blocks=holds,
    )
