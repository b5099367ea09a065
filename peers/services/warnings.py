"""Warnings: a client nears the limit of its bytes, or its end. Events, once for each threshold.

Set-based: one query finds the clients of whom something else is to be told than was, whatever
their number; each batch of them locks and looks again (`quotas.thresholds` decides).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from audit.events import SYSTEM, record_all
from audit.models import AuditEvent
from peers.models import Client
from peers.services.changes import act
from peers.services.mass import BATCH, lock_clients, tenants_of
from quotas.balance import balance
from quotas.models import Usage
from quotas.services import lock_usages, save_usages
from quotas.thresholds import SLACK, SLACK_TIME, days_to_tell, percent_to_tell
from quotas.verdicts import DOWN, UP
from tenants.models import Tenant


class Thresholds(NamedTuple):
    """When a tenant's people are told: percent of a quota, and days before an end."""

    percents: tuple[int, ...]
    days: tuple[int, ...]


_Tell = Callable[[Client, Usage, Thresholds, datetime], AuditEvent | None]


def warn_clients(*, at: datetime) -> dict[str, int]:
    """Tell of clients whose bytes or days run out; how many events of each kind."""
    told = {"quota": 0, "expiry": 0}
    for thresholds, tenants in _groups().items():
        known = dict.fromkeys(tenants, thresholds)
        told["quota"] += _tell_all(_near_limit(thresholds, tenants), known, _tell_quota, at)
        told["expiry"] += _tell_all(_near_end(thresholds, tenants, at), known, _tell_end, at)
    return told


def _groups() -> dict[Thresholds, list[int]]:
    """The tenants of each set of thresholds; most have the usual ones."""
    found: defaultdict[Thresholds, list[int]] = defaultdict(list)
    rows = Tenant.objects.order_by("pk").values_list("pk", "warn_percents", "warn_days")
    for pk, percents, days in rows:
        found[Thresholds(tuple(sorted(percents)), tuple(sorted(days)))].append(pk)
    return found


# -- Who may have to be told ---------------------------------------------------------------------


def _near_limit(thresholds: Thresholds, tenants: Sequence[int]) -> list[int]:
    """Clients of whom another threshold counts than the one that was told."""
    told, kept = (_level(thresholds.percents, slack=slack) for slack in (0, SLACK))
    over, lowest = _reaches(100), _reaches(min(thresholds.percents, default=100))
    news = f"{told} > u.warned_percent AND NOT {over}"
    changes = f"u.warned_percent > 0 AND {kept} < u.warned_percent OR {lowest} AND {news}"
    return _ids(
        "SELECT u.client_id FROM quotas_usage u JOIN peers_client c ON c.id = u.client_id"  # noqa: S608  numbers of ours
        f" WHERE c.deleted_at IS NULL AND ({changes}) AND {_of(tenants)} ORDER BY u.client_id",
        tenants,
    )


def _level(percents: Sequence[int], *, slack: int) -> str:
    """The highest threshold that is reached, but for some points; 0 for none."""
    cases = " ".join(f"WHEN {_reaches(one - slack)} THEN {one}" for one in reversed(percents))
    return f"(CASE {cases} ELSE 0 END)" if cases else "0"


def _reaches(percent: int) -> str:
    """Whether so much of the nearest limit is used. By fractions: a product may overflow."""
    limit, *apart = (
        f"CAST({name} AS double precision) * {percent / 100:.2f}"
        for name in ("c.quota_bytes", "c.upload_quota_bytes", "c.download_quota_bytes")
    )
    extra = f"CAST(u.extra_bytes AS double precision) * {percent / 100:.2f}"
    pairs = ((f"{UP} + {DOWN}", f"{limit} + {extra}"), (UP, apart[0]), (DOWN, apart[1]))
    return f"({' OR '.join(f'COALESCE({used} >= {most}, FALSE)' for used, most in pairs)})"


def _near_end(thresholds: Thresholds, tenants: Sequence[int], at: datetime) -> list[int]:
    """Clients of whom another number of days counts than the one that was told."""
    untold, off = Q(), Q(expires_at__isnull=True)
    for days in thresholds.days:
        edge = at + timedelta(days=days)
        fewer = Q(usage__warned_days__isnull=True) | Q(usage__warned_days__gt=days)
        untold |= Q(fewer, expires_at__lte=edge)
        off |= Q(usage__warned_days__lte=days, expires_at__gt=edge + SLACK_TIME)
    clients = Client.objects.filter(tenant__in=tenants, deleted_at__isnull=True)
    last = at + timedelta(days=max(thresholds.days, default=0))
    # Each has an index of its own: of ends, and of those who were told.
    near = clients.filter(untold, expires_at__gt=at, expires_at__lte=last)
    told = clients.filter(off, usage__warned_days__isnull=False)
    return sorted({pk for rows in (near, told) for pk in rows.values_list("pk", flat=True)})


def _of(tenants: Sequence[int]) -> str:
    if connection.vendor == "postgresql":
        return "u.tenant_id = ANY(%s)"
    return f"u.tenant_id IN ({', '.join(['%s'] * len(tenants))})"


def _ids(sql: str, tenants: Sequence[int]) -> list[int]:
    values: Any = [list(tenants)] if connection.vendor == "postgresql" else list(tenants)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [pk for (pk,) in cursor.fetchall()]


# -- Telling -------------------------------------------------------------------------------------


def _tell_all(
    ids: Sequence[int], known: Mapping[int, Thresholds], tell: _Tell, at: datetime
) -> int:
    return sum(_tell_some(batch, known, tell, at) for batch in _batches(ids))


@transaction.atomic
def _tell_some(
    ids: Collection[int], known: Mapping[int, Thresholds], tell: _Tell, at: datetime
) -> int:
    """Look again under the locks, write what counts as told, and tell what is news."""
    rows = {row.id: row for row in lock_clients(ids)}
    usages = lock_usages(tenants_of(rows))
    events = [
        event
        for client in Client.objects.filter(pk__in=rows).order_by("pk")
        if client.tenant_id in known
        and (event := tell(client, usages[client.pk], known[client.tenant_id], at))
    ]
    fields = ("warned_percent", "warned_days")
    save_usages([(usages[pk], fields) for pk in sorted(rows)])
    record_all(events)
    return len(events)


def _tell_quota(
    client: Client, usage: Usage, thresholds: Thresholds, at: datetime
) -> AuditEvent | None:
    now, told = balance(client, usage), usage.warned_percent
    usage.warned_percent = percent_to_tell(now.percent, thresholds.percents, told)
    if usage.warned_percent <= told:
        return None
    after = {
        "percent": usage.warned_percent,
        "used_bytes": now.used,
        "left_bytes": now.left,
        "period": usage.period,
    }
    return act(client=client, actor=SYSTEM, action="client.quota_warning", after=after)


def _tell_end(
    client: Client, usage: Usage, thresholds: Thresholds, at: datetime
) -> AuditEvent | None:
    told = usage.warned_days
    usage.warned_days = days = days_to_tell(client.expires_at, thresholds.days, told, at)
    if days is None or (told is not None and days >= told):
        return None
    after = {"days": days, "expires_at": client.expires_at}
    return act(client=client, actor=SYSTEM, action="client.expiry_warning", after=after)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[begin : begin + BATCH] for begin in range(0, len(ids), BATCH))
