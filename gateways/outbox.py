"""The outbox: jobs and their items, written in the transaction of the change they apply.

A job row says "something must be applied"; the rows of the peers say what. Jobs of different
transactions are never merged here: two that lean on one row can lose a change. They are merged
when claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F

from audit.inserts import Inserts
from gateways.hints import publisher
from gateways.models import Interface, Job, JobItem
from gateways.progress import NOTHING, SANDBOX, note_progress
from tenants.writes import Insert

_NEW_JOB: Final = Insert(Job)
_NEW_ITEM: Final = Insert(JobItem)


@dataclass(frozen=True)
class Wish:
    """One thing to bring about on one interface."""

    interface_id: int
    peer_id: int | None = None
    public_key: str = ""
    action: str = JobItem.Action.PEER
    #: The gateway's queue, where the caller knows it: spares a look-up after the commit.
    queue: str = ""
    #: Whether the interface is a sandbox's, where the caller knows it: spares a look-up.
    simulated: bool | None = None


def enqueue(
    *,
    kind: str,
    tenant_id: int | None,
    actor_name: str,
    wishes: Iterable[Wish],
    at: datetime,
    due_at: datetime | None = None,
) -> Job:
    """Write a job with one item per wish; after the commit the gateways' workers are told.

    A job without wishes is finished at once: there was nothing to apply. So is one whose wishes
    are all for simulated interfaces.
    """
    items = list(wishes)
    simulated = _simulated(items)
    is_open = len(simulated) < len(items)
    job = Job(
        kind=kind,
        tenant_id=tenant_id,
        actor_name=actor_name[:150],
        total=len(items),
        done=len(simulated),
        message="" if is_open else SANDBOX if items else NOTHING,
        status=Job.Status.PENDING if is_open else Job.Status.SUCCEEDED,
        finished_at=None if is_open else at,
    )
    _NEW_JOB(job)
    if not is_open:  # the row was made after ``at``, and nothing ends before it begins
        job.finished_at = job.created_at
        Job.objects.filter(pk=job.pk).update(finished_at=job.created_at)
    _write_items(job.pk, items, simulated, at=at, due_at=due_at)
    return job


def enqueue_each(
    *, kind: str, actor_name: str, wishes: Mapping[int, Sequence[Wish]], at: datetime
) -> None:
    """`enqueue` for each of these tenants, in a few statements."""
    everything = [wish for items in wishes.values() for wish in items]
    if _simulated(everything):  # a sandbox's are settled as they are written
        for tenant_id, items in sorted(wishes.items()):
            enqueue(kind=kind, tenant_id=tenant_id, actor_name=actor_name, wishes=items, at=at)
        return
    jobs = Job.objects.bulk_create(
        Job(kind=kind, tenant_id=tenant_id, actor_name=actor_name[:150], total=len(items))
        for tenant_id, items in sorted(wishes.items())
        if items
    )
    _ITEMS.run(
        ("peer", "open", 0, at, ""),
        [
            (job.pk, wish.interface_id, wish.peer_id, wish.public_key)
            for job in jobs
            for wish in wishes[job.tenant_id or 0]
        ],
    )
    _hint_later({wish.interface_id: wish.queue for wish in everything})


_ITEMS: Final = Inserts(
    "gateways_jobitem",
    {
        "action": "text", "status": "text", "attempts": "int", "due_at": "timestamptz",
        "message": "text",
    },
    {"job_id": "bigint", "interface_id": "bigint", "peer_id": "bigint", "public_key": "text"},
)  # fmt: skip


def merge(jobs: Sequence[Job], *, kind: str) -> Job | None:
    """One job in place of several that this transaction wrote; None when none of them has an item.

    Only for those: a job that others can see is never merged.
    """
    if len(jobs) == 1 and jobs[0].total and jobs[0].kind == kind:
        return jobs[0]
    ids = [job.pk for job in jobs]
    kept = next((job for job in jobs if job.total), None)
    if kept is not None:
        JobItem.objects.filter(job_id__in=ids).exclude(job_id=kept.pk).update(job_id=kept.pk)
        kept.kind = kind
        kept.total, kept.done = sum(job.total for job in jobs), sum(job.done for job in jobs)
        is_open = kept.done < kept.total
        kept.status = Job.Status.PENDING if is_open else Job.Status.SUCCEEDED
        kept.finished_at = None if is_open else kept.finished_at
        kept.save(update_fields=["kind", "total", "done", "status", "finished_at"])
    Job.objects.filter(pk__in=[job.pk for job in jobs if job is not kept]).delete()
    return kept


def announce(
    *, kind: str, tenant_id: int | None, actor_name: str, expected: int, message: str = ""
) -> Job:
    """Write a job whose items come in batches (`extend`); it is open until `conclude`.

    Its total is always above the number of its items: so it cannot finish between two batches,
    and by that is it found again when whoever wrote them has died.
    """
    return Job.objects.create(
        kind=kind,
        tenant_id=tenant_id,
        actor_name=actor_name[:150],
        total=expected + 1,
        message=message,
    )


def extend(*, job_id: int, wishes: Iterable[Wish], at: datetime) -> None:
    """Add a batch of items to an announced job. The caller sees to it that it is not concluded."""
    items = list(wishes)
    _write_items(job_id, items, _simulated(items), at=at, due_at=None)
    written = JobItem.objects.filter(job_id=job_id).count()
    Job.objects.filter(pk=job_id, total__lte=written).update(total=written + 1)


def conclude(*, job_id: int, at: datetime) -> None:
    """No more items come: the total becomes their number, and a job without an open one ends."""
    job = Job.objects.select_for_update(no_key=True).get(pk=job_id)
    written = JobItem.objects.filter(job_id=job_id).count()
    if job.finished_at is None and job.total > written:
        Job.objects.filter(pk=job_id).update(total=written)
        note_progress([job_id], started_at=job.created_at, at=max(at, job.created_at))


def announced(*, kinds: Iterable[str]) -> list[Job]:
    """The jobs of these kinds that wait for more items, newest first."""
    rows = Job.objects.filter(
        kind__in=list(kinds), status__in=[Job.Status.PENDING, Job.Status.RUNNING]
    )
    return list(
        rows.annotate(written=Count("items")).filter(total__gt=F("written")).order_by("-pk")
    )


def _write_items(
    job_id: int,
    items: Sequence[Wish],
    simulated: set[Wish],
    *,
    at: datetime,
    due_at: datetime | None,
) -> None:
    """Write the items; those of a sandbox as settled. Workers of the others are told."""
    rows = [
        JobItem(
            job_id=job_id,
            interface_id=wish.interface_id,
            peer_id=wish.peer_id,
            public_key=wish.public_key,
            action=wish.action,
            due_at=due_at or at,
            **(_settled(at) if wish in simulated else {}),
        )
        for wish in items
    ]
    if len(rows) == 1:
        _NEW_ITEM(rows[0])
    else:
        JobItem.objects.bulk_create(rows, batch_size=500)
    if simulated:
        _follow(simulated, at=at)
    if due_at is None:
        _hint_later({wish.interface_id: wish.queue for wish in items if wish not in simulated})


def _hint_later(queues: Mapping[int, str]) -> None:
    """After the commit the workers of these interfaces are told, on these queues."""

    def hint() -> None:  # no partial: Django asks a robust one that failed for its name
        _ring_for(queues)

    if queues:
        # Robust: the change is stored, so a hint that fails must not look like its failure.
        transaction.on_commit(hint, robust=True)


def _simulated(items: Iterable[Wish]) -> set[Wish]:
    """The wishes for interfaces of a sandbox."""
    unknown = {wish.interface_id for wish in items if wish.simulated is None}
    found = (
        set(Interface.objects.filter(pk__in=unknown, simulated=True).values_list("pk", flat=True))
        if unknown
        else set()
    )
    return {wish for wish in items if wish.simulated or wish.interface_id in found}


def _settled(at: datetime) -> dict[str, Any]:
    return {"status": JobItem.Status.DONE, "settled_at": at, "message": SANDBOX}


def _follow(simulated: Iterable[Wish], *, at: datetime) -> None:
    """Sandbox devices are where their rows want them: nothing else will ever say so.

    The model is reached by the items' foreign key, since peers stand above gateways.
    """
    ids = [wish.peer_id for wish in simulated if wish.peer_id is not None]
    model: Any = JobItem._meta.get_field("peer").related_model
    for start in range(0, len(ids), 500):
        model._default_manager.filter(pk__in=ids[start : start + 500]).update(
            applied_generation=F("generation"),
            applied_at=at,
            verified_generation=F("generation"),
            verified_at=at,
        )


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
