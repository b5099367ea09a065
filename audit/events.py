"""Writing audit events. Call inside the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from django.utils import timezone

from audit.inserts import Inserts
from audit.models import AuditEvent, Erasure


@dataclass(frozen=True)
class Actor:
    """Who acts. ``address`` is the caller's IP, if there is one; ``by_operator`` whether it acts
    with an operator's rights.
    """

    kind: str
    id: str
    name: str
    address: str | None = None
    by_operator: bool = False


SYSTEM = Actor(kind=AuditEvent.Actor.SYSTEM, id="", name="vwg")


@dataclass(frozen=True)
class Target:
    """What is acted on: ``type`` is a model's plain name, ``id`` its public UUID."""

    type: str
    id: str
    name: str = ""
    tenant_id: int | None = field(default=None)


def event(
    *,
    actor: Actor,
    action: str,
    target: Target,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """An unsaved event, for bulk inserts."""
    return AuditEvent(
        tenant_id=target.tenant_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:150],
        action=action,
        target_type=target.type,
        target_id=target.id,
        target_name=target.name[:255],
        before=dict(before or {}),
        after=dict(after or {}),
        address=actor.address,
        by_operator=actor.by_operator,
    )


def record(
    *,
    actor: Actor,
    action: str,
    target: Target,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one event in the caller's transaction. Values must hold no secret."""
    event(actor=actor, action=action, target=target, before=before, after=after).save()


def record_all(events: Iterable[AuditEvent]) -> None:
    """Write the events (of `event`) of many acts at once, in the caller's transaction."""
    AuditEvent.objects.bulk_create(events, batch_size=500)


_EACH: Final = Inserts(
    "audit_auditevent",
    {
        "actor_kind": "text", "actor_id": "text", "actor_name": "text", "action": "text",
        "target_type": "text", "before": "jsonb", "after": "jsonb", "address": "inet",
        "by_operator": "bool", "result": "text", "created_at": "timestamptz",
    },
    {"uuid": "uuid", "tenant_id": "bigint", "target_id": "text", "target_name": "text"},
)  # fmt: skip


def record_each(
    *,
    actor: Actor,
    action: str,
    targets: Iterable[Target],
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write an event of one and the same act on each of these, all of one type."""
    found = list(targets)
    if found:
        _EACH.run(
            (
                actor.kind, actor.id, actor.name[:150], action, found[0].type, dict(before or {}),
                dict(after or {}), actor.address, actor.by_operator, "ok", timezone.now(),
            ),
            [(uuid4(), one.tenant_id, one.id, one.name[:255]) for one in found],
        )  # fmt: skip


def allow_erasure(*, tenant_id: int, tenant_name: str, actor: Actor, at: datetime) -> None:
    """Let the tenant's events be deleted, which the database refuses otherwise.

    For the erasure of a closed tenant alone, in one transaction with it; the event that tells of
    the erasure belongs to no tenant, and so stays.
    """
    Erasure.objects.get_or_create(
        tenant_id=tenant_id,
        defaults={
            "tenant_name": tenant_name[:150],
            "allowed_by": actor.name[:150],
            "allowed_at": at,
        },
    )
