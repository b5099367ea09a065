"""Claiming open items of an interface and settling them: the life of the outbox.

Rule 1: claim and settle under the interface's host lock; only so is an item worked on once.
Rule 2: an item is settled by ``status = open``; a second settling of the same item does nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, F, Max, Min, Q

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
    ok: bool
    tier: int | None
    message: str


def claim(interface_id: int, *, at: datetime, limit: int = CLAIM_LIMIT) -> list[JobItem]:
    """All open items of the interface that are due, oldest first."""
    items = list(
        JobItem.objects.filter(
            interface_id=interface_id, status=JobItem.Status.OPEN, due_at__lte=at
        ).order_by("pk")[:limit]
    )
    if len(items) >= SHOW_RUNNING:
        mark_running({item.job_id for item in items}, at=at)
    return items


def mark_running(job_ids: Collection[int], *, at: datetime) -> None:
    """Say that these jobs have begun."""
    Job.objects.filter(pk__in=job_ids, status=Job.Status.PENDING).update(
        status=Job.Status.RUNNING, started_at=at
    )


def settle(outcomes: Sequence[Outcome], *, started_at: datetime, at: datetime) -> list[Job]:
    """Close items and count them in their jobs; returns the jobs that are finished by it.

    Runs in the caller's transaction, together with the applied state it reports.
    """
    if not outcomes:
        return []
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
    job_ids = set(
        JobItem.objects.filter(pk__in=[outcome.item_id for outcome in outcomes]).values_list(
            "job_id", flat=True
        )
    )
    return _count(job_ids, started_at=started_at, at=at)


def _count(job_ids: Iterable[int], *, started_at: datetime, at: datetime) -> list[Job]:
    finished: list[Job] = []
    jobs = (
        Job.objects.filter(pk__in=job_ids, finished_at=None)
        .annotate(
            settled=Count("items", filter=~Q(items__status=JobItem.Status.OPEN)),
            refused=Count("items", filter=Q(items__status=JobItem.Status.FAILED)),
            highest=Max("items__tier"),
            reason=Min("items__message", filter=Q(items__status=JobItem.Status.FAILED)),
        )
        .order_by("pk")
    )
    for job in jobs:
        _tally(job, started_at=started_at, at=at)
        if job.finished_at is not None:
            finished.append(job)
    return finished


def _tally(job: Job, *, started_at: datetime, at: datetime) -> None:
    settled, refused = job.settled, job.refused  # type: ignore[attr-defined]
    job.done, job.failed, job.tier = settled, refused, job.highest  # type: ignore[attr-defined]
    job.started_at = job.started_at or started_at
    job.status = Job.Status.RUNNING
    if settled >= job.total:
        job.finished_at = at
        job.status = Job.Status.FAILED if refused else Job.Status.SUCCEEDED
        job.message = _summary(job, reason=job.reason)  # type: ignore[attr-defined]
    job.save(
        update_fields=["done", "failed", "tier", "started_at", "status", "finished_at", "message"]
    )


#: The founding document's sentence; only where it is what happened.
UNDISTURBED = "Applied server config successfully without disrupting active connections"


def _summary(job: Job, *, reason: str | None) -> str:
    if job.failed:
        rest = f"; the other {job.total - job.failed} are live" if job.total > job.failed else ""
        return f"{job.failed} of {job.total} failed: {reason}{rest}"
    if job.tier == 3:
        return "Applied by restarting the interface"
    if job.tier == 2:
        return "Applied by synchronising the whole interface"
    return UNDISTURBED


def postpone(items: Sequence[JobItem], *, reason: str, at: datetime) -> None:
    """Leave items open for a later try: 0.5 s, doubled each time, at most 10 s."""
    by_delay: dict[float, list[int]] = {}
    for item in items:
        delay = min(0.5 * 2 ** min(item.attempts, 10), _LONGEST_DELAY_S)
        by_delay.setdefault(delay, []).append(item.pk)
    for delay, ids in by_delay.items():
        JobItem.objects.filter(pk__in=ids, status=JobItem.Status.OPEN).update(
            attempts=F("attempts") + 1, due_at=at + timedelta(seconds=delay), message=reason[:500]
        )
    Job.objects.filter(pk__in={item.job_id for item in items}, finished_at=None).update(
        message=f"Waits: {reason}"[:500]
    )


def overdue_interfaces(*, at: datetime) -> list[int]:
    """Interfaces with open items that are due: their hint was lost, or a retry's time has come."""
    return list(
        JobItem.objects.filter(status=JobItem.Status.OPEN, due_at__lte=at)
        .order_by()
        .values_list("interface_id", flat=True)
        .distinct()
    )
