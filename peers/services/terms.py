"""What was sold: the plan, the bytes, until when, and under which id of the shop.

A plan fills in what the seller does not say himself. Enforcement reads the client's own fields,
so a plan that is edited later changes nobody's purchase.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from peers.models import Client
from peers.sold import LAST_YEAR, QUOTAS, TERM_CHECKS, check_together
from peers.values import CLIENT_CHECKS
from quotas.models import Plan
from quotas.queries import find_sold_plan
from rest.errors import Conflict, Invalid
from rest.values import check_fields
from tenants.prepared import Prepared
from tenants.scoping import Caller

#: What says which plan follows.
QUEUE: Final = ("next_plan", "next_plan_when", "next_plan_carries")
#: Terms of which nothing is said.
_NOTHING: Final[Mapping[str, Any]] = {
    **dict.fromkeys(TERM_CHECKS),
    "reset": Plan.Reset.NONE,
    "at_limit": Plan.AtLimit.DISCONNECT,
    "grace_seconds": 0,
}
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
    values = _rounded(check_fields(details, CLIENT_CHECKS))
    said = values.keys() & TERM_CHECKS.keys()
    plan_id = details.get("plan")
    plan = None if plan_id is None else _plan(caller, plan_id, find_plan)
    if plan is not None:
        values = {"plan": plan, **limits_of(plan), **end_of(plan, at), **values}
    start, days = values.get("starts_at"), values.get("duration_days")
    if start is not None:
        values["start_before"] = None if "start_before" not in said else values["start_before"]
        days = days or (plan.duration_days if plan is not None else None)
        if days and "expires_at" not in said:
            field = "duration_days" if "duration_days" in said else "starts_at"
            values["expires_at"] = _end_after(start, days, field)
    elif _begins_now(values, said, plan):
        values["starts_at"] = at
    if said:
        check_together({**_NOTHING, **values}, said=said, tenant=caller.tenant, at=at)
    return values


def changed_terms(
    caller: Caller,
    client: Client,
    changes: Mapping[str, Any],
    *,
    at: datetime,
    find_plan: FindPlan | None = None,
) -> dict[str, Any]:
    """Those checked fields that differ from the client's.

    With another plan come its limits, but for those that are named too. The end stays, it is paid
    for; only a client that has none takes the plan's.
    """
    values = _rounded(check_fields(changes, CLIENT_CHECKS))
    now = {name: getattr(client, name) for name in TERM_CHECKS}
    said = {name for name in values.keys() & now.keys() if values[name] != now[name]}
    if "plan" in changes and _uuid_of(client.plan) != changes["plan"]:
        plan = _plan(caller, changes["plan"], find_plan)
        if plan is not None:
            values = {**limits_of(plan), **values}
            if client.expires_at is None and client.duration_days is None:
                values = {**end_of(plan, at), **values}
        values["plan"] = plan
    if "duration_days" in said and "expires_at" not in said:
        values.update(_moved_end(client, values, at))
    if said:
        check_together({**now, **values}, said=said, tenant=caller.tenant, at=at)
    return {name: value for name, value in values.items() if getattr(client, name) != value}


def _begins_now(values: Mapping[str, Any], said: Collection[str], plan: Plan | None) -> bool:
    """Whether nothing has to come first: no date, and no handshake."""
    waits = values.get("duration_days") or values.get("start_before") or "starts_at" in said
    return not waits and (plan is None or plan.start == Plan.Start.NOW)


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """With what follows from what is said: one kind of limit takes the place of the other, and a
    rate for those who are slowed down goes with them.
    """
    if values.get("at_limit") == Plan.AtLimit.DISCONNECT:
        values.setdefault("throttle_kbit", None)
    if values.get("starts_at") is not None:
        values.setdefault("start_before", None)
    if values.get("quota_bytes") is not None:
        values.setdefault("upload_quota_bytes", None)
        values.setdefault("download_quota_bytes", None)
    elif any(values.get(field) is not None for field in QUOTAS[1:]):
        values.setdefault("quota_bytes", None)
    return values


def _moved_end(client: Client, values: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What another number of days does to the end: before the beginning nothing. Afterwards they
    move the end, and a client that has none waits for its next handshake, from which they count.
    """
    days, start = values["duration_days"], values.get("starts_at", client.starts_at)
    if days is None or start is None:
        return {}
    if start > at:
        return {"expires_at": _end_after(start, days, "duration_days")}
    if client.expires_at is None:
        return {"starts_at": None}
    if client.duration_days is None:
        return {}
    end = client.expires_at + timedelta(days=days - client.duration_days)
    if end <= at:
        raise Invalid("It would have ended already.", field="duration_days", code="past")
    return {"expires_at": end}


def _end_after(start: datetime, days: int, field: str) -> datetime:
    """The end of so many days, where that is one that may be said. Raises `Invalid`."""
    end = start + timedelta(days=days)
    if end.year > LAST_YEAR:
        raise Invalid(f"It would end after {LAST_YEAR}.", field=field, code="out_of_range")
    return end


def _plan(caller: Caller, plan_id: UUID | None, find_plan: FindPlan | None) -> Plan | None:
    if plan_id is None:
        return None
    return find_plan(plan_id) if find_plan else find_sold_plan(caller, plan_id)


def _uuid_of(plan: Plan | None) -> UUID | None:
    return None if plan is None else plan.uuid


def is_early(client: Client, *, at: datetime) -> bool:
    """Whether what was sold to the client begins later."""
    return client.starts_at is not None and client.starts_at > at


def limits_of(plan: Plan) -> dict[str, Any]:
    """What a client on the plan may use, and what becomes of it then; null is no limit."""
    return {
        "quota_bytes": plan.total_bytes,
        "upload_quota_bytes": plan.upload_bytes,
        "download_quota_bytes": plan.download_bytes,
        "reset": plan.reset,
        "upload_kbit": plan.upload_kbit,
        "download_kbit": plan.download_kbit,
        "at_limit": plan.at_limit,
        "throttle_kbit": plan.throttle_kbit,
        "grace_seconds": plan.grace_seconds,
        "delete_after_days": plan.delete_after_days,
    }


def end_of(plan: Plan, at: datetime) -> dict[str, Any]:
    """When the plan begins and ends; one with a fixed date leaves that to the seller."""
    days = plan.duration_days
    if plan.start == Plan.Start.DATE:
        return {}
    if plan.start == Plan.Start.FIRST_HANDSHAKE:
        within = plan.start_within_days
        deadline = None if within is None else at + timedelta(days=within)
        return {"starts_at": None, "start_before": deadline, "duration_days": days}
    if days is None:
        return {}
    return {"starts_at": at, "start_before": None, "expires_at": at + timedelta(days=days)}


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
