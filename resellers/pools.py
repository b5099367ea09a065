"""A tenant's pool: bytes of a period that its clients use, or that are sold to them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from quotas.models import TenantUsage
from tenants.models import Tenant


@dataclass(frozen=True)
class Pool:
    """How a pool stands. ``counted`` is what counts against it; a null limit is none."""

    limit: int | None
    counted: int

    @property
    def left(self) -> int | None:
        """What is left of it."""
        return None if self.limit is None else max(self.limit - self.counted, 0)

    @property
    def percent(self) -> int | None:
        """How much of it is gone, rounded down."""
        if self.limit is None:
            return None
        return 100 * self.counted // self.limit if self.limit else 100

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return self.left == 0


def used_in_period(usage: TenantUsage) -> tuple[int, int]:
    """Billed upload and download since the period began."""
    return max(usage.billed_up - usage.base_up, 0), max(usage.billed_down - usage.base_down, 0)


def pool_of(tenant: Tenant, usage: TenantUsage) -> Pool:
    """The tenant's pool, as it counts."""
    sold = tenant.pool_counts == Tenant.PoolCounts.SOLD
    counted = usage.sold_bytes if sold else sum(used_in_period(usage))
    return Pool(tenant.max_bytes_per_period, counted)
