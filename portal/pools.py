"""How a tenant's pool stands, and how far it will reach at this pace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from resellers.pools import Pool, pool_of, used_in_period
from resellers.statements import tenant_usage
from tenants.models import Tenant


@dataclass(frozen=True)
class PoolStanding:
    """``down`` and ``up`` are billed bytes of the period; ``passed`` the percent of it gone by.
    ``lasts_until`` is when the pool is used up at the period's pace, None where it lasts.
    """

    pool: Pool
    down: int
    up: int
    began_at: datetime | None
    ends_at: datetime | None
    passed: int | None
    lasts_until: datetime | None
    counts_sold: bool

    @property
    def percent(self) -> int:
        """How much of the pool is gone, at most 100."""
        return min(self.pool.percent or 0, 100)


def standing_of(tenant: Tenant, at: datetime) -> PoolStanding:
    """The pool of this tenant now. Two rows are read."""
    full = Tenant.objects.defer("brand_logo").get(pk=tenant.pk)
    usage = tenant_usage(full)
    pool = pool_of(full, usage)
    up, down = used_in_period(usage)
    began, ends = usage.period_began_at, usage.period_ends_at
    return PoolStanding(
        pool=pool,
        down=down,
        up=up,
        began_at=began,
        ends_at=ends,
        passed=passed(began, ends, at),
        lasts_until=lasts_until(pool, began, ends, at),
        counts_sold=full.pool_counts == Tenant.PoolCounts.SOLD,
    )


def passed(began: datetime | None, ends: datetime | None, at: datetime) -> int | None:
    """The percent of the period that is over."""
    if began is None or ends is None or ends <= began:
        return None
    return max(0, min(100, round(100 * (at - began) / (ends - began))))


def lasts_until(
    pool: Pool, began: datetime | None, ends: datetime | None, at: datetime
) -> datetime | None:
    """When the pool is used up at the pace of the period so far; None if its end comes first."""
    if pool.limit is None or began is None or pool.is_empty or at <= began or not pool.counted:
        return None
    seconds = (at - began).total_seconds() * pool.limit / pool.counted
    if seconds > timedelta(days=3650).total_seconds():
        return None
    over = began + timedelta(seconds=seconds)
    return None if ends is not None and over >= ends else over
