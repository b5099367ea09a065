"""Suspending, resuming and closing a tenant: one recorded act, however many clients it has.

The act is a change of the tenant's status: from its commit on no token of the tenant is let in.
The holds of its clients follow in batches (`follow_tenants`), so that no request and no other
tenant waits for 10,000 rows. Level-triggered: a batch asks what the status is now and which
clients do not agree with it yet, so it may be cut short, repeated, or overtaken by the next act.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet

from audit.events import SYSTEM, Actor, Target, record
from audit.models import Erasure
from gateways.hints import publisher
from gateways.models import Job
from gateways.outbox import Wish, announce, announced, conclude, extend
from gateways.queries import CONTROL_QUEUE
from peers.models import Client, Peer
from peers.services.changes import mark_boot_dirty
from quotas.models import Hold
from quotas.policies import TENANT_SUSPENDED
from rest.errors import Conflict
from tenants.models import DEFAULT_TENANT, Tenant

#: Clients of one transaction: some 30 ms, for which another tenant's change may have to wait.
BATCH: Final = 250
#: A request takes so many at once; the rest is for the workers.
FIRST: Final = 100
#: Between two batches whoever waits for the database gets it.
PAUSE_S: Final = 0.02
TASK: Final = "control.follow_tenants"
#: Jobs of a tenant that may wait for batches: of an operator's act, or of the sweep.
_KINDS: Final = (Job.Kind.SUSPEND, Job.Kind.RESUME, Job.Kind.HEAL)
#: How far this process has come with a job: tenant, and below which client to go on. A slice need
#: not look again at what the one before it did; whoever else takes the job over begins anew.
_reached: dict[int, tuple[int, int]] = {}
_ACTIVE, _CLOSED = Tenant.Status.ACTIVE, Tenant.Status.CLOSED


def suspend_tenant(*, tenant: Tenant, reason: str, actor: Actor, at: datetime) -> Job:
    """Let nobody of the tenant in, and no packet of its clients through. Raises `Conflict`."""
    return _turn(tenant, Tenant.Status.SUSPENDED, "suspended", reason, actor, at)


def resume_tenant(*, tenant: Tenant, reason: str, actor: Actor, at: datetime) -> Job:
    """Close the holds that its suspension (or closing) opened, and no other. Raises `Conflict`."""
    return _turn(tenant, _ACTIVE, "resumed", reason, actor, at)


def close_tenant(*, tenant: Tenant, reason: str, actor: Actor, at: datetime) -> Job:
    """As a suspension, for good; only a closed tenant may be erased. Raises `Conflict`."""
    return _turn(tenant, _CLOSED, "closed", reason, actor, at)


@transaction.atomic
def _turn(
    tenant: Tenant, status: Tenant.Status, verb: str, reason: str, actor: Actor, at: datetime
) -> Job:
    row = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    if row.is_sandbox:
        raise Conflict("A sandbox stands and falls with its tenant.", code="is_sandbox")
    if Erasure.objects.filter(tenant_id=row.pk).exists():
        raise Conflict("The tenant is erased.", code="already_erased")
    if status == _CLOSED and row.slug == DEFAULT_TENANT:
        raise Conflict("The default tenant is the operators' own.", code="default_tenant")
    if row.status == status:
        raise Conflict(f"The tenant is {status} already.", code=f"already_{status}")
    if row.status == _CLOSED and status != _ACTIVE:
        raise Conflict("The tenant is closed.", code="already_closed")
    Tenant.objects.filter(_family(row.pk)).update(
        status=status,
        status_reason=reason,
        status_since=at,
        version=F("version") + 1,
        updated_at=at,
    )
    record(
        actor=actor,
        action=f"tenant.{verb}",
        target=Target("tenant", str(row.uuid), row.name, row.pk),
        before={"status": row.status},
        after={"status": str(status), "reason": reason},
    )
    job = announce(
        kind=Job.Kind.RESUME if status == _ACTIVE else Job.Kind.SUSPEND,
        tenant_id=row.pk,
        actor_name=actor.name,
        expected=_affected(row.pk, blocked=status == _ACTIVE),
    )
    if next(_walk(job, at=at, limit=FIRST), None) is not None:
        transaction.on_commit(hint, robust=True)
    tenant.refresh_from_db()
    job.refresh_from_db()
    return job


def hint() -> None:
    """Ring for the worker that goes on with what a request began."""
    publisher.call(task=TASK, queue=CONTROL_QUEUE)


def follow_tenants(*, at: datetime, seconds: float) -> bool:
    """Bring clients to their tenants' status, batch by batch, for so long; True: there is more."""
    end = time.monotonic() + seconds
    while jobs := announced(kinds=_KINDS):
        for changed in _walk(jobs[0], at=at, limit=BATCH):
            if changed and time.monotonic() > end:
                return True
            time.sleep(PAUSE_S if changed else 0)
    return False


def find_strays(*, at: datetime) -> int:
    """Announce a job for each tenant that has a client which does not agree with its status.

    For what no act has left behind: a restored backup, a row made by hand. Returns their number.
    """
    held = _held(Hold.objects.filter(client__deleted_at__isnull=True))
    found = set(held.filter(tenant__status=_ACTIVE).values_list("tenant_id", flat=True))
    for pk in Tenant.objects.exclude(status=_ACTIVE).values_list("pk", flat=True):
        # Counted, not joined: PostgreSQL may not have seen yet that 10,000 holds were opened.
        if held.filter(tenant=pk).count() < _living(pk).count():
            found.add(pk)
    found -= {job.tenant_id for job in announced(kinds=_KINDS)}
    for pk in found:
        announce(kind=Job.Kind.HEAL, tenant_id=pk, actor_name=SYSTEM.name, expected=0)
    return len(found)


def _walk(job: Job, *, at: datetime, limit: int) -> Iterator[bool]:
    """Go through the clients of the job's tenant (and its sandbox), newest first, a batch a step;
    yields between two of them, and whether the last one changed anything.

    Whoever comes to the tenant meanwhile looks at its status himself: one walk meets all.
    """
    family = Tenant.objects.filter(_family(job.tenant_id)).order_by("pk")
    first, begin = _reached.get(job.pk, (0, sys.maxsize))
    for tenant_id in family.filter(pk__gte=first).values_list("pk", flat=True):
        below: int | None = begin if tenant_id == first else sys.maxsize
        while below is not None:
            with transaction.atomic():
                tenant = _awaited(job)
                if tenant is None:
                    _reached.pop(job.pk, None)
                    return
                rows = _living(tenant_id).filter(pk__lt=below).order_by("-pk")
                batch = list(rows.values_list("pk", flat=True)[:limit])
                changed = _step(job, tenant, tenant_id, batch, at)
            below = batch[-1] if len(batch) == limit else None
            if below is not None:
                transaction.on_commit(partial(_reached.__setitem__, job.pk, (tenant_id, below)))
                yield changed
    with transaction.atomic():
        if _awaited(job) is not None:
            for pk in sorted(one.pk for one in _waiting(job.tenant_id)):  # with the overtaken ones
                conclude(job_id=pk, at=at)
    _reached.pop(job.pk, None)


def _awaited(job: Job) -> Tenant | None:
    """The job's tenant, while the job is the tenant's newest that waits for batches.

    The tenant's row is held: its status stays, and only one batch of a tenant is written at a time.
    """
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=job.tenant_id or 0)
    jobs = _waiting(tenant.pk)
    return tenant if jobs and jobs[0].pk == job.pk else None


def _waiting(tenant_id: int | None) -> list[Job]:
    """The tenant's jobs that wait for batches, newest first.

    Those that the newest has overtaken end with it, when no device is left to be written: workers
    lock devices, then the interface, then jobs.
    """
    return [one for one in announced(kinds=_KINDS) if one.tenant_id == tenant_id]


def _step(job: Job, tenant: Tenant, owner_id: int, batch: Sequence[int], at: datetime) -> bool:
    """Bring these clients of ``owner_id`` (the tenant or its sandbox) to the tenant's status;
    whether any did not agree with it.
    """
    held = set(_held(Hold.objects.filter(client__in=batch)).values_list("client_id", flat=True))
    on = tenant.status == _ACTIVE
    ids = _locked((pk for pk in batch if (pk in held) == on), owner_id)
    if ids and on:
        _release(ids, job, at)
    elif ids:
        _hold(ids, job, tenant, at)
    if ids:
        Client.objects.filter(pk__in=ids).update(version=F("version") + 1, updated_at=at)
        _turn_peers(ids, job, blocked=not on, at=at)
    return bool(ids)


def _living(tenant_id: int) -> QuerySet[Client]:
    return Client.objects.filter(tenant=tenant_id, deleted_at__isnull=True)


def _held(holds: QuerySet[Hold]) -> QuerySet[Hold]:
    return holds.filter(reason=TENANT_SUSPENDED, closed_at__isnull=True)


def _locked(ids: Iterable[int], owner_id: int) -> list[int]:
    """Those clients that still live and are still the owner's, locked in the order of their rows
    as every batch does: one may have been deleted, or handed over, while we waited for it.
    """
    rows = _living(owner_id).select_for_update(no_key=True).filter(pk__in=list(ids))
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _hold(ids: Sequence[int], job: Job, tenant: Tenant, at: datetime) -> None:
    owners = Client.objects.filter(pk__in=ids).values_list("pk", "tenant_id")
    Hold.objects.bulk_create(
        (
            Hold(
                uuid=uuid4(),
                tenant_id=tenant_id,
                client_id=client_id,
                reason=TENANT_SUSPENDED,
                note=tenant.status_reason,
                opened_at=at,
                opened_by=job.actor_name,
            )
            for client_id, tenant_id in owners
        ),
        ignore_conflicts=True,
    )


def _release(ids: Sequence[int], job: Job, at: datetime) -> None:
    _held(Hold.objects.filter(client__in=ids)).update(closed_at=at, closed_by=job.actor_name)


def _turn_peers(ids: Sequence[int], job: Job, *, blocked: bool, at: datetime) -> None:
    """Block or free the devices of these clients; who has another open hold stays blocked."""
    others = Hold.objects.filter(client__in=ids, closed_at__isnull=True)
    held = set() if blocked else set(others.values_list("client_id", flat=True))
    rows = Peer.objects.select_for_update(no_key=True).filter(
        client__in=[pk for pk in ids if pk not in held],
        deleted_at__isnull=True,
        blocked=not blocked,
    )
    found = list(rows.order_by("pk").values_list("pk", "interface_id", "public_key"))
    Peer.objects.filter(pk__in=[pk for pk, _, _ in found]).update(
        blocked=blocked, generation=F("generation") + 1
    )
    mark_boot_dirty((interface_id for _, interface_id, _ in found), at=at)
    extend(  # last, as everywhere: a worker locks devices, then the interface, then jobs
        job_id=job.pk,
        wishes=[Wish(interface_id, pk, key) for pk, interface_id, key in found],
        at=at,
    )


def _affected(tenant_id: int, *, blocked: bool) -> int:
    """About how many devices an act will turn; only a job's progress shows it."""
    family = Tenant.objects.filter(_family(tenant_id))
    return Peer.objects.filter(tenant__in=family, deleted_at__isnull=True, blocked=blocked).count()


def _family(tenant_id: int | None) -> Q:
    """The tenant and its sandbox, which stand and fall together."""
    return Q(pk=tenant_id) | Q(sandbox_of=tenant_id)
