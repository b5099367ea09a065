"""The outbox: jobs and their items, written in the transaction of the change they apply.

A job row says "something must be applied"; the rows of the peers say what. Jobs are never merged
here: two transactions that lean on one row can lose a change. They are merged when claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from gateways.hints import publisher
from gateways.models import Interface, Job, JobItem


@dataclass(frozen=True)
class Wish:
    """One thing to bring about on one interface."""

    interface_id: int
    peer_id: int | None = None
    public_key: str = ""
    action: str = JobItem.Action.PEER
    #: The gateway's queue, where the caller knows it: spares a look-up after the commit.
    queue: str = ""


def enqueue(
    *,
    kind: str,
    tenant_id: int | None,
    actor_name: str,
    wishes: Iterable[Wish],
    at: datetime,
    due_at: datetime | None = None,
    message: str = "",
) -> Job:
    """Write a job with one item per wish; after the commit the gateways' workers are told.

    A job without wishes is finished at once: there was nothing to apply.
    """
    items = list(wishes)
    job = Job.objects.create(
        kind=kind,
        tenant_id=tenant_id,
        actor_name=actor_name[:150],
        total=len(items),
        message=message,
        status=Job.Status.PENDING if items else Job.Status.SUCCEEDED,
        finished_at=None if items else at,
    )
    JobItem.objects.bulk_create(
        (
            JobItem(
                job=job,
                interface_id=wish.interface_id,
                peer_id=wish.peer_id,
                public_key=wish.public_key,
                action=wish.action,
                due_at=due_at or at,
            )
            for wish in items
        ),
        batch_size=500,
    )
    if items and due_at is None:
        queues = {wish.interface_id: wish.queue for wish in items}

        def hint() -> None:  # no partial: Django asks a robust one that failed for its name
            _ring_for(queues)

        # Robust: the change is stored, so a hint that fails must not look like its failure.
        transaction.on_commit(hint, robust=True)
    return job


def _ring_for(queues: Mapping[int, str]) -> None:
    for interface_id, queue in queues.items():
        if queue:
            publisher.ring(interface_id=interface_id, queue=queue)
    if unknown := [interface_id for interface_id, queue in queues.items() if not queue]:
        ring(unknown)


def ring(interface_ids: Iterable[int]) -> None:
    """Hint to the workers of these interfaces' gateways that items are open. Never blocks."""
    rows = Interface.objects.filter(pk__in=set(interface_ids)).values_list("pk", "gateway__slug")
    for interface_id, slug in rows:
        publisher.ring(interface_id=interface_id, queue=f"gateway.{slug}")
