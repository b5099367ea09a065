"""More days, more bytes, and a period that begins anew: each frees the client at once of what it
makes good, and of nothing else.

An extension changes what was sold: its bytes are there in every period from now on. A top-up is
for the period that runs: its bytes are gone with it. Days are the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from django.db import transaction

from audit.events import Actor
from gateways.models import Job
from peers.models import Client
from peers.services.changes import Changed, locked_client
from peers.services.entitlement import Standing
from peers.services.settling import settle, used_of
from peers.services.steps import Step, carry_out
from peers.sold import MAX_BYTES
from peers.values import CLIENT_CHECKS
from quotas.models import Usage
from rest.errors import Conflict, Invalid
from rest.versions import Version
from tenants.scoping import Caller


class More(Protocol):
    """`extension` or `top_up`."""

    def __call__(
        self,
        standing: Standing,
        /,
        *,
        days: int | None,
        number: int | None,
        actor: Actor,
        at: datetime,
    ) -> Step: ...


#: What an extension changes, and the argument it comes from.
_EXTENDED: Final = {
    "expires_at": "days",
    "duration_days": "days",
    "start_before": "days",
    "quota_bytes": "bytes",
}


@transaction.atomic
def extend_client(
    *,
    caller: Caller,
    client_id: UUID,
    at: datetime,
    days: int | None = None,
    number: int | None = None,
    if_match: Version | None = None,
) -> Changed:
    """More days and more bytes for good. Raises `Conflict` (``not_limited``) where there is
    nothing to add to.
    """
    standing = Standing(locked_client(caller, client_id, if_match))
    step = extension(standing, days=days, number=number, actor=caller.actor, at=at)
    return carry_out(step, kind=Job.Kind.UPDATE, caller=caller, at=at)


@transaction.atomic
def top_up_client(
    *,
    caller: Caller,
    client_id: UUID,
    at: datetime,
    days: int | None = None,
    number: int | None = None,
    if_match: Version | None = None,
) -> Changed:
    """More bytes for the period that runs, and more days. Raises as `extend_client` does."""
    standing = Standing(locked_client(caller, client_id, if_match))
    step = top_up(standing, days=days, number=number, actor=caller.actor, at=at)
    return carry_out(step, kind=Job.Kind.UPDATE, caller=caller, at=at)


@transaction.atomic
def reset_usage(
    *, caller: Caller, client_id: UUID, at: datetime, if_match: Version | None = None
) -> Changed:
    """Begin the period's bytes at 0; it ends when it would have. What was topped up is gone."""
    standing = Standing(locked_client(caller, client_id, if_match))
    step = usage_reset(standing, actor=caller.actor, at=at)
    return carry_out(step, kind=Job.Kind.UPDATE, caller=caller, at=at)


def extension(
    standing: Standing, *, days: int | None, number: int | None, actor: Actor, at: datetime
) -> Step:
    """More days from the end (from now, where that is past), and so many bytes more.

    What comes of it must be what a client may have.
    """

    def add(client: Client) -> None:
        if days:
            _add_days(client, days, at)
        if number:
            _add_bytes(client, number)

    changed, before = _changed(standing.client, add)
    after = {name: getattr(standing.client, name) for name in changed}
    return _step(standing, "client.extended", changed, {}, before, after, actor=actor, at=at)


def top_up(
    standing: Standing, *, days: int | None, number: int | None, actor: Actor, at: datetime
) -> Step:
    """More days as an extension gives them, and so many bytes more until the period is over."""

    def add(client: Client) -> None:
        if days:
            _add_days(client, days, at)

    changed, before = _changed(standing.client, add)
    after = {name: getattr(standing.client, name) for name in changed}
    moved: dict[str, Any] = {}
    if number:
        if standing.client.quota_bytes is None:
            raise _not_limited("bytes", "This client has no quota of both directions together.")
        extra = standing.usage.extra_bytes + number
        if extra > MAX_BYTES:
            text = f"Together at most {MAX_BYTES} bytes."
            raise Invalid(text, field="bytes", code="out_of_range")
        moved["extra_bytes"] = extra
        before["extra_bytes"], after["extra_bytes"] = standing.usage.extra_bytes, extra
    return _step(standing, "client.topped_up", changed, moved, before, after, actor=actor, at=at)


def usage_reset(standing: Standing, *, actor: Actor, at: datetime) -> Step:
    """The next period begins now, as one that ends when the one before would have."""
    usage = standing.usage
    used = used_of(usage)
    before = {"used_bytes": used.up + used.down, "extra_bytes": used.extra}
    moved = reset_columns(usage, at=at)
    after = {"period": moved["period"]}
    return _step(standing, "client.usage_reset", [], moved, before, after, actor=actor, at=at)


def reset_columns(usage: Usage, *, at: datetime, extra: int = 0) -> dict[str, Any]:
    """What a reset makes of a usage whose row is locked: a base that moves, and no counter."""
    return {
        "period": usage.period + 1,
        "period_began_at": at,
        "base_up": usage.billed_up,
        "base_down": usage.billed_down,
        "extra_bytes": extra,
        "throttled_since": None,
        "warned_percent": 0,
    }


def _step(
    standing: Standing,
    action: str,
    fields: list[str],
    moved: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
) -> Step:
    """A step of these fields of the client and of its usage, with the holds that follow."""
    for name, value in moved.items():
        setattr(standing.usage, name, value)
    settled = settle(standing, {*fields, *moved}, actor=actor, at=at)
    return Step(
        standing.client,
        action,
        fields=fields,
        before=before,
        after=after,
        turn=settled.turn,
        usage=settled.usage,
        usage_fields=settled.fields,
    )


def _changed(client: Client, add: Callable[[Client], None]) -> tuple[list[str], dict[str, Any]]:
    """The fields that ``add`` changes, checked, and what they were."""
    former = {name: getattr(client, name) for name in _EXTENDED}
    add(client)
    changed = [name for name in _EXTENDED if getattr(client, name) != former[name]]
    for name in changed:
        _check(name, getattr(client, name))
    return changed, {name: former[name] for name in changed}


def _check(name: str, value: object) -> None:
    """Raise `Invalid`, in the name of the argument, for what no client may have."""
    try:
        CLIENT_CHECKS[name](value, name)
    except Invalid as refusal:
        text = f"The new {name} is not possible. {refusal.message}"
        raise Invalid(text, field=_EXTENDED[name], code=refusal.code) from None


def _add_days(client: Client, days: int, at: datetime) -> None:
    if client.expires_at is not None:
        try:
            client.expires_at = max(client.expires_at, at) + timedelta(days=days)
        except OverflowError:
            raise Invalid("This leads beyond the calendar.", field="days") from None
    elif client.duration_days is not None:  # counts from a first handshake that is to come
        client.duration_days += days
        if client.start_before is not None and client.start_before <= at:  # was missed
            client.start_before = at + timedelta(days=days)
    else:
        raise _not_limited("days", "This client does not expire.")


def _add_bytes(client: Client, number: int) -> None:
    if client.quota_bytes is None:
        raise _not_limited("bytes", "This client has no quota.")
    client.quota_bytes += number


def _not_limited(field: str, text: str) -> Conflict:
    return Conflict(text, field=field, code="not_limited")
