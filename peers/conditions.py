"""Conditions on clients that ask what stands around their rows: holds, devices, what is used."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, In
from django.utils import timezone

from peers.models import Peer
from peers.queries import with_status
from peers.sold import MAX_DAYS
from quotas.models import Hold
from quotas.policies import STATE_OF_HOLD

_REASONS: Final = tuple(STATE_OF_HOLD)


def in_state(state: str) -> Q:
    """Clients whose `ClientView.state` is this one."""
    held = Exists(_open_holds())
    failed = Exists(_in_status("failed", "quarantined"))
    pending = Exists(_in_status("pending"))
    if state == "active":
        return ~Q(held) & ~Q(failed) & ~Q(pending)
    if state == "failed":
        return ~Q(held) & Q(failed)
    if state == "pending":
        return ~Q(held) & ~Q(failed) & Q(pending)
    return _held_state(state)


def _held_state(state: str) -> Q:
    """The strongest open hold decides, as in `quotas.policies.held_state`."""
    ranks = [rank for rank, meaning in enumerate(STATE_OF_HOLD.values()) if meaning == state]
    mine = Exists(_open_holds().filter(reason__in=[_REASONS[rank] for rank in ranks]))
    return Q(mine) & Q(In(strongest_hold(), ranks))  # few have such a hold: that is asked first


def strongest_hold() -> Subquery:
    """Of each client the place of its strongest open hold in `STATE_OF_HOLD`; null for none."""
    ranks = [When(reason=reason, then=Value(n)) for n, reason in enumerate(STATE_OF_HOLD)]
    rank = Case(*ranks, default=Value(len(ranks)), output_field=IntegerField())
    holds = _open_holds().annotate(rank=rank).order_by("rank")
    return Subquery(holds.values("rank")[:1], output_field=IntegerField())


def held(value: str) -> Q:
    """``true`` or ``false``: whether anything keeps the client off."""
    condition = Q(Exists(_open_holds()))
    return condition if value == "true" else ~condition


def connected(value: str) -> Q:
    """``true`` or ``false``: whether a device of it ever shook hands."""
    return Q(first_connected_at__isnull=value == "false")


def ends_within(value: str) -> Q:
    """Clients whose time ends in so many days from now; those that ended are not in it."""
    at = timezone.now()
    until = at + timedelta(days=_whole(value, 1, MAX_DAYS))
    return Q(expires_at__gt=at, expires_at__lte=until)


def used_over(value: str) -> Q:
    """Clients that used so much of what they may, in percent of the limit that is nearest."""
    percent = _whole(value, 1, 100)
    up = F("usage__billed_up") - F("usage__base_up")
    down = F("usage__billed_down") - F("usage__base_down")
    both = _reaches(up + down, F("quota_bytes") + Coalesce(F("usage__extra_bytes"), 0), percent)
    return (
        both
        | _reaches(up, F("upload_quota_bytes"), percent)
        | _reaches(down, F("download_quota_bytes"), percent)
    )


def _reaches(used: Combinable, limit: Combinable, percent: int) -> Q:
    """Whether so many percent are used, without a product too large for a column."""
    least = limit / 100 * percent + (limit % 100 * percent + 99) / 100
    number = BigIntegerField()
    return Q(
        GreaterThanOrEqual(
            ExpressionWrapper(Coalesce(used, 0), output_field=number),
            ExpressionWrapper(least, output_field=number),
        )
    )


def _whole(value: str, least: int, most: int) -> int:
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else -1
    if not least <= number <= most:
        raise ValueError(f"This must be a number from {least} to {most}.")
    return number


def devices_of_client() -> QuerySet[Peer]:
    """The living devices of the client that is asked about."""
    # The tenant is the client's; saying so lets an index find the few among everybody's.
    return Peer.objects.filter(
        client=OuterRef("pk"), tenant=OuterRef("tenant"), deleted_at__isnull=True
    )


def _in_status(*words: str) -> QuerySet[Peer]:
    return with_status(devices_of_client()).filter(Q(status_word__in=words))


def _open_holds() -> QuerySet[Hold]:
    return Hold.objects.filter(
        client=OuterRef("pk"), tenant=OuterRef("tenant"), closed_at__isnull=True
    )
