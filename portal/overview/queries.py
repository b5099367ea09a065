"""What an operator's home reads: a constant number of queries, whatever there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, Min, Q, QuerySet, Sum

from audit.models import AuditEvent
from audit.queries import events
from gateways.models import AddressPool, Gateway, Job, JobItem
from gateways.queries import expected_queues, late_queues
from gateways.schedule import Standing, standings
from peers.models import Client
from peers.pools import Utilisation, utilisation
from portal.overview.rows import Machinery, TenantRow, Work
from portal.status.queries import LATE_SECONDS, Counts
from quotas.models import LedgerSegment, TenantUsage
from resellers.pools import pool_of, used_in_period
from resellers.queries import tenants_with_usage
from tenants.models import Tenant
from tenants.prepared import Prepared

QUARTER: Final = timedelta(minutes=15)
#: How many of the newest jobs, and of the newest changes, are looked at.
LATELY: Final = 1000
TIMED: Final = 200
HICCUP_S: Final = 30.0
CHANGES: Final = 8
TENANTS: Final = 6
#: Less than this of a quarter of an hour is no average of anything.
_LEAST_S: Final = 60.0


def quarter_of(at: datetime) -> datetime:
    """When the quarter of an hour began."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def _moved(began: datetime) -> QuerySet[LedgerSegment, Any]:
    rows = LedgerSegment.objects.filter(rolled_up=False, quarter__gte=began).order_by()
    return rows.values_list("interface__uuid", "interface__observed_at").annotate(
        up=Sum(F("to_rx") - F("from_rx")), down=Sum(F("to_tx") - F("from_tx"))
    )


_MOVED: Final = Prepared(_moved, datetime)


def speeds(now: datetime) -> dict[UUID, int]:
    """Bits a second by interface, on average since this quarter of an hour began, when it was last
    read: between two readings nothing is known to have changed.
    """
    began = quarter_of(now)
    found: dict[UUID, int] = {}
    for interface, read_at, up, down in _MOVED(began):
        seconds = (min(read_at or now, now) - began).total_seconds()
        if interface is not None:
            found[interface] = int(8 * (up + down) / max(seconds, _LEAST_S))
    return found


_WAITING: Final = Prepared(
    lambda: (
        Job.objects.filter(status__in=["pending", "running"])
        .order_by()
        .values_list("status")
        .annotate(open=Count("pk"), oldest_at=Min("created_at"))
    )
)
_TROUBLED: Final = Prepared(
    lambda day: Job.objects.filter(
        Q(tier=3) | Q(status="failed", finished_at__gte=day),
        pk__in=Job.objects.order_by("-pk").values("pk")[:LATELY],
    ).values_list("tier", "status", "finished_at"),
    datetime,
)
_LASTED: Final = Prepared(
    lambda: (
        JobItem.objects.filter(status=JobItem.Status.DONE.value, duration_ms__isnull=False)
        .order_by("-pk")
        .values_list("duration_ms")[:TIMED]
    )
)


def work(now: datetime) -> Work:
    """How jobs go."""
    waiting = _WAITING()
    day = now - timedelta(days=1)
    found = _TROUBLED(day)
    times = sorted(float(one or 0) for (one,) in _LASTED())
    return Work(
        open=sum(count for _, count, _ in waiting),
        oldest_at=min((oldest for _, _, oldest in waiting), default=None),
        median_ms=median(times) if times else None,
        slowest_ms=times[min(len(times) - 1, int(len(times) * 0.99))] if times else None,
        restarts=sum(tier == 3 for tier, _, _ in found),
        failed=sum(
            status == Job.Status.FAILED and at is not None and at >= day for _, status, at in found
        ),
    )


@dataclass(frozen=True)
class Clockwork:
    """What runs by itself."""

    queues: list[str]
    silent: list[str]
    jobs: list[Standing]

    @property
    def late(self) -> list[Standing]:
        """Those that need somebody: what a moment delayed is on time again before one looks."""
        return [one for one in self.jobs if one.late and one.age_seconds > HICCUP_S]

    @property
    def machinery(self) -> Machinery:
        return Machinery(
            workers=len(self.queues),
            answering=len(self.queues) - len(self.silent),
            scheduled=len(self.jobs),
            late=len(self.late),
        )


def clockwork(now: datetime) -> Clockwork:
    """The workers that there must be, those that are silent, and the schedule."""
    queues = expected_queues()
    late = late_queues(at=now, after=timedelta(seconds=LATE_SECONDS), queues=queues)
    return Clockwork(queues, [one["queue"] for one in late], standings())


_POOLS: Final = Prepared(
    lambda: (
        AddressPool.objects.filter(interface__simulated=False)
        .select_related("interface", "gateway")
        .order_by("gateway__slug", "interface__name", "family")
    )
)
_PLACES: Final = Prepared(
    lambda: Gateway.objects.exclude(location="").values_list("slug", "location")
)


def places() -> dict[str, str]:
    """Where the gateways stand, of those that say so."""
    return dict(_PLACES())


def pools(now: datetime) -> list[tuple[AddressPool, Utilisation]]:
    """Every real gateway's pools with how far they are given out."""
    rows = _POOLS()
    found = utilisation(rows, at=now)
    return [(row, found[row.pk]) for row in rows]


def tenants(by_tenant: Mapping[int, Counts], now: datetime) -> tuple[TenantRow, ...]:
    """The resellers that used most in their period, and the number of clients of each."""
    rows = tenants_with_usage().filter(sandbox_of=None)
    told = [(row, getattr(row, "usage", None) or TenantUsage(tenant=row)) for row in rows]
    told.sort(key=lambda pair: (-sum(used_in_period(pair[1])), pair[0].name))
    told = told[:TENANTS]
    owned = Client.objects.filter(
        tenant__in=[row.pk for row, _ in told], deleted_at__isnull=True
    ).order_by()
    clients = Counter(dict(owned.values_list("tenant").annotate(n=Count("pk"))))
    return tuple(
        tenant_row(row, usage, clients[row.pk], by_tenant.get(row.pk, Counts()).online, now)
        for row, usage in told
    )


def tenant_row(
    tenant: Tenant, usage: TenantUsage, clients: int, online: int, now: datetime
) -> TenantRow:
    """A reseller as tables show it."""
    pool = pool_of(tenant, usage)
    return TenantRow(
        slug=tenant.slug,
        name=tenant.name,
        status=tenant.status,
        clients=clients,
        online=online,
        used=sum(used_in_period(usage)),
        limit=pool.limit,
        percent=None if pool.percent is None else min(pool.percent, 100),
        passed=passed(usage, now),
    )


def passed(usage: TenantUsage, now: datetime) -> int | None:
    """The share of the period that has gone by, in percent; None for one without an end."""
    if usage.period_began_at is None or usage.period_ends_at is None:
        return None
    whole = (usage.period_ends_at - usage.period_began_at).total_seconds()
    gone = (now - usage.period_began_at).total_seconds()
    return max(0, min(100, int(100 * gone / whole))) if whole > 0 else None


def count_tenants() -> int:
    """The resellers that are served."""
    return Tenant.objects.filter(sandbox_of=None, status=Tenant.Status.ACTIVE).count()


_STOPPED: Final = Prepared(
    lambda: (
        Tenant.objects.filter(
            usage__stopped_since__isnull=False, sandbox_of=None, status=Tenant.Status.ACTIVE.value
        )
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
)


def stopped() -> int:
    """The resellers whose pool is used up."""
    return sum(count for _, count in _STOPPED())


def changes() -> list[AuditEvent]:
    """The last things that were done."""
    return list(events(None).order_by("-pk")[:CHANGES])
