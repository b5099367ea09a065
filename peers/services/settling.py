"""What a change of terms or of usage does to the holds that follow from them, at once.

An act settles what it touched, and nothing else: more days close the hold of the end, more bytes
that of the bytes, and a client that is off for another reason stays off.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from audit.events import Actor
from peers.models import Client
from peers.services.entitlement import Standing, Turn, turning
from peers.services.periods import period_of
from peers.sold import QUOTAS
from quotas import services as holds_of
from quotas.models import Hold, Usage
from quotas.policies import EXPIRED, PLAN, QUOTA
from quotas.verdicts import Terms, Used, Verdict, verdict

#: Fields of a client or its usage -> the holds that follow from them.
_FOLLOW: Final = {
    QUOTA: frozenset({*QUOTAS, "at_limit", "base_up", "base_down", "extra_bytes"}),
    EXPIRED: frozenset({"expires_at", "grace_seconds", "starts_at", "start_before"}),
    PLAN: frozenset({"starts_at"}),
}
#: What is said of a client that its usage may follow.
TOUCHING: Final = frozenset({*QUOTAS, "at_limit", "reset", "starts_at", "duration_days", "plan"})
#: What the dates of a period follow from.
_DATED: Final = frozenset({"reset", "starts_at"})


@dataclass(frozen=True)
class Settled:
    """Holds that turn, and the usage with its fields that changed; not written yet."""

    turn: Turn | None = None
    usage: Usage | None = None
    fields: frozenset[str] = frozenset()


def terms_of(client: Client) -> Terms:
    """What was sold to the client, as verdicts ask for it."""
    return Terms(
        quota_bytes=client.quota_bytes,
        upload_quota_bytes=client.upload_quota_bytes,
        download_quota_bytes=client.download_quota_bytes,
        at_limit=client.at_limit,
        starts_at=client.starts_at,
        start_before=client.start_before,
        expires_at=client.expires_at,
        grace_seconds=client.grace_seconds,
    )


def used_of(usage: Usage) -> Used:
    """What it used in its period, as verdicts ask for it."""
    return Used(
        up=usage.billed_up - usage.base_up,
        down=usage.billed_down - usage.base_down,
        extra=usage.extra_bytes,
    )


def settle(standing: Standing, changed: Collection[str], *, actor: Actor, at: datetime) -> Settled:
    """What follows from these fields of the client and its usage, as the objects have them now.

    The usage is read (and locked) only where something follows from it.
    """
    reasons = {reason for reason, fields in _FOLLOW.items() if fields & set(changed)}
    fields = set(changed) & _USAGE_FIELDS
    client = standing.client
    if _DATED & set(changed):
        fields |= _date(standing, at)
    used = used_of(standing.usage) if QUOTA in reasons else Used()
    found = verdict(terms_of(client), used, at)
    if QUOTA in reasons and found.throttled != (standing.usage.throttled_since is not None):
        standing.usage.throttled_since = at if found.throttled else None
        fields.add("throttled_since")
    turn = _turn(standing, reasons, found, actor, at)
    return Settled(turn, standing.usage if fields else None, frozenset(fields))


_USAGE_FIELDS: Final = frozenset(field.name for field in Usage._meta.concrete_fields)


def _date(standing: Standing, at: datetime) -> set[str]:
    """Date the period that runs anew: what it counted stays, and from now on another one follows.

    Who has no usage yet and needs no period gets none.
    """
    client = standing.client
    period = period_of(client, at=at)
    if period is None and not standing.is_counted:
        return set()
    usage = standing.usage
    usage.period_ends_at = None if period is None else period.ends_at
    if period is not None and usage.period_began_at is None:
        usage.period_began_at = period.began_at
    return {"period_began_at", "period_ends_at"}


def _turn(
    standing: Standing, reasons: Collection[str], found: Verdict, actor: Actor, at: datetime
) -> Turn | None:
    opens: list[Hold] = []
    closes: list[Hold] = []
    for reason in sorted(reasons):
        hold, must = standing.holds.get(reason), reason in found.holds
        until = standing.client.starts_at if reason == PLAN else None
        if hold is not None and (not must or hold.until != until):
            closes.append(hold)
            hold = None
        if must and hold is None:
            opens.append(_opened(standing, reason, until, actor, at))
    return turning(standing, opens=opens, closes=closes) if opens or closes else None


def _opened(
    standing: Standing, reason: str, until: datetime | None, actor: Actor, at: datetime
) -> Hold:
    hold: Any = holds_of.new_hold(
        tenant_id=standing.client.tenant_id,
        client_id=standing.client.pk,
        reason=reason,
        by=actor.name,
        at=at,
        until=until,
    )
    if reason == QUOTA:
        hold.period = standing.usage.period
    return hold  # type: ignore[no-any-return]
