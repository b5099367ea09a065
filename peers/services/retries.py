"""Trying again what failed: an operator's act, once its cause is gone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.events import Target, record
from gateways.models import Job, JobItem
from gateways.outbox import Wish, enqueue
from gateways.queries import get_job
from peers.models import Peer
from rest.errors import Conflict
from tenants.scoping import Caller


@transaction.atomic
def retry_job(*, caller: Caller, job_id: UUID, at: datetime) -> Job:
    """Make a job of the failed items of a job; what was quarantined with them is let out.

    An item whose device is gone meanwhile has nothing left to do. Raises `Missing`, and
    `Conflict` (``nothing_failed``, ``job_unfinished``).
    """
    job = get_job(caller, job_id)
    if job.finished_at is None:
        raise Conflict("The job is not finished.", code="job_unfinished")
    failed = list(job.items.filter(status=JobItem.Status.FAILED).order_by("pk"))
    if not failed:
        raise Conflict("Nothing of this job failed.", code="nothing_failed")
    peers = [item.peer_id for item in failed if item.peer_id is not None]
    for start in range(0, len(peers), 500):
        Peer.objects.filter(pk__in=peers[start : start + 500]).exclude(quarantine_reason="").update(
            quarantine_reason=""
        )
    retried = enqueue(
        kind=job.kind,
        tenant_id=job.tenant_id,
        actor_name=caller.actor.name,
        wishes=[
            Wish(item.interface_id, item.peer_id, item.public_key, item.action)
            for item in failed
            if item.peer_id is not None or item.action != JobItem.Action.PEER
        ],
        at=at,
    )
    record(
        actor=caller.actor,
        action="job.retried",
        target=Target("job", str(job.uuid), str(job), job.tenant_id),
        after={"job": str(retried.uuid), "items": retried.total},
    )
    return retried
