"""What ends by the clock: expiry with its grace, a start that was missed, and clients that are
deleted some days after their end.

Safe to run twice, late and side by side: each batch locks its clients and looks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from audit.events import SYSTEM
from gateways.models import Job
from peers.models import Client
from peers.services.changes import tell_of
from peers.services.clockwork import all_due, due_ids
from peers.services.entitlement import standings
from peers.services.mass import BATCH, hold_many, lock_clients
from peers.services.removal import deletion, undelete_time
from peers.services.sales import count_sales
from peers.services.steps import Step, write_steps
from quotas.policies import EXPIRED
from quotas.verdicts import conditions, ended, missed_start

#: Deletions of one transaction: each takes devices off their interfaces.
DELETIONS: Final = 100
_HELD: Final = (
    "EXISTS (SELECT 1 FROM quotas_hold h WHERE h.client_id = c.id AND h.reason = 'expired'"
    " AND h.closed_at IS NULL)"
)


def expire_due(*, at: datetime, since: datetime | None) -> int:
    """Hold the clients whose end, grace included, has come or who missed their start; how many.

    Raises `ClockDoubted` (`peers.services.clockwork`).
    """
    condition = f"{conditions(connection.vendor)[EXPIRED]} AND NOT {_HELD}"
    return all_due(condition, _expire, size=BATCH, at=at, since=since)


def delete_ended(*, at: datetime, since: datetime | None) -> int:
    """Delete the clients whose end lies as many days back as their terms say; how many.

    Each is held for its end already, and can be brought back as any other that was deleted.
    Raises `ClockDoubted`.
    """
    # In 64 bits: the seconds of 36,500 days are more than PostgreSQL's integer holds.
    days, vendor = "c.delete_after_days * CAST(86400 AS bigint)", connection.vendor
    over = f"({ended(vendor, seconds=days)} OR {missed_start(vendor, seconds=days)})"
    condition = f"c.delete_after_days IS NOT NULL AND {over} AND {_HELD}"
    return all_due(condition, _delete, size=DELETIONS, at=at, since=since)


@transaction.atomic
def _expire(ids: Sequence[int], condition: str, at: datetime) -> int:
    rows = {row.id: row for row in lock_clients(ids)}
    still = [rows[pk] for pk in due_ids(condition, at, list(rows))]
    if still:
        hold_many(still, reason=EXPIRED, action="client.expired", at=at)
    return len(still)


@transaction.atomic
def _delete(ids: Sequence[int], condition: str, at: datetime) -> int:
    still = due_ids(condition, at, [row.id for row in lock_clients(ids)])
    clients = list(Client.objects.filter(pk__in=still).select_related("plan").order_by("pk"))
    keeps = undelete_time()
    steps = [deletion(standing, keeps=keeps, at=at) for standing in standings(clients)]
    write_for_all(steps, kind=Job.Kind.DELETE, at=at)
    return len(steps)


def write_for_all(steps: Sequence[Step], *, kind: str, at: datetime) -> None:
    """Write steps that time brought about, with one job for each tenant."""
    write_steps(steps, actor=SYSTEM, at=at)
    told: dict[int, list[Any]] = {}
    for step in steps:
        told.setdefault(step.client.tenant_id, []).extend(step.peers)
    for tenant_id, peers in sorted(told.items()):
        if peers:
            tell_of(tenant_id=tenant_id, kind=kind, actor=SYSTEM, peers=peers, at=at)
    count_sales(steps, refuses=False)
