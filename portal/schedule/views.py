"""What runs by the clock: when it last ran, what it counted, when it runs next, what is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gateways.models import ScheduledJob
from gateways.schedule import Standing, standings
from portal.doors import operators_only
from portal.polls import answer
from portal.schedule.wording import title

#: Of what runs more often than this nobody asks when it does next.
FAR = timedelta(minutes=1)


@dataclass(frozen=True)
class Line:
    """A job of the schedule as the table shows it."""

    job: ScheduledJob
    title: str
    late: bool
    failing: bool
    next_at: datetime | None
    counts: str


@require_GET
@operators_only()
def schedule(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "schedule/schedule.html", _context(request))


@require_GET
@operators_only()
def live(request: HttpRequest) -> HttpResponse:
    """The table's live part."""
    return answer(request, "schedule/live.html", _context(request))


def _context(request: HttpRequest) -> dict[str, object]:
    found = standings()
    late = [one for one in found if one.late]
    only_late = request.GET.get("late") == "1"
    return {
        "lines": [_line(one) for one in (late if only_late else found)],
        "late": len(late),
        "failing": sum(_fails(one.job) for one in found),
        "total": len(found),
        "only_late": only_late,
    }


def _line(standing: Standing) -> Line:
    job = standing.job
    interval = timedelta(seconds=job.interval_seconds)
    counts = ", ".join(f"{name} {value}" for name, value in sorted(job.counts.items()) if value)
    return Line(
        job=job,
        title=title(job.name),
        late=standing.late,
        failing=_fails(job),
        next_at=job.started_at + interval if job.started_at and interval >= FAR else None,
        counts=counts,
    )


def _fails(job: ScheduledJob) -> bool:
    """Whether its last run failed."""
    if job.failed_at is None:
        return False
    return job.finished_at is None or job.failed_at > job.finished_at
