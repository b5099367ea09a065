"""Trying again what failed: an operator's act, once its cause is gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.events import Actor, Target, record, record_each
from gateways.models import Job, JobItem
from gateways.outbox import Wish, enqueue
from gateways.queries import get_job
from peers.models import Peer
from rest.errors import Conflict, Missing
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


@transaction.atomic
def retry_quarantined(*, actor: Actor, peer_ids: Collection[UUID], at: datetime) -> Job:
    """Let these devices out of quarantine, and try them again in one job.

    Those that are in none any more are left out. Raises `Missing` when that is all of them.
    """
    rows = Peer.objects.filter(uuid__in=peer_ids).exclude(quarantine_reason="")
    peers = list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))
    if not peers:
        raise Missing("None of these is in quarantine.")
    names = dict(rows.values_list("pk", "client__name"))
    tenants = {peer.tenant_id for peer in peers}
    rows.update(quarantine_reason="")
    job = enqueue(
        kind=Job.Kind.UPDATE,
        tenant_id=tenants.pop() if len(tenants) == 1 else None,
        actor_name=actor.name,
        wishes=[Wish(peer.interface_id, peer.pk, peer.public_key) for peer in peers],
        at=at,
    )
    record_each(
        actor=actor,
        action="peer.retried",
        targets=[
            Target("peer", str(peer.uuid), names.get(peer.pk, ""), peer.tenant_id) for peer in peers
        ],
        after={"job": str(job.uuid)},
    )
    return job
