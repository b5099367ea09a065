"""Claiming open items of an interface and settling them: the life of the outbox.

Rule 1: claim and settle under the interface's host lock; only so is an item worked on once.
Rule 2: an item is settled by ``status = open``; a second settling of the same item does nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, QuerySet

from control.many import Update, db_time
from gateways.models import Interface, Job, JobItem
from gateways.progress import note_progress

CLAIM_LIMIT = 2000
#: What one job gets of a claim: two full `wg set`.
JOB_SHARE = 400
#: From this many items on, a job shows as running while it is.
SHOW_RUNNING = 20
_LONGEST_DELAY_S = 10.0
_MANY_OPEN = 200
_BOOT_FILE_WAITS = timedelta(seconds=10)


_OPEN = (
    "SELECT id, job_id, peer_id, public_key, action, attempts FROM ("
    "SELECT id, job_id, peer_id, public_key, action, attempts,"
    " ROW_NUMBER() OVER (PARTITION BY job_id ORDER BY id) AS place FROM gateways_jobitem"
    " WHERE interface_id = %s AND status = 'open' AND due_at <= %s) AS due"
    " WHERE place <= %s ORDER BY id LIMIT %s"
)


_SETTLE = Update(
    "gateways_jobitem",
    "status = {status}, tier = {tier}, message = {message}, duration_ms = {duration},"
    " settled_at = {at}, attempts = attempts + 1",
    "id = {item} AND status = 'open'",
    {
        "status": "text", "tier": "smallint", "message": "text", "duration": "float8",
        "at": "timestamptz", "item": "bigint",
    },
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How one item ended."""

    item_id: int
    job_id: int
    ok: bool
    tier: int | None
    message: str


class Item(NamedTuple):
    """An open item as it was claimed."""

    pk: int
    job_id: int
    peer_id: int | None
    public_key: str
    action: str
    attempts: int


def claim(
    interface_id: int, *, at: datetime, limit: int = CLAIM_LIMIT, share: int = JOB_SHARE
) -> list[Item]:
    """Open items of the interface that are due, oldest first, of one job at most ``share``.

    So a job of one item waits for a part of a job of 10,000, never for all of it. Plain SQL, as
    all of the way from a hint to `wg set`: writing the statement anew costs the ORM more than the
    database takes to answer it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [interface_id, db_time(at), share, limit])
        items = [Item(*record) for record in cursor.fetchall()]
    if len(items) >= SHOW_RUNNING:
        mark_running({item.job_id for item in items}, at=at)
    return items


def mark_running(job_ids: Collection[int], *, at: datetime) -> None:
    """Say that these jobs have begun."""
    jobs = Job.objects.filter(status=Job.Status.PENDING)
    with transaction.atomic():
        Job.objects.filter(pk__in=_held(jobs.filter(pk__in=job_ids))).update(
            status=Job.Status.RUNNING, started_at=at
        )


def settle(outcomes: Sequence[Outcome], *, started_at: datetime, at: datetime) -> None:
    """Close items, count them in their jobs, and finish the jobs of which none is open.

    Runs in the caller's transaction, together with the applied state it reports. Plain SQL: it is
    on the way of every change, and one claim may settle hundreds of jobs.
    """
    if not outcomes:
        return
    duration = (at - started_at).total_seconds() * 1000
    with connection.cursor() as cursor:
        _SETTLE.run(
            cursor,
            [
                (
                    JobItem.Status.DONE if outcome.ok else JobItem.Status.FAILED,
                    outcome.tier,
                    outcome.message[:500],
                    duration,
                    db_time(at),
                    outcome.item_id,
                )
                for outcome in outcomes
            ],
        )
    note_progress([outcome.job_id for outcome in outcomes], started_at=started_at, at=at)


def postpone(items: Sequence[Item], *, reason: str, at: datetime, least_s: float = 0.0) -> None:
    """Leave items open for a later try: 0.5 s, doubled each time, at most 10 s (or ``least_s``)."""
    by_delay: dict[float, list[int]] = {}
    for item in items:
        delay = max(min(0.5 * 2 ** min(item.attempts, 10), _LONGEST_DELAY_S), least_s)
        by_delay.setdefault(delay, []).append(item.pk)
    jobs = Job.objects.filter(pk__in={item.job_id for item in items}, finished_at=None)
    for delay, ids in by_delay.items():
        JobItem.objects.filter(pk__in=ids, status=JobItem.Status.OPEN).update(
            attempts=F("attempts") + 1, due_at=at + timedelta(seconds=delay), message=reason[:500]
        )
    with transaction.atomic():
        Job.objects.filter(pk__in=_held(jobs)).update(message=f"Waits: {reason}"[:500])


def _held(jobs: QuerySet[Job]) -> list[int]:
    """The keys of these jobs, locked in their order: workers of two gateways share jobs."""
    locked = jobs.order_by("pk").select_for_update(no_key=True)
    return list(locked.values_list("pk", flat=True))


def hurry(interface_id: int, *, at: datetime) -> None:
    """What waits for this interface is due now: the operator has done what it waited for."""
    JobItem.objects.filter(interface_id=interface_id, status=JobItem.Status.OPEN).update(due_at=at)


def overdue_interfaces(*, at: datetime) -> list[int]:
    """Interfaces with open items that are due: their hint was lost, or a retry's time has come."""
    return list(
        JobItem.objects.filter(status=JobItem.Status.OPEN, due_at__lte=at)
        .order_by()
        .values_list("interface_id", flat=True)
        .distinct()
    )


def stale_boot_files(*, at: datetime) -> list[int]:
    """Interfaces whose boot file is older than their rows, and is to be written now.

    While hundreds of changes are under way it would be old again before it is written, and to
    write it keeps a worker from them: then every 10 s is enough.
    """
    behind = Interface.objects.filter(boot_dirty_since__isnull=False, simulated=False)
    return [
        pk
        for pk, since in behind.values_list("pk", "boot_dirty_since")
        if since is None or since <= at - _BOOT_FILE_WAITS or not _is_busy(pk)
    ]


def _is_busy(interface_id: int) -> bool:
    items = JobItem.objects.filter(interface_id=interface_id, status=JobItem.Status.OPEN)
    return items.order_by()[:_MANY_OPEN].count() == _MANY_OPEN
