"""Machines beside a gateway: kept, and woken by a packet that its worker sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from audit.events import Actor, Target, record
from gateways.hints import Hint, publisher
from gateways.models import Gateway, Job, WakeHost
from gateways.queries import find_wake_host, named_gateway
from gateways.values import WAKE_CHECKS
from rest.errors import Conflict, Invalid
from rest.values import check_fields
from rest.versions import Version, check_version

WAKE_TASK: Final = "control.wake"


@transaction.atomic
def create_wake_host(*, actor: Actor, gateway: str, **details: Any) -> WakeHost:
    """Keep a machine beside the gateway of this slug or id. Raises `Invalid`, and `Conflict`
    (``mac_taken``).
    """
    values = check_fields(details, WAKE_CHECKS)
    for name in ("name", "mac"):
        if not values.get(name):
            raise Invalid("This is needed.", field=name, code="required")
    place = named_gateway(gateway, field="gateway")
    _refuse_twice(place, values["mac"])
    host = WakeHost.objects.create(gateway=place, **values)
    _note(host, "created", actor, after={"gateway": place.slug, **values})
    return host


@transaction.atomic
def update_wake_host(
    *,
    actor: Actor,
    host_id: UUID,
    changes: Mapping[str, Any],
    if_match: Version | None = None,
) -> WakeHost:
    """Change it. Raises `Missing`, `StaleVersion`, `Invalid`, `Conflict` (``mac_taken``)."""
    host = find_wake_host(host_id, lock=True)
    check_version(host, if_match)
    values = check_fields(changes, WAKE_CHECKS)
    changed = {name: value for name, value in values.items() if getattr(host, name) != value}
    if not changed:
        return host
    if "mac" in changed:
        _refuse_twice(host.gateway, changed["mac"])
    before = {name: getattr(host, name) for name in changed}
    for name, value in changed.items():
        setattr(host, name, value)
    host.version += 1
    host.save(update_fields=[*changed, "version"])
    _note(host, "updated", actor, before=before, after=changed)
    return host


@transaction.atomic
def delete_wake_host(*, actor: Actor, host_id: UUID, if_match: Version | None = None) -> None:
    """Forget it. Raises `Missing` and `StaleVersion`."""
    host = find_wake_host(host_id, lock=True)
    check_version(host, if_match)
    _note(host, "deleted", actor, before={"gateway": host.gateway.slug, "mac": host.mac})
    host.delete()


@transaction.atomic
def wake_host(*, actor: Actor, host_id: UUID) -> Job:
    """Have the gateway's worker send the packet; the job says whether it went out. Nobody can say
    whether the machine woke. Raises `Missing`.
    """
    host = find_wake_host(host_id, lock=True)
    job = Job.objects.create(kind=Job.Kind.WAKE, actor_name=actor.name[:150], total=1)
    host.job = job
    host.save(update_fields=["job"])
    _note(host, "woken", actor, after={"gateway": host.gateway.slug, "mac": host.mac})
    ring(host)
    return job


def ring(host: WakeHost) -> None:
    """Tell the gateway's worker after the commit; a hint that is lost is left again."""
    queue, pk = host.gateway.queue, host.pk
    transaction.on_commit(lambda: publisher.leave(Hint(WAKE_TASK, queue, "host_id", pk)))


def _refuse_twice(gateway: Gateway, mac: str) -> None:
    if WakeHost.objects.filter(gateway=gateway, mac=mac).exists():
        raise Conflict(
            "This gateway has a machine with this address.", field="mac", code="mac_taken"
        )


def _note(
    host: WakeHost,
    verb: str,
    actor: Actor,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    target = Target(type="wake_host", id=str(host.uuid), name=host.name)
    record(actor=actor, action=f"wake_host.{verb}", target=target, before=before, after=after)
