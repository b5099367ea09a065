"""Reading gateways: jobs that a caller may see, queues that are silent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, TypedDict
from uuid import UUID

from django.db.models import QuerySet

from gateways.models import Gateway, GlobalSetting, Heartbeat, Interface, Job, JobItem, WakeHost
from rest.errors import Invalid, Missing
from tenants.prepared import Prepared
from tenants.scoping import Caller

CONTROL_QUEUE = "control"


class Late(TypedDict):
    """A queue whose worker is silent; both facts are None when it was never heard of."""

    queue: str
    seen_at: str | None
    age_seconds: int | None


def find_gateway(gateway_id: UUID, *, lock: bool = False) -> Gateway:
    """One gateway; with ``lock`` its row is held till the transaction ends. Raises Missing."""
    rows = Gateway.objects.all()
    found = (rows.select_for_update(no_key=True) if lock else rows).filter(uuid=gateway_id).first()
    if found is None:
        raise Missing("There is no such gateway.")
    return found


def named_gateway(name: str, *, field: str) -> Gateway:
    """The gateway of that slug or id. Raises Invalid."""
    rows = Gateway.objects.filter(slug=name)
    with suppress(ValueError):
        rows = Gateway.objects.filter(uuid=UUID(name))
    found = rows.first()
    if found is None:
        raise Invalid("There is no such gateway.", field=field, code="gateway_unknown")
    return found


def lock_interface(interface_id: UUID) -> Interface:
    """One interface with its gateway; its row is held till the end of the transaction.

    An operator's look-up: it asks for no tenant. Raises Missing.
    """
    rows = Interface.objects.select_related("gateway").select_for_update(of=("self",), no_key=True)
    found = rows.filter(uuid=interface_id).first()
    if found is None:
        raise Missing("There is no such interface.")
    return found


def find_wake_host(host_id: UUID, *, lock: bool = False) -> WakeHost:
    """One machine that a gateway can wake, with its gateway and its last job; with ``lock`` its row
    is held till the end of the transaction. Raises Missing.
    """
    rows = WakeHost.objects.select_related("gateway", "job")
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    found = rows.filter(uuid=host_id).first()
    if found is None:
        raise Missing("There is no such machine.")
    return found


def global_settings() -> GlobalSetting:
    """The one row of defaults."""
    return GlobalSetting.objects.get(pk=1)


def queue_seen(gateways: Iterable[Gateway]) -> dict[str, datetime]:
    """When the workers of these gateways' queues last answered, by queue."""
    names = [gateway.queue for gateway in gateways]
    return dict(Heartbeat.objects.filter(queue__in=names).values_list("queue", "seen_at"))


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


_IN_USE: Final = Prepared(
    lambda: Gateway.objects.filter(interfaces__enabled=True).distinct().order_by("slug")
)
_HEARD: Final = Prepared(lambda: Heartbeat.objects.values_list("queue", "seen_at"))


def expected_queues() -> list[str]:
    """The queues that need a worker: the control queue, and each gateway in use."""
    return [CONTROL_QUEUE, *(gateway.queue for gateway in _IN_USE())]


def nothing_applies(late: Collection[Late]) -> bool:
    """Whether with these queues silent no change reaches any gateway: the control queue is, or all
    of the others.
    """
    silent = {one["queue"] for one in late}
    if not silent:
        return False
    gateways = set(expected_queues()) - {CONTROL_QUEUE}
    return CONTROL_QUEUE in silent or (bool(gateways) and gateways <= silent)


def late_queues(
    *, at: datetime, after: timedelta, queues: Iterable[str] | None = None
) -> list[Late]:
    """Of the expected queues (``queues``, if they were read already) those that were not heard of
    for longer than ``after``.
    """
    seen = dict(_HEARD())
    late: list[Late] = []
    for queue in expected_queues() if queues is None else queues:
        moment = seen.get(queue)
        if moment is None:
            late.append({"queue": queue, "seen_at": None, "age_seconds": None})
        elif at - moment > after:
            age = int((at - moment).total_seconds())
            late.append({"queue": queue, "seen_at": moment.isoformat(), "age_seconds": age})
    return late
