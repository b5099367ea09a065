"""How far jobs have come: counting their items, and finishing those of which none is open."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from gateways.models import Job

#: The founding document's sentence; only where it is what happened.
UNDISTURBED: Final = "Applied server config successfully without disrupting active connections"
NOTHING: Final = "There was nothing to apply."
SANDBOX: Final = "Sandbox: nothing reaches an interface."

_PROGRESS = (
    "UPDATE gateways_job SET status = 'running', done = %s, failed = %s, tier = %s,"
    " started_at = COALESCE(started_at, %s) WHERE id = %s"
)
_FINISH = "UPDATE gateways_job SET status = %s, finished_at = %s, message = %s WHERE id = %s"


class Tally(NamedTuple):
    """How far a job is. ``reason``: of the first item that failed, in the order of the texts."""

    job_id: int
    total: int
    done: int
    failed: int
    tier: int | None
    reason: str | None
    #: Items that reach no interface (a sandbox's).
    simulated: int


def note_progress(job_ids: Iterable[int], *, started_at: datetime, at: datetime) -> None:
    """Count the settled items of these jobs, and finish the jobs of which none is open.

    Plain SQL, in the caller's transaction: it is on the way of every change, and one claim may
    settle hundreds of jobs.
    """
    begin, now = (connection.ops.adapt_datetimefield_value(one) for one in (started_at, at))
    with connection.cursor() as cursor:
        tallies = _count(cursor, job_ids)
        cursor.executemany(
            _PROGRESS, [(one.done, one.failed, one.tier, begin, one.job_id) for one in tallies]
        )
        cursor.executemany(
            _FINISH,
            [
                (
                    Job.Status.FAILED if one.failed else Job.Status.SUCCEEDED,
                    now,
                    _summary(one),
                    one.job_id,
                )
                for one in tallies
                if one.done >= one.total
            ],
        )


def _count(cursor: Any, job_ids: Iterable[int]) -> list[Tally]:
    """Count the items of these jobs that are not finished.

    The jobs' rows are locked first: workers of two gateways that settle the last two items of one
    job at a time would each see the other's still open, and nobody would finish it.
    """
    ids = sorted(set(job_ids))
    lock = " FOR NO KEY UPDATE" if connection.features.has_select_for_update else ""
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
        " MIN(CASE WHEN status = 'failed' THEN message END),"
        " SUM(CASE WHEN message = %s THEN 1 ELSE 0 END)"
        f" FROM gateways_jobitem WHERE job_id IN ({_marks(totals)}) GROUP BY job_id",
        [SANDBOX, *totals],
    )
    counted = {job_id: numbers for job_id, *numbers in cursor.fetchall()}
    return [
        Tally(job_id, total, *counted.get(job_id, (0, 0, None, None, 0)))
        for job_id, total in totals.items()
    ]


def _marks(values: Collection[int]) -> str:
    return ", ".join(["%s"] * len(values))


def _summary(job: Tally) -> str:
    if job.failed:
        rest = f"; the other {job.total - job.failed} are live" if job.total > job.failed else ""
        return f"{job.failed} of {job.total} failed: {job.reason}{rest}"
    if not job.total:
        return NOTHING
    if job.simulated == job.total:
        return SANDBOX
    if job.tier == 3:
        return "Applied by restarting the interface"
    if job.tier == 2:
        return "Applied by synchronising the whole interface"
    return UNDISTURBED
