"""Every run of a job of the schedule is written down: when, how long, what it counted, what failed.

One UPDATE after a run, in a transaction of its own, by the database's clock. Whether a job is late
is read from these rows (gateways.schedule). A run that a kill ended leaves nothing: its job is
late soon enough.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.db import Error as AnyDatabaseError
from django.db.models import F
from django.db.models.functions import Now

from gateways import schedule
from gateways.models import ScheduledJob

logger = logging.getLogger("WireGuard")

#: What a run says of itself: numbers by name, or one of what it did.
Counts = Mapping[str, int] | int | None
_LONGEST_ERROR: Final = 500


class Missed(Exception):
    """A run could not do its work, for a reason that is no fault of the code."""


@dataclass
class Run:
    """A run that goes on."""

    counts: dict[str, int] = field(default_factory=dict)


def scheduled(name: str) -> Callable[[Callable[..., Counts]], Callable[..., None]]:
    """Record the runs of a task under this name, that of its entry in the schedule."""

    def decorate(task: Callable[..., Counts]) -> Callable[..., None]:
        @functools.wraps(task)
        def run(**arguments: Any) -> None:
            with recorded(name) as going:
                counts = task(**arguments)
                going.counts |= {"done": counts} if isinstance(counts, int) else dict(counts or {})

        return run

    return decorate


@contextmanager
def recorded(name: str) -> Iterator[Run]:
    """Record what is done inside as a run of this job. `Missed` ends here, other errors go on."""
    run, began = Run(), time.monotonic()
    try:
        yield run
    except Missed as missed:
        _write(name, began, {}, error=str(missed))
    except Exception as error:
        _write(name, began, {}, error=f"{type(error).__name__}: {error}")
        raise
    else:
        _write(name, began, run.counts)


def _write(name: str, began: float, counts: dict[str, int], *, error: str = "") -> None:
    """Safe when the database is away: then nothing is written, and the job is late."""
    took = time.monotonic() - began
    changes: dict[str, Any] = {
        "started_at": Now() - timedelta(seconds=took),
        "duration_ms": round(took * 1000, 3),
        "runs": F("runs") + 1,
    }
    if error:
        line = (error.splitlines() or [""])[0][:_LONGEST_ERROR]
        changes |= {"failures": F("failures") + 1, "failed_at": Now(), "error": line}
    else:
        changes |= {"finished_at": Now(), "counts": counts}
    row = ScheduledJob.objects.filter(name=name)
    try:
        if not row.update(**changes):
            expect()
            row.update(**changes)
    except AnyDatabaseError as trouble:
        logger.warning("WireGuard: a run of %s could not be recorded: %s", name, trouble)


def expect() -> None:
    """Make the rows of the jobs that there must be; drop those of interfaces that are not read."""
    wanted = schedule.expected()
    rows = dict(ScheduledJob.objects.values_list("name", "interval_seconds"))
    ScheduledJob.objects.bulk_create(
        [
            ScheduledJob(name=name, interval_seconds=seconds, since=Now())
            for name, seconds in wanted.items()
            if name not in rows
        ],
        ignore_conflicts=True,
    )
    for name, seconds in wanted.items():
        if rows.get(name, seconds) != seconds:
            ScheduledJob.objects.filter(name=name).update(interval_seconds=seconds)
    schedule.observations().exclude(name__in=wanted).delete()
