"""Erasing a closed tenant: what it stored of people is destroyed, what was done stays known.

One recorded act. The rest follows in batches, as a suspension does: an announced job keeps it
going, and every step may be repeated. Devices leave their interfaces by tombstones, as any that is
deleted; rows go with the next purge once they are off.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Q, QuerySet

from audit.erasure import ERASED, blank_events
from audit.events import Actor, Target, allow_erasure, record
from audit.models import Erasure
from gateways.models import Job
from gateways.outbox import Wish, announce, announced, conclude, extend
from peers.models import BulkRun, Client, CustomerAccess, Peer
from peers.services.changes import mark_boot_dirty
from peers.services.due import forget
from quotas.models import Hold, Meter, Plan, Session
from resellers.services.following import PAUSE_S, hint
from rest.batches import drop_some
from rest.errors import Conflict, Invalid
from rest.models import IdempotentRequest
from tenants.models import ApiToken, Membership, Tenant, User

#: Clients (or events, or jobs) of one transaction.
BATCH: Final = 200
_KINDS: Final = (Job.Kind.DELETE,)
_NOBODY: Final[dict[str, Any]] = {
    "name": ERASED, "external_id": None, "email": "", "telegram_id": "", "note": "", "tags": [],
    "metadata": {}, "plan": None, "created_by": "",
}  # fmt: skip
_NO_DEVICE: Final[dict[str, Any]] = {
    "name": "", "endpoint": "", "endpoint_override": "", "dns_servers": [], "routes": [],
    "observed_endpoint": "", "last_handshake_at": None,
}  # fmt: skip
_NO_TENANT: Final[dict[str, Any]] = {
    "name": ERASED, "contact_name": "", "contact_email": "", "contact_phone": "", "brand_name": "",
    "brand_logo": None, "brand_logo_type": "", "support_url": "", "config_prefix": "",
    "status_reason": "",
}  # fmt: skip


@transaction.atomic
def erase_tenant(*, tenant: Tenant, slug: str, actor: Actor, at: datetime) -> Job:
    """Erase a closed tenant and its sandbox; ``slug`` says that this one is meant.

    Raises `Invalid` (``slug_differs``) and `Conflict` (``not_closed``, ``already_erased``,
    ``is_sandbox``).
    """
    row = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    if row.is_sandbox:
        raise Conflict("A sandbox is erased with its tenant.", code="is_sandbox")
    if Erasure.objects.filter(tenant_id=row.pk).exists():
        raise Conflict("The tenant is erased already.", code="already_erased")
    if slug != row.slug:
        raise Invalid("This is not the tenant's slug.", field="slug", code="slug_differs")
    if row.status != Tenant.Status.CLOSED:
        raise Conflict("Only a closed tenant is erased.", code="not_closed")
    for one in Tenant.objects.filter(Q(pk=row.pk) | Q(sandbox_of=row.pk)):
        name = f"{ERASED}-{one.pk}"
        allow_erasure(tenant_id=one.pk, tenant_name=name, actor=actor, at=at)
        Tenant.objects.filter(pk=one.pk).update(
            **_NO_TENANT, slug=name, version=F("version") + 1, updated_at=at
        )
    record(
        actor=actor,
        action="tenant.erased",
        target=Target("tenant", str(row.uuid), f"{ERASED}-{row.pk}"),
    )
    job = announce(
        kind=Job.Kind.DELETE,
        tenant_id=row.pk,
        actor_name=actor.name,
        expected=Peer.objects.filter(_of(row.pk), deleted_at__isnull=True).count(),
    )
    transaction.on_commit(hint, robust=True)
    tenant.refresh_from_db()
    return job


def follow_erasures(*, at: datetime, seconds: float) -> bool:
    """Go on with erasures, batch by batch, for so long; True: there is more."""
    end = time.monotonic() + seconds
    for job in announced(kinds=_KINDS):
        if not Erasure.objects.filter(tenant_id=job.tenant_id or 0).exists():
            continue
        for _ in _walk(job, at):
            if time.monotonic() > end:
                return True
            time.sleep(PAUSE_S)
    return False


def _walk(job: Job, at: datetime) -> Iterator[None]:
    """Every step in a transaction of its own; the last one ends the job.

    Yields after a step that did something and at no other time: a walk that starts over must come
    further than the last one did.
    """
    tenant_id = job.tenant_id or 0
    while _erase_clients(job, tenant_id, at):
        yield
    while _blank_meters(tenant_id):
        yield
    for rows in _belongings(job, tenant_id):
        while _drop(rows):
            yield
    for one in Tenant.objects.filter(Q(pk=tenant_id) | Q(sandbox_of=tenant_id)):
        above = 0
        while above := blank_events(one.pk, above=above, limit=BATCH):
            yield
        _blank_log(Tenant, [one.pk])
    with transaction.atomic():
        conclude(job_id=job.pk, at=at)


@transaction.atomic
def _erase_clients(job: Job, tenant_id: int, at: datetime) -> int:
    """One batch of clients that still hold something of people; how many."""
    left = Client.objects.filter(Q(deleted_at__isnull=True) | ~Q(name=ERASED), _of(tenant_id))
    chosen = list(left.order_by("-pk").values_list("pk", flat=True)[:BATCH])
    clients = Client.objects.filter(pk__in=chosen).order_by("pk")
    ids = list(clients.select_for_update(no_key=True).values_list("pk", flat=True))
    _blank_log(Client, ids)
    _bury(ids, job, at)
    peers = Peer.objects.filter(client__in=ids)
    forget(peers, at=at)
    peers.update(**_NO_DEVICE)
    Hold.objects.filter(client__in=ids).delete()
    Session.objects.filter(peer__in=peers).delete()  # from where people connected
    clients.filter(deleted_at__isnull=True).update(deleted_at=at)
    clients.update(**_NOBODY, purge_at=at, version=F("version") + 1, updated_at=at)
    return len(ids)


def _bury(ids: Sequence[int], job: Job, at: datetime) -> None:
    """The clients' devices must leave their interfaces."""
    rows = Peer.objects.filter(client__in=ids, deleted_at__isnull=True)
    locked = rows.select_for_update(no_key=True).order_by("pk")
    found = list(locked.values_list("pk", "interface_id", "public_key"))
    Peer.objects.filter(pk__in=[pk for pk, _, _ in found]).update(
        deleted_at=at, generation=F("generation") + 1
    )
    wishes = [Wish(interface_id, pk, key) for pk, interface_id, key in found]
    mark_boot_dirty((interface_id for _, interface_id, _ in found), at=at)
    extend(job_id=job.pk, wishes=wishes, at=at)  # last: the order in which workers lock


@transaction.atomic
def _blank_meters(tenant_id: int) -> int:
    """One batch of meters that tell what clients were called; the bytes they counted stay."""
    named = Meter.objects.filter(_of(tenant_id)).exclude(client_name="", external_id=None)
    ids = list(named.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return Meter.objects.filter(pk__in=ids).update(client_name="", external_id=None)


def _belongings(job: Job, tenant_id: int) -> list[QuerySet[Any]]:
    """What goes with the tenant, in an order that its links allow."""
    people = Q(pk__in=Membership.objects.filter(_of(tenant_id)).values("user"))
    people |= Q(pk__in=CustomerAccess.objects.filter(_of(tenant_id)).values("user"))
    elsewhere = Q(pk__in=Membership.objects.exclude(_of(tenant_id)).values("user"))
    elsewhere |= Q(pk__in=CustomerAccess.objects.exclude(_of(tenant_id)).values("user"))
    views: Any = apps.get_model("portal", "SavedView")  # kept by a floor above this one
    own: list[type[Any]] = [ApiToken, BulkRun, IdempotentRequest, Plan, views]
    orphans = User.objects.filter(people, operator="", is_staff=False).exclude(elsewhere)
    return [
        *(model.objects.filter(_of(tenant_id)) for model in own),
        Job.objects.filter(_of(tenant_id), finished_at__isnull=False).exclude(pk=job.pk),
        orphans,
        Membership.objects.filter(_of(tenant_id)),
        CustomerAccess.objects.filter(_of(tenant_id)),
    ]


@transaction.atomic
def _drop(rows: QuerySet[Any]) -> int:
    return drop_some(rows, BATCH, first=_blank_log)


def _blank_log(model: type[Any], ids: Sequence[int]) -> None:
    """The admin site's log names what was changed there, and how."""
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model),
        object_id__in=[str(one) for one in ids],
    ).update(object_repr=ERASED, change_message="")


def _of(tenant_id: int) -> Q:
    """Rows of the tenant and of its sandbox."""
    return Q(tenant=tenant_id) | Q(tenant__sandbox_of=tenant_id)
