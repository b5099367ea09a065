"""What was decided of a tenant, brought to its clients: holds that follow its status and its pool.

An act on a tenant (`suspension`, `pools`) writes what is so from now on, and announces a job. The
holds of its clients follow in batches, so that no request and no other tenant waits for 10,000
rows. Level-triggered: a batch asks what is so now and which clients do not agree with it yet, so
it may be cut short, repeated, or overtaken by the next act.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet

from audit.events import SYSTEM
from gateways.hints import publisher
from gateways.models import Job
from gateways.outbox import Wish, announce, announced, conclude, extend
from gateways.queries import CONTROL_QUEUE
from peers.models import Client, Peer
from peers.services.changes import mark_boot_dirty
from quotas.models import Hold
from quotas.policies import TENANT_POOL, TENANT_SUSPENDED
from resellers.queries import stopped_tenants
from tenants.models import Tenant

#: Clients of one transaction: some 30 ms, for which another tenant's change may have to wait.
BATCH: Final = 250
#: A request takes so many at once; the rest is for the workers.
FIRST: Final = 100
#: Between two batches whoever waits for the database gets it.
PAUSE_S: Final = 0.02
TASK: Final = "control.follow_tenants"
#: Jobs of a tenant that may wait for batches: of an act, or of the sweep.
_KINDS: Final = (Job.Kind.SUSPEND, Job.Kind.RESUME, Job.Kind.HEAL)
#: How far this process has come with a job: tenant, and below which client to go on. A slice need
#: not look again at what the one before it did; whoever else takes the job over begins anew.
_reached: dict[int, tuple[int, int]] = {}
_ACTIVE: Final = Tenant.Status.ACTIVE


@dataclass(frozen=True)
class Cause:
    """A reason for which all clients of a tenant are held, or none is."""

    reason: str
    holds: bool
    note: str = ""


def causes(tenant: Tenant, owner_id: int) -> tuple[Cause, ...]:
    """What is so of the clients of ``owner_id``: the tenant, or its sandbox, which stands and falls
    with it. A sandbox moves no byte, so its pool never stops it.
    """
    has_pool = owner_id == tenant.pk and tenant.max_bytes_per_period is not None
    return (
        Cause(TENANT_SUSPENDED, tenant.status != _ACTIVE, tenant.status_reason),
        Cause(TENANT_POOL, has_pool and stopped_tenants().filter(pk=owner_id).exists()),
    )


def begin(*, kind: str, tenant_id: int, actor_name: str, blocks: bool, at: datetime) -> Job:
    """Announce the job of an act on a tenant, and do its first batch; the rest is for the workers.

    In the transaction of the act, which holds the tenant's row.
    """
    job = _announced(kind, tenant_id, actor_name, blocks=blocks)
    if next(_walk(job, at=at, limit=FIRST), None) is not None:
        transaction.on_commit(hint, robust=True)
    job.refresh_from_db()
    return job


def announce_following(*, kind: str, tenant_id: int, actor_name: str, blocks: bool) -> Job:
    """As `begin`, all of it for the workers: who calls holds what is locked after clients."""
    job = _announced(kind, tenant_id, actor_name, blocks=blocks)
    transaction.on_commit(hint, robust=True)
    return job


def _announced(kind: str, tenant_id: int, actor_name: str, *, blocks: bool) -> Job:
    return announce(
        kind=kind,
        tenant_id=tenant_id,
        actor_name=actor_name,
        expected=_affected(tenant_id, blocked=not blocks),
    )


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
    """Announce a job for each tenant that has a client which does not agree with what is so of it.

    For what no act has left behind: a restored backup, a row made by hand. Returns their number.
    """
    suspended = Tenant.objects.exclude(status=_ACTIVE)
    found = _strays(TENANT_SUSPENDED, suspended) | _strays(TENANT_POOL, stopped_tenants())
    found -= {job.tenant_id or 0 for job in announced(kinds=_KINDS)}
    for pk in found:
        announce(kind=Job.Kind.HEAL, tenant_id=pk, actor_name=SYSTEM.name, expected=0)
    return len(found)


def _strays(reason: str, holding: QuerySet[Tenant]) -> set[int]:
    """Tenants with clients that are held for the reason and should not be, or the other way."""
    wanted = set(holding.values_list("pk", flat=True))
    held = _held(Hold.objects.filter(client__deleted_at__isnull=True), reason)
    found = set(held.values_list("tenant_id", flat=True).distinct()) - wanted
    # Counted, not joined: PostgreSQL may not have seen yet that 10,000 holds were opened.
    return found | {pk for pk in wanted if held.filter(tenant=pk).count() < _living(pk).count()}


def _walk(job: Job, *, at: datetime, limit: int) -> Iterator[bool]:
    """Go through the clients of the job's tenant (and its sandbox), newest first, a batch a step;
    yields between two of them, and whether the last one changed anything.

    Whoever comes to the tenant meanwhile looks at its status himself: one walk meets all.
    """
    family = Tenant.objects.filter(family_of(job.tenant_id)).order_by("pk")
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
    """Bring these clients of ``owner_id`` (the tenant or its sandbox) to what is so of it; whether
    any did not agree.
    """
    astray = _astray(causes(tenant, owner_id), batch)
    ids = _locked((pk for found in astray.values() for pk in found), owner_id)
    if not ids:
        return False
    for cause, found in astray.items():
        mine = [pk for pk in ids if pk in found]
        if mine and cause.holds:
            _hold(mine, job, cause, at)
        elif mine:
            _release(mine, job, cause, at)
    Client.objects.filter(pk__in=ids).update(version=F("version") + 1, updated_at=at)
    held = {pk for cause, found in astray.items() if cause.holds for pk in found}
    _turn_peers(ids, held, job, at=at)
    return True


def _astray(of_tenant: Iterable[Cause], batch: Sequence[int]) -> dict[Cause, set[int]]:
    """Those of these clients that do not agree with each cause."""
    reasons = {cause.reason: cause for cause in of_tenant}
    rows = Hold.objects.filter(client__in=batch, reason__in=reasons, closed_at__isnull=True)
    held: dict[str, set[int]] = {reason: set() for reason in reasons}
    for reason, pk in rows.values_list("reason", "client_id"):
        held[reason].add(pk)
    return {
        cause: {pk for pk in batch if (pk in held[reason]) != cause.holds}
        for reason, cause in reasons.items()
    }


def _living(tenant_id: int) -> QuerySet[Client]:
    return Client.objects.filter(tenant=tenant_id, deleted_at__isnull=True)


def _held(holds: QuerySet[Hold], reason: str) -> QuerySet[Hold]:
    return holds.filter(reason=reason, closed_at__isnull=True)


def _locked(ids: Iterable[int], owner_id: int) -> list[int]:
    """Those clients that still live and are still the owner's, locked in the order of their rows
    as every batch does: one may have been deleted, or handed over, while we waited for it.
    """
    rows = _living(owner_id).select_for_update(no_key=True).filter(pk__in=list(ids))
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _hold(ids: Sequence[int], job: Job, cause: Cause, at: datetime) -> None:
    owners = Client.objects.filter(pk__in=ids).values_list("pk", "tenant_id")
    Hold.objects.bulk_create(
        (
            Hold(
                uuid=uuid4(),
                tenant_id=tenant_id,
                client_id=client_id,
                reason=cause.reason,
                note=cause.note,
                opened_at=at,
                opened_by=job.actor_name,
            )
            for client_id, tenant_id in owners
        ),
        ignore_conflicts=True,
    )


def _release(ids: Sequence[int], job: Job, cause: Cause, at: datetime) -> None:
    rows = _held(Hold.objects.filter(client__in=ids), cause.reason)
    rows.update(closed_at=at, closed_by=job.actor_name)


def _turn_peers(ids: Sequence[int], held: set[int], job: Job, *, at: datetime) -> None:
    """Block the devices of those of these clients that any hold keeps off, and free the others';
    of ``held`` it is known.
    """
    if rest := set(ids) - held:
        open_ones = Hold.objects.filter(client__in=rest, closed_at__isnull=True)
        held = held | set(open_ones.values_list("client_id", flat=True))
    wrong = Q(client__in=held, blocked=False) | Q(client__in=set(ids) - held, blocked=True)
    rows = Peer.objects.select_for_update(no_key=True).filter(wrong, deleted_at__isnull=True)
    found = list(rows.order_by("pk").values_list("pk", "interface_id", "public_key", "blocked"))
    for blocked in (False, True):
        Peer.objects.filter(pk__in=[one[0] for one in found if one[3] != blocked]).update(
            blocked=blocked, generation=F("generation") + 1
        )
    mark_boot_dirty((one[1] for one in found), at=at)
    extend(  # last, as everywhere: a worker locks devices, then the interface, then jobs
        job_id=job.pk,
        wishes=[Wish(interface_id, pk, key) for pk, interface_id, key, _ in found],
        at=at,
    )


def _affected(tenant_id: int, *, blocked: bool) -> int:
    """About how many devices an act will turn; only a job's progress shows it."""
    family = Tenant.objects.filter(family_of(tenant_id))
    return Peer.objects.filter(tenant__in=family, deleted_at__isnull=True, blocked=blocked).count()


def family_of(tenant_id: int | None) -> Q:
    """The tenant and its sandbox, which stand and fall together."""
    return Q(pk=tenant_id) | Q(sandbox_of=tenant_id)
