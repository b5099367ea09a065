"""Periods of clients: dated when what was sold begins, and rolled on when they are over.

A reset moves the base of the period's bytes, and no counter; what was topped up is gone with it.
Whoever was stopped or slowed down at his limit is free at once; other holds stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q

from peers.models import Client
from peers.services.changes import ease_limits
from peers.services.mass import BATCH, Row, lock_clients, note, release_many, tenants_of
from peers.services.sales import count_renewed
from quotas.models import Hold, Plan, Usage
from quotas.periods import Period, first_period, next_period
from quotas.policies import QUOTA
from quotas.services import lock_usages
from quotas.spans import known_zone

#: What a reset leaves of a period, beside its dates.
RESET: Final[dict[str, Any]] = {
    "period": F("period") + 1,
    "base_up": F("billed_up"),
    "base_down": F("billed_down"),
    "extra_bytes": 0,
    "throttled_since": None,
    "warned_percent": 0,
}


def zone_of(client: Client) -> tzinfo:
    """Where its tenant lives."""
    return known_zone(client.tenant.timezone)


def period_of(client: Client, *, at: datetime) -> Period | None:
    """The first period of what was sold to a client, at this moment; None while it waits for its
    first handshake, or has none.
    """
    if client.reset == Plan.Reset.NONE or client.starts_at is None:
        return None
    return first_period(client.reset, start=client.starts_at, zone=zone_of(client), at=at)


def date_periods(clients: Sequence[Client], *, at: datetime) -> None:
    """Write the first periods of clients who begin now, and whose rows the caller holds."""
    dated = [(client, period) for client in clients if (period := period_of(client, at=at))]
    if not dated:
        return
    lock_usages({client.pk: client.tenant_id for client, _ in dated})
    for period, ids in _alike((period, client.pk) for client, period in dated):
        Usage.objects.filter(client__in=ids).update(**_dates(period))


def roll_periods(*, at: datetime) -> int:
    """Begin the next period of every client whose period is over; how many did."""
    due = Usage.objects.filter(period_ends_at__lte=at, client__deleted_at__isnull=True)
    ids = sorted(due.values_list("client", flat=True))  # in SQL, SQLite would walk everybody
    return sum(_roll(ids[begin : begin + BATCH], at) for begin in range(0, len(ids), BATCH))


@transaction.atomic
def _roll(ids: Sequence[int], at: datetime) -> int:
    rows = {row.id: row for row in lock_clients(ids)}
    usages = {
        pk: usage
        for pk, usage in lock_usages(tenants_of(rows)).items()
        if usage.period_ends_at is not None and usage.period_ends_at <= at
    }
    found = Client.objects.filter(pk__in=usages).exclude(next_plan_when=Client.NextPlan.PERIOD)
    columns = found.values_list("pk", "reset", "starts_at", "tenant__timezone")
    follow = [
        (_following(usages[pk], reset, start, known_zone(zone), at), pk)
        for pk, reset, start, zone in columns
    ]
    for period, alike in _alike(follow):
        Usage.objects.filter(client__in=alike).update(**RESET, **_dates(period))
    back = [pk for _, pk in follow]
    ease_limits(back)
    slow = [rows[pk] for pk in back if usages[pk].throttled_since is not None]
    if slow:
        note(slow, action="client.unthrottled", at=at)
    release(rows, back, action="client.quota_restored", at=at)
    count_renewed(back)
    return len(follow)


def release(rows: dict[int, Row], ids: Collection[int], *, action: str, at: datetime) -> None:
    """Close the holds for used up bytes of those of these clients that have one."""
    held = Hold.objects.filter(client__in=ids, reason=QUOTA, closed_at__isnull=True)
    if free := [rows[pk] for pk in held.order_by("client").values_list("client_id", flat=True)]:
        release_many(free, reason=QUOTA, action=action, at=at)


def _following(
    usage: Usage, reset: str, start: datetime | None, zone: tzinfo, at: datetime
) -> Period:
    ended_at = usage.period_ends_at or at
    start = start or usage.period_began_at or ended_at
    return next_period(reset, start=start, zone=zone, ended_at=ended_at, at=at)


def _dates(period: Period) -> dict[str, datetime | None]:
    return {"period_began_at": period.began_at, "period_ends_at": period.ends_at}


def _alike(found: Iterable[tuple[Period, int]]) -> Iterable[tuple[Period, list[int]]]:
    """The clients of each period: by the calendar those of a tenant have one and the same."""
    groups: defaultdict[Period, list[int]] = defaultdict(list)
    for period, pk in found:
        groups[period].append(pk)
    return groups.items()


def date_strays(*, at: datetime) -> int:
    """Date the periods of clients that should have some and have none: a backup, an older release.

    Returns how many.
    """
    rows = Client.objects.filter(
        ~Q(reset=Plan.Reset.NONE),
        Q(usage__isnull=True) | Q(usage__period_ends_at__isnull=True),
        starts_at__isnull=False,
        deleted_at__isnull=True,
    )
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for begin in range(0, len(ids), BATCH):
        with transaction.atomic():
            locked = [row.id for row in lock_clients(ids[begin : begin + BATCH])]
            clients = rows.filter(pk__in=locked).select_related("tenant")
            date_periods(list(clients), at=at)
    return len(ids)
