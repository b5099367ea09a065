"""Another plan for a client: now, when its period ends, or when what was sold ends.

A change now or at the next period leaves the end, which is paid for; a plan that follows at the
end is a sale of its own, with its own beginning and end. What is left of the bytes goes over, or
does not, as the seller says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from audit.events import SYSTEM, Actor
from gateways.models import Job
from peers.models import Client
from peers.services.changes import Changed, locked_client
from peers.services.clients import update_step
from peers.services.clockwork import all_due, due_ids
from peers.services.ends import write_for_all
from peers.services.entitlement import Standing, standings
from peers.services.extension import reset_columns
from peers.services.limits import admit_devices
from peers.services.mass import lock_clients, tenants_of
from peers.services.periods import period_of
from peers.services.settling import settle, terms_of, used_of
from peers.services.steps import Step, carry_out
from peers.services.terms import QUEUE, changed_terms, end_of, limits_of
from quotas.models import Plan
from quotas.queries import find_sold_plan
from quotas.services import lock_usages
from quotas.verdicts import OVER
from rest.errors import Conflict, Invalid
from rest.versions import Version
from tenants.scoping import Caller

NOW: Final = "now"
#: The period goes on and what was used in it counts; a new one begins without what is left of
#: the old one's bytes; or with it.
KEEP, DROP, CARRY = "keep", "drop", "carry"
RESTS: Final = (KEEP, DROP, CARRY)
WHENS: Final = (NOW, *Client.NextPlan.values)
#: Clients of one transaction that get their next plan.
_BATCH: Final = 200


@transaction.atomic
def change_plan(
    *,
    caller: Caller,
    client_id: UUID,
    at: datetime,
    plan: UUID | None,
    when: str = NOW,
    rest: str | None = None,
    if_match: Version | None = None,
    **terms: Any,
) -> Changed:
    """Put the client on another plan (None: on none), now or later.

    Later, None takes back what was decided before. ``terms`` are said for a change now, over the
    plan's own. Raises `Missing`, `StaleVersion`, `Invalid` (``plan_unknown``, ``plan_archived``,
    ``contradiction``) and `Conflict` (``limit_devices``, ``not_limited`` for a client that has no
    such period or end).
    """
    standing = Standing(locked_client(caller, client_id, if_match))
    if when != NOW:
        step = _queued(standing, caller, plan, when=when, rest=rest or DROP, terms=terms)
    elif rest in (None, KEEP):
        step = update_step(standing, {"plan": plan, **terms}, caller=caller, at=at)
    else:
        step = _anew(standing, caller, plan, carries=rest == CARRY, terms=terms, at=at)
    return carry_out(step, kind=Job.Kind.UPDATE, caller=caller, at=at)


def _anew(
    standing: Standing,
    caller: Caller,
    plan_id: UUID | None,
    *,
    carries: bool,
    terms: Mapping[str, Any],
    at: datetime,
) -> Step:
    """The plan now, with a period that begins now."""
    client = standing.client
    changes = changed_terms(caller, client, {"plan": plan_id, **terms}, at=at)
    begun = changes.get("starts_at", client.starts_at)
    if begun is not None and begun <= at:
        changes["starts_at"] = at
    step = _taken(standing, changes, "client.updated", carries, caller.actor, at)
    admit_devices(client, len(standing.peers))
    return step


def _queued(
    standing: Standing,
    caller: Caller,
    plan_id: UUID | None,
    *,
    when: str,
    rest: str,
    terms: Mapping[str, Any],
) -> Step:
    """The plan that follows, written down."""
    client = standing.client
    if terms or rest == KEEP:
        field = next(iter(terms), "rest")
        raise Invalid("This counts only for a change now.", field=field, code="contradiction")
    values: dict[str, Any] = dict(zip(QUEUE, (None, "", False), strict=True))
    if plan_id is not None:
        plan = find_sold_plan(caller, plan_id)
        _refuse_never(client, when)
        _refuse_fewer_devices(client, plan, len(standing.peers))
        values = dict(zip(QUEUE, (plan, when, rest == CARRY), strict=True))
    changed = {name: value for name, value in values.items() if getattr(client, name) != value}
    before = {name: getattr(client, name) for name in changed}
    for name, value in changed.items():
        setattr(client, name, value)
    action = "client.plan_queued" if plan_id is not None else "client.plan_unqueued"
    return Step(client, action, bool(changed), fields=changed, before=before, after=changed)


def _refuse_never(client: Client, when: str) -> None:
    """Raise `Conflict` where the moment would never come."""
    terms = terms_of(client)
    limited = any((terms.quota_bytes, terms.upload_quota_bytes, terms.download_quota_bytes))
    ends = client.expires_at is not None or client.duration_days is not None
    if when == Client.NextPlan.PERIOD and client.reset == Plan.Reset.NONE:
        raise Conflict("This client has no periods.", field="when", code="not_limited")
    used_up = limited and client.reset == Plan.Reset.NONE
    if when == Client.NextPlan.END and not (ends or used_up):
        raise Conflict("What this client has never ends.", field="when", code="not_limited")


def _refuse_fewer_devices(client: Client, plan: Plan, number: int) -> None:
    now, client.plan = client.plan, plan
    try:
        admit_devices(client, number)
    finally:
        client.plan = now


def _taken(
    standing: Standing,
    changes: dict[str, Any],
    action: str,
    carries: bool,
    actor: Actor,
    at: datetime,
) -> Step:
    """The step that gives a client these terms, and begins its bytes at 0."""
    client, usage = standing.client, standing.usage
    left = _left(standing) if carries else 0
    changes = {name: value for name, value in changes.items() if getattr(client, name) != value}
    before = {name: getattr(client, name) for name in changes}
    for name, value in changes.items():
        setattr(client, name, value)
    extra = left if client.quota_bytes is not None else 0
    moved = reset_columns(usage, at=at, extra=extra)
    period = period_of(client, at=at)
    moved["period_began_at"] = at if period is None else period.began_at
    moved["period_ends_at"] = None if period is None else period.ends_at
    for name, value in moved.items():
        setattr(usage, name, value)
    settled = settle(standing, {*changes, *moved}, actor=actor, at=at)
    after = {**changes, "period": usage.period, "extra_bytes": extra}
    return Step(
        client,
        action,
        fields=changes,
        before=before,
        after=after,
        turn=settled.turn,
        usage=usage,
        usage_fields=frozenset({*settled.fields, *moved}),
    )


def _left(standing: Standing) -> int:
    """What is left of the bytes of both directions together."""
    limit, used = standing.client.quota_bytes, used_of(standing.usage)
    return 0 if limit is None else max(0, limit + used.extra - used.up - used.down)


# -- What was decided before, when its time has come ---------------------------------------------

_BY_CLOCK: Final = (
    "(c.next_plan_when = 'period' AND u.period_ends_at <= %(at)s"
    " OR c.next_plan_when = 'end' AND c.expires_at <= %(at)s)"  # the end without its grace
)
#: The bytes, where no period brings them back.
_BY_BYTES: Final = f"(c.next_plan_when = 'end' AND c.reset = 'none' AND {OVER})"


def follow_plans(*, at: datetime, since: datetime | None) -> int:
    """Put clients on the plan that follows; how many. Raises `ClockDoubted`."""
    queued, size = "c.next_plan_id IS NOT NULL AND", _BATCH
    done = all_due(f"{queued} {_BY_BYTES}", _follow, size=size, at=at, since=None)
    return done + all_due(f"{queued} {_BY_CLOCK}", _follow, size=size, at=at, since=since)


@transaction.atomic
def _follow(ids: Sequence[int], condition: str, at: datetime) -> int:
    rows = {row.id: row for row in lock_clients(ids)}
    usages = lock_usages(tenants_of(rows))
    still = due_ids(condition, at, list(rows))
    clients = Client.objects.filter(pk__in=still).order_by("pk")
    found = list(clients.select_related("plan", "next_plan", "tenant"))
    steps = [_followed(one, at) for one in standings(found, usages=usages)]
    write_for_all(steps, kind=Job.Kind.UPDATE, at=at)
    return len(steps)


def _followed(standing: Standing, at: datetime) -> Step:
    client, carries = standing.client, standing.client.next_plan_carries
    plan = client.next_plan
    if plan is None:
        raise ValueError(f"client {client.pk} has no plan to follow")
    changes: dict[str, Any] = {
        "plan": plan,
        **limits_of(plan),
        **dict(zip(QUEUE, (None, "", False), strict=True)),
    }
    if client.next_plan_when == Client.NextPlan.END:
        changes |= _sold_anew(plan, at)
    else:
        if client.expires_at is None and client.duration_days is None:
            changes |= _sold_anew(plan, at)
        if changes.get("starts_at", client.starts_at) is not None:
            changes["starts_at"] = standing.usage.period_ends_at or at
    return _taken(standing, changes, "client.renewed", carries, SYSTEM, at)


def _sold_anew(plan: Plan, at: datetime) -> dict[str, Any]:
    """Beginning and end of a plan that follows; one with a date of its own begins at once."""
    terms = {"starts_at": at, "start_before": None, "duration_days": None, "expires_at": None}
    if plan.start == Plan.Start.FIRST_HANDSHAKE:
        return terms | end_of(plan, at)
    if plan.duration_days is not None:
        terms["expires_at"] = at + timedelta(days=plan.duration_days)
    return terms
