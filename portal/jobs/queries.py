"""Jobs as lists show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from gateways.models import Job
from portal.status.queries import told_jobs
from portal.status.rows import JobRow
from portal.status.wording import job_row
from portal.windows import Window, window

OPEN = (Job.Status.PENDING, Job.Status.RUNNING)
SHOWS = ("all", "open", "failed", "restarted")


@dataclass(frozen=True)
class Line:
    """A job, and whose it is."""

    row: JobRow
    tenant: str
    slug: str


def jobs(request: HttpRequest, *, show: str, kind: str, tenant: str) -> Window[Job]:
    """A page of the jobs that are asked for, newest first."""
    rows = told_jobs()
    if show == "open":
        rows = rows.filter(status__in=OPEN)
    elif show == "failed":
        rows = rows.filter(status=Job.Status.FAILED)
    elif show == "restarted":
        rows = rows.filter(tier=3)
    if kind:
        rows = rows.filter(kind=kind)
    if tenant:
        rows = rows.filter(tenant__slug=tenant)
    return window(rows, request)


def lines(rows: list[Job], now: datetime) -> list[Line]:
    """The jobs (of `jobs`) in words."""
    return [
        Line(
            job_row(row, vars(row)["where"] or "", vars(row)["worst"] or "", now),
            row.tenant.name if row.tenant else "",
            row.tenant.slug if row.tenant else "",
        )
        for row in rows
    ]


def open_jobs() -> int:
    """How many are open."""
    return _real().filter(status__in=OPEN).count()


def _real() -> QuerySet[Job]:
    return Job.objects.filter(Q(tenant=None) | Q(tenant__sandbox_of=None))
