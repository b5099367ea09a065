"""What was sold: the plan, the bytes, until when, and under which id of the shop.

A plan fills in what the seller does not say himself. Enforcement reads the client's own fields,
so a plan that is edited later changes nobody's purchase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from peers.models import Client
from peers.values import CLIENT_CHECKS
from quotas.models import Plan
from quotas.queries import find_sold_plan
from rest.errors import Conflict, Invalid
from rest.values import check_fields
from tenants.prepared import Prepared
from tenants.scoping import Caller

#: Finds a plan that the caller sells, as `find_sold_plan` does; for many clients each once.
FindPlan = Callable[[UUID], Plan]


def terms_of_new(
    caller: Caller,
    details: Mapping[str, Any],
    *,
    at: datetime,
    find_plan: FindPlan | None = None,
) -> dict[str, Any]:
    """The checked fields of a new client: what is said, and what its plan says besides."""
    values = check_fields(details, CLIENT_CHECKS)
    _refuse_past(values.get("expires_at"), at)
    plan_id = details.get("plan")
    if plan_id is None:
        return values
    plan = find_plan(plan_id) if find_plan else find_sold_plan(caller, plan_id)
    return {"plan": plan, "quota_bytes": plan.total_bytes, **_end_of(plan, at), **values}


def changed_terms(
    caller: Caller,
    client: Client,
    changes: Mapping[str, Any],
    *,
    at: datetime,
    find_plan: FindPlan | None = None,
) -> dict[str, Any]:
    """Those checked fields that differ from the client's.

    With another plan comes its quota, unless one is named too. The end stays, it is paid for;
    only a client that has none takes the plan's.
    """
    values = check_fields(changes, CLIENT_CHECKS)
    if "plan" in changes and _uuid_of(client.plan) != changes["plan"]:
        plan = values["plan"] = _plan(caller, changes["plan"], find_plan)
        if plan is not None:
            values.setdefault("quota_bytes", plan.total_bytes)
            if client.expires_at is None and client.duration_days is None:
                values = {**_end_of(plan, at), **values}
    changed = {name: value for name, value in values.items() if getattr(client, name) != value}
    _refuse_past(changed.get("expires_at"), at)
    return changed


def _plan(caller: Caller, plan_id: UUID | None, find_plan: FindPlan | None) -> Plan | None:
    if plan_id is None:
        return None
    return find_plan(plan_id) if find_plan else find_sold_plan(caller, plan_id)


def _uuid_of(plan: Plan | None) -> UUID | None:
    return None if plan is None else plan.uuid


def _end_of(plan: Plan, at: datetime) -> dict[str, Any]:
    """When the plan ends; a plan with a fixed date leaves it to the seller to name it."""
    if plan.duration_days is None or plan.start == Plan.Start.DATE:
        return {}
    if plan.start == Plan.Start.FIRST_HANDSHAKE:
        return {"duration_days": plan.duration_days}
    return {"expires_at": at + timedelta(days=plan.duration_days)}


def _refuse_past(moment: datetime | None, at: datetime) -> None:
    if moment is not None and moment <= at:
        raise Invalid("This is not in the future.", field="expires_at", code="past")


def refuse_external_id(tenant_id: int, external_id: str | None) -> None:
    """Raise `Conflict` when another of the tenant's clients has this id."""
    if external_id is None:
        return
    if _WITH_EXTERNAL_ID(tenant_id, external_id):
        raise external_id_taken()


_WITH_EXTERNAL_ID: Final = Prepared(
    lambda tenant_id, external_id: Client.objects.filter(
        tenant_id=tenant_id, external_id=external_id, deleted_at__isnull=True
    ).values_list("pk"),
    int,
    str,
)


def external_id_taken() -> Conflict:
    """The refusal of an id that another of the tenant's clients has."""
    return Conflict(
        "Another client has this external id.", field="external_id", code="external_id_taken"
    )
