"""Why a client is off, in one answer: the reason, in words, since when, and what brings it back.

Of several reasons the strongest, as its state has it (`quotas.policies`); all are in its holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from peers.models import Client
from peers.shown import Device
from quotas.models import Hold, Plan, Usage
from quotas.policies import STATE_OF_HOLD

DELETED: Final = "deleted"
INTERFACE: Final = "interface-down"
REASONS: Final = (*Hold.Reason.values, DELETED, INTERFACE)


@dataclass(frozen=True)
class Off:
    """Why a client is off. ``until`` is when it comes back by itself; None: not by itself."""

    reason: str
    message: str
    remedy: str
    since: datetime | None = None
    until: datetime | None = None


def why_off(
    client: Client, holds: Sequence[Hold], devices: Sequence[Device], usage: Usage | None
) -> Off | None:
    """The reason why no device of the client may connect; None when it may."""
    if client.deleted_at is not None:
        until = client.purge_at
        remedy = f"Restore it before {_shown(until)}." if until else "Nothing."
        return Off(DELETED, "It was deleted.", remedy, client.deleted_at)
    by_reason = {hold.reason: hold for hold in holds}
    strongest = next((reason for reason in STATE_OF_HOLD if reason in by_reason), None)
    if strongest is not None:
        return _held(client, by_reason[strongest], usage)
    if devices and all(device.interface_down for device in devices):
        text = "The interface of its devices is down."
        return Off(INTERFACE, text, "The operator has to bring the interface up.")
    return None


def _held(client: Client, hold: Hold, usage: Usage | None) -> Off:
    until = hold.until
    message, remedy = _WORDS.get(hold.reason, ("It is held.", "Ask the operator."))
    if hold.reason == Hold.Reason.QUOTA:
        until = usage.period_ends_at if usage is not None else None
        renews = client.reset != Plan.Reset.NONE and until is not None
        message = "The bytes of its period are used up." if renews else "Its bytes are used up."
        remedy = f"{remedy} By itself when the next period begins." if renews else remedy
    elif hold.reason == Hold.Reason.EXPIRED:
        message = _ended(client)
    if hold.note:
        message = f"{message} ({hold.note})"
    return Off(hold.reason, message, remedy, hold.opened_at, until)


def _ended(client: Client) -> str:
    if client.starts_at is None and client.start_before is not None:
        return f"Its first handshake had to come before {_shown(client.start_before)}."
    return "Its time is over." if client.expires_at is None else _over(client.expires_at)


def _over(end: datetime) -> str:
    return f"Its time ended at {_shown(end)}."


_WORDS: Final[dict[str, tuple[str, str]]] = {
    Hold.Reason.MANUAL: ("Its seller switched it off.", "Enable it."),
    Hold.Reason.SUSPENDED: ("Its seller suspended it.", "Unsuspend it."),
    Hold.Reason.TENANT_SUSPENDED: ("Its tenant is suspended.", "The operator resumes the tenant."),
    Hold.Reason.TENANT_POOL: (
        "The bytes of its tenant are used up.",
        "More bytes for the tenant, or the tenant's next period.",
    ),
    Hold.Reason.QUOTA: ("", "A top-up, a larger quota, another plan or a reset."),
    Hold.Reason.EXPIRED: ("", "More days, a later end or another plan."),
    Hold.Reason.PLAN: ("What was sold has not begun.", "It begins by itself, or name another day."),
    Hold.Reason.KICK: ("It was thrown out for a while.", "It comes back by itself."),
}


def _shown(moment: datetime | None) -> str:
    """To the second, in UTC."""
    if moment is None:
        return "long ago"
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
