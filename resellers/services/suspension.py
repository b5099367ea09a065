"""Suspending, resuming and closing a tenant: one recorded act, however many clients it has.

The act is a change of the tenant's status: from its commit on no token of the tenant is let in.
The holds of its clients follow in batches (`following`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F

from audit.events import Actor, Target, record
from audit.models import Erasure
from gateways.models import Job
from resellers.services.following import begin, family_of
from rest.errors import Conflict
from tenants.models import DEFAULT_TENANT, Tenant

_ACTIVE: Final = Tenant.Status.ACTIVE
_CLOSED: Final = Tenant.Status.CLOSED


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
    Tenant.objects.filter(family_of(row.pk)).update(
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
    job = begin(
        kind=Job.Kind.RESUME if status == _ACTIVE else Job.Kind.SUSPEND,
        tenant_id=row.pk,
        actor_name=actor.name,
        blocks=status != _ACTIVE,
        at=at,
    )
    tenant.refresh_from_db()
    return job
