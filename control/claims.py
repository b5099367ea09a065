"""Claiming open items of an interface and settling them: the life of the outbox.

Rule 1: claim and settle under the interface's host lock; only so is an item worked on once.
Rule 2: an item is settled by ``status = open``; a second settling of the same item does nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F

from control.presence import db_time
from gateways.models import Job, JobItem

CLAIM_LIMIT = 2000
#: From this many items on, a job shows as running while it is.
SHOW_RUNNING = 20
_LONGEST_DELAY_S = 10.0


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


def claim(interface_id: int, *, at: datetime, limit: int = CLAIM_LIMIT) -> list[Item]:
    """All open items of the interface that are due, oldest first.

    Plain SQL, as all of the way from a hint to `wg set`: writing the statement anew costs the ORM
    more than the database takes to answer it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, job_id, peer_id, public_key, action, attempts FROM gateways_jobitem"
            " WHERE interface_id = %s AND status = 'open' AND due_at <= %s ORDER BY id LIMIT %s",
            [interface_id, db_time(at), limit],
        )
        items = [Item(*record) for record in cursor.fetchall()]
    if len(items) >= SHOW_RUNNING:
        mark_running({item.job_id for item in items}, at=at)
    return items


def mark_running(job_ids: Collection[int], *, at: datetime) -> None:
    """Say that these jobs have begun."""
    Job.objects.filter(pk__in=job_ids, status=Job.Status.PENDING).update(
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
        cursor.executemany(
            "UPDATE gateways_jobitem SET status = %s, tier = %s, message = %s, duration_ms = %s,"
            " settled_at = %s, attempts = attempts + 1 WHERE id = %s AND status = 'open'",
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
        tallies = _count(cursor, [outcome.job_id for outcome in outcomes])
        cursor.executemany(
            _PROGRESS,
            [(one.done, one.failed, one.tier, db_time(started_at), one.job_id) for one in tallies],
        )
        cursor.executemany(
            "UPDATE gateways_job SET status = %s, finished_at = %s, message = %s WHERE id = %s",
            [
                (
                    Job.Status.FAILED if one.failed else Job.Status.SUCCEEDED,
                    db_time(at),
                    _summary(one),
                    one.job_id,
                )
                for one in tallies
                if one.done >= one.total
            ],
        )


_PROGRESS = (
    "UPDATE gateways_job SET status = 'running', done = %s, failed = %s, tier = %s,"
    " started_at = COALESCE(started_at, %s) WHERE id = %s"
)


class Tally(NamedTuple):
    """How far a job is. ``reason``: of the first item that failed, in the order of the texts."""

    job_id: int
    total: int
    done: int
    failed: int
    tier: int | None
    reason: str | None


def _count(cursor: Any, job_ids: Iterable[int]) -> list[Tally]:
    """Count the items of these jobs that are not finished.

    The jobs' rows are locked first: workers of two gateways that settle the last two items of one
    job at a time would each see the other's still open, and nobody would finish it.
    """
    ids = sorted(set(job_ids))
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    cursor.execute(
        f"SELECT id, total FROM gateways_job WHERE id IN ({_marks(ids)})"  # noqa: S608  marks only
        f" AND finished_at IS NULL ORDER BY id{lock}",
        ids,
    )
    totals = dict(cursor.fetchall())
    if not totals:
        return []
    cursor.execute(
        "SELECT job_id, SUM(CASE WHEN status = 'open' THEN 0 ELSE 1 END),"  # noqa: S608
        " SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END), MAX(tier),"
        " MIN(CASE WHEN status = 'failed' THEN message END)"
        f" FROM gateways_jobitem WHERE job_id IN ({_marks(totals)}) GROUP BY job_id",
        list(totals),
    )
    return [Tally(job_id, totals[job_id], *counted) for job_id, *counted in cursor.fetchall()]


def _marks(values: Collection[int]) -> str:
    return ", ".join(["%s"] * len(values))


#: The founding document's sentence; only where it is what happened.
UNDISTURBED = "Applied server config successfully without disrupting active connections"


def _summary(job: Tally) -> str:
    if job.failed:
        rest = f"; the other {job.total - job.failed} are live" if job.total > job.failed else ""
        return f"{job.failed} of {job.total} failed: {job.reason}{rest}"
    if job.tier == 3:
        return "Applied by restarting the interface"
    if job.tier == 2:
        return "Applied by synchronising the whole interface"
    return UNDISTURBED


def postpone(items: Sequence[Item], *, reason: str, at: datetime, least_s: float = 0.0) -> None:
    """Leave items open for a later try: 0.5 s, doubled each time, at most 10 s (or ``least_s``)."""
    by_delay: dict[float, list[int]] = {}
    for item in items:
        delay = max(min(0.5 * 2 ** min(item.attempts, 10), _LONGEST_DELAY_S), least_s)
        by_delay.setdefault(delay, []).append(item.pk)
    for delay, ids in by_delay.items():
        JobItem.objects.filter(pk__in=ids, status=JobItem.Status.OPEN).update(
            attempts=F("attempts") + 1, due_at=at + timedelta(seconds=delay), message=reason[:500]
        )
    Job.objects.filter(pk__in={item.job_id for item in items}, finished_at=None).update(
        message=f"Waits: {reason}"[:500]
    )


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
