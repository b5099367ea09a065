"""The jobs of the schedule: which there must be, when each last ran, and which are late.

Ages are told by the database's clock, which wrote the rows: a host whose clock is wrong neither
raises an alarm nor hides one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from gateways.models import Interface, ScheduledJob
from tenants.prepared import Prepared

#: Intervals without a finished run after which a job is late.
LATE_AFTER: Final = 3
_OBSERVE: Final = "observe:"


@dataclass(frozen=True)
class Standing:
    """How one job stands. ``age_seconds``: since its last finished run, or since it must run."""

    job: ScheduledJob
    age_seconds: float

    @property
    def late(self) -> bool:
        """Whether it has not finished for three intervals."""
        return self.age_seconds > LATE_AFTER * self.job.interval_seconds


@dataclass(frozen=True)
class Numbers:
    """What a monitor draws of one job. The first two are None when it never ran."""

    seconds_since_finished: float | None
    duration_seconds: float | None
    interval_seconds: float
    runs: int
    failures: int
    late: bool


def observation(slug: str, name: str) -> str:
    """The name of the job that reads one interface: each gateway's worker does its own."""
    return f"{_OBSERVE}{slug}/{name}"


def observations() -> QuerySet[ScheduledJob]:
    """The rows of the jobs that read an interface each."""
    return ScheduledJob.objects.filter(name__startswith=_OBSERVE)


_READ: Final = Prepared(
    lambda: Interface.objects.filter(enabled=True, simulated=False).values_list(
        "gateway__slug", "name"
    )
)


def expected() -> dict[str, float]:
    """The seconds between two runs of every job that there must be, by its name."""
    entries: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    return {name: _seconds(entry["schedule"]) for name, entry in entries.items()} | {
        observation(slug, name): float(settings.VWG_OBSERVE_SECONDS) for slug, name in _READ()
    }


def jobs(names: Collection[str] | None = None) -> QuerySet[ScheduledJob]:
    """The rows of the jobs that there must be; each knows the time by the database: ``read_at``."""
    wanted = expected() if names is None else names
    return ScheduledJob.objects.filter(name__in=wanted).annotate(read_at=Now())


_BY_NAME: Final = Prepared(lambda names: jobs(names).order_by("name"), [str])


def standings(rows: Iterable[ScheduledJob] | None = None) -> list[Standing]:
    """How these jobs stand (rows of `jobs`), or all of them by name."""
    return [_standing(row) for row in (_BY_NAME(list(expected())) if rows is None else rows)]


def late_jobs() -> list[Standing]:
    """The jobs that are late."""
    return [one for one in standings() if one.late]


def numbers() -> dict[str, Numbers]:
    """What a monitor draws, by the job's name."""
    return {
        one.job.name: Numbers(
            one.age_seconds if one.job.finished_at else None,
            None if one.job.duration_ms is None else one.job.duration_ms / 1000,
            one.job.interval_seconds,
            one.job.runs,
            one.job.failures,
            one.late,
        )
        for one in standings()
    }


def _standing(row: ScheduledJob) -> Standing:
    read_at = row.read_at  # type: ignore[attr-defined]  # annotated by `jobs`
    return Standing(row, (read_at - (row.finished_at or row.since)).total_seconds())


def _seconds(interval: float | timedelta) -> float:
    return interval.total_seconds() if isinstance(interval, timedelta) else float(interval)
