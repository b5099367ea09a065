"""More days and more bytes for a client, on top of what it has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from peers.models import Client
from peers.services.entitlement import Standing
from peers.services.steps import Step
from peers.values import CLIENT_CHECKS
from rest.errors import Conflict, Invalid

#: What an extension changes, and the argument it comes from.
_EXTENDED: Final = {"expires_at": "days", "duration_days": "days", "quota_bytes": "bytes"}


def extension(standing: Standing, *, days: int | None, number: int | None, at: datetime) -> Step:
    """More days from the end (from now, where that is past), and so many bytes more.

    What comes of it must be what a client may have.
    """
    client = standing.client
    former = {name: getattr(client, name) for name in _EXTENDED}
    if days:
        _add_days(client, days, at)
    if number:
        _add_bytes(client, number)
    changed = [name for name in _EXTENDED if getattr(client, name) != former[name]]
    for name in changed:
        _check(name, getattr(client, name))
    return Step(
        client,
        "client.extended",
        fields=changed,
        before={name: former[name] for name in changed},
        after={name: getattr(client, name) for name in changed},
    )


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
    else:
        raise Conflict("This client does not expire.", field="days", code="not_limited")


def _add_bytes(client: Client, number: int) -> None:
    if client.quota_bytes is None:
        raise Conflict("This client has no quota.", field="bytes", code="not_limited")
    client.quota_bytes += number
