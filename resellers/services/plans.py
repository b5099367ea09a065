"""Plans: what a tenant sells. A client takes a plan's terms over when it gets the plan, so that a
change of a plan changes no client.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.events import Target, record
from peers.models import Client
from quotas.models import Plan
from resellers.plan_values import CHECKS, check_whole_plan
from resellers.services.changes import save_changed, take_over
from rest.errors import Conflict, Missing
from rest.values import check_fields
from rest.versions import Version, check_version
from tenants.scoping import Caller, visible

NO_PLAN: Final = "There is no such plan."


@transaction.atomic
def create_plan(*, caller: Caller, at: datetime, **fields: Any) -> Plan:
    """Make a plan. Raises `Invalid` and `Conflict` (``name_taken``)."""
    plan = Plan(tenant_id=caller.tenant_id, **check_fields(fields, CHECKS))
    check_whole_plan(plan, caller.tenant, said=CHECKS.keys())
    _refuse_taken(plan)
    plan.save()
    after = {name: getattr(plan, name) for name in fields}
    record(actor=caller.actor, action="plan.created", target=_target(plan), after=after)
    return plan


@transaction.atomic
def update_plan(
    *,
    caller: Caller,
    plan_id: UUID,
    changes: Mapping[str, Any],
    at: datetime,
    if_match: Version | None = None,
) -> Plan:
    """Change a plan's fields, and with ``archived`` whether it is sold.

    Raises `Missing`, `StaleVersion`, `Invalid` and `Conflict` (``name_taken``).
    """
    plan = _locked(caller, plan_id, if_match)
    values = check_fields(changes, CHECKS)
    archived = changes.get("archived")
    if archived is not None and archived != (plan.archived_at is not None):
        values["archived_at"] = at if archived else None
    before, after = take_over(plan, values)
    if not after:
        return plan
    check_whole_plan(plan, caller.tenant, said=after)
    if plan.archived_at is None and {"name", "archived_at"} & after.keys():
        _refuse_taken(plan)
    save_changed(plan, *after)
    record(
        actor=caller.actor,
        action="plan.updated",
        target=_target(plan),
        before=_shown(before),
        after=_shown(after),
    )
    return plan


@transaction.atomic
def delete_plan(
    *, caller: Caller, plan_id: UUID, at: datetime, if_match: Version | None = None
) -> None:
    """Take a plan away; one that clients have, or are to have next, is archived: sold no more, and
    kept for them.

    Raises `Missing` and `StaleVersion`.
    """
    plan = _locked(caller, plan_id, if_match)
    if not Client.objects.filter(Q(plan=plan) | Q(next_plan=plan)).exists():
        record(actor=caller.actor, action="plan.deleted", target=_target(plan))
        plan.delete()
    elif plan.archived_at is None:
        plan.archived_at = at
        save_changed(plan, "archived_at")
        after = {"archived_at": at.isoformat()}
        record(actor=caller.actor, action="plan.archived", target=_target(plan), after=after)


def find_plan(caller: Caller, plan_id: UUID) -> Plan:
    """One of the tenant's plans, archived ones too. Raises `Missing`."""
    found = visible(Plan.objects.all(), caller).filter(uuid=plan_id).first()
    if found is None:
        raise Missing(NO_PLAN)
    return found


def _locked(caller: Caller, plan_id: UUID, if_match: Version | None) -> Plan:
    """The plan's row, held against changes and against clients that would take it."""
    rows = visible(Plan.objects.select_for_update(no_key=True), caller)
    plan = rows.filter(uuid=plan_id).first()
    if plan is None:
        raise Missing(NO_PLAN)
    check_version(plan, if_match)
    return plan


def _refuse_taken(plan: Plan) -> None:
    others = Plan.objects.filter(
        tenant_id=plan.tenant_id, name=plan.name, archived_at__isnull=True
    ).exclude(pk=plan.pk)
    if others.exists():
        raise Conflict("Another plan has this name.", field="name", code="name_taken")


def _target(plan: Plan) -> Target:
    return Target("plan", str(plan.uuid), plan.name, plan.tenant_id)


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
