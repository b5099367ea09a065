"""Reading gateways: jobs that a caller may see, queues that are silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from django.db.models import QuerySet

from gateways.models import Gateway, Heartbeat, Job, JobItem
from rest.errors import Missing
from tenants.scoping import Caller

CONTROL_QUEUE = "control"


class Late(TypedDict):
    """A queue whose worker is silent; both facts are None when it was never heard of."""

    queue: str
    seen_at: str | None
    age_seconds: int | None


def visible_jobs(caller: Caller) -> QuerySet[Job]:
    """The jobs a caller may see: the tenant's own, every one for an operator."""
    rows = Job.objects.all()
    return rows if caller.operator else rows.filter(tenant_id=caller.tenant_id)


def get_job(caller: Caller, job_id: UUID) -> Job:
    """One job. Raises Missing, for another tenant's as for one that never was."""
    job = visible_jobs(caller).filter(uuid=job_id).first()
    if job is None:
        raise Missing("Not found.")
    return job


def items_of(job: Job) -> QuerySet[JobItem]:
    """A job's items with what their description needs, in one query."""
    return job.items.select_related("interface", "peer__client").order_by("pk")


def expected_queues() -> list[str]:
    """The queues that need a worker: the control queue, and each gateway in use."""
    gateways = Gateway.objects.filter(interfaces__enabled=True).distinct().order_by("slug")
    return [CONTROL_QUEUE, *(gateway.queue for gateway in gateways)]


def late_queues(*, at: datetime, after: timedelta) -> list[Late]:
    """The expected queues that were not heard of for longer than ``after``."""
    seen = dict(Heartbeat.objects.values_list("queue", "seen_at"))
    late: list[Late] = []
    for queue in expected_queues():
        moment = seen.get(queue)
        if moment is None:
            late.append({"queue": queue, "seen_at": None, "age_seconds": None})
        elif at - moment > after:
            age = int((at - moment).total_seconds())
            late.append({"queue": queue, "seen_at": moment.isoformat(), "age_seconds": age})
    return late
