"""A line of the table of clients, ready for its template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext, gettext_noop, ngettext

from peers.api.representation import is_online
from peers.queries import ClientView
from peers.reasons import INTERFACE
from portal import formats
from quotas.models import Hold

#: An end that is nearer than this is said in warning.
SOON_DAYS: Final = 3
_DAY: Final = 86_400


@dataclass(frozen=True)
class Use:
    """What is used of what was sold. ``share``: percent, None without a limit; ``passed``: of the
    period; ``tone``: how the bar looks.
    """

    words: str
    share: int | None
    passed: int | None
    tone: str


@dataclass(frozen=True)
class Row:
    """One client. ``key`` names its cells in the page."""

    uuid: UUID
    key: str
    #: Its only device; None of several.
    device: UUID | None
    name: str
    beside: str
    tenant: str
    glyph: str
    state: str
    is_off: bool
    plan: str
    use: Use
    ends: str
    ends_soon: bool
    today: int
    address: str
    more_addresses: int
    interface: str
    seen_at: datetime | None
    tags: tuple[str, ...]
    external_id: str
    made_at: datetime


def row_of(view: ClientView, at: datetime, today: Mapping[int, int], *, tenant: str = "") -> Row:
    """A client as the table shows it."""
    client, devices = view.client, view.devices
    glyph, words = state_of(view, at)
    ends, soon = ends_of(view, at)
    addresses = [text.partition("/")[0] for device in devices for text in device.addresses]
    places = dict.fromkeys(f"{device.gateway} {device.interface}" for device in devices)
    seen = [d.peer.last_handshake_at for d in devices if d.peer.last_handshake_at is not None]
    return Row(
        uuid=client.uuid,
        key=client.uuid.hex[:12],
        device=devices[0].peer.uuid if len(devices) == 1 else None,
        name=client.name,
        beside=_beside(view),
        tenant=tenant,
        glyph=glyph,
        state=words,
        is_off=bool(view.holds),
        plan=client.plan.name if client.plan else "",
        use=use_of(view, at),
        ends=ends,
        ends_soon=soon,
        today=today.get(client.pk, 0),
        address=addresses[0] if addresses else "",
        more_addresses=max(0, len(devices) - 1),
        interface=", ".join(places),
        seen_at=max(seen, default=None),
        tags=tuple(client.tags),
        external_id=client.external_id or "",
        made_at=client.created_at,
    )


def _beside(view: ClientView) -> str:
    """What is said beside the name: how many devices, or what the only one is called."""
    count = len(view.devices)
    if count == 1:
        return view.devices[0].peer.name
    return ngettext("%s device", "%s devices", count) % formats.number(count) if count else ""


def state_of(view: ClientView, at: datetime) -> tuple[str, str]:
    """Glyph and words: why it is off, else how far it has come, else whether it is there."""
    off = view.off
    if off is not None:
        return _off_words(off.reason)
    if not view.devices:
        return "off", gettext("No device")
    state = view.state
    if state == "failed":
        return "bad", gettext("Failed")
    if state == "pending":
        return "wait", gettext("Applying")
    if view.usage is not None and view.usage.throttled_since is not None:
        rate = view.client.throttle_kbit
        return "warn", gettext("Slowed, %s") % rate_words(rate) if rate else gettext("Slowed")
    if any(is_online(device.peer, at=at) for device in view.devices):
        return "live", gettext("Online")
    if view.client.first_connected_at is None:
        return "new", gettext("Not used yet")
    return "idle", gettext("Idle")


_OFF: Final[dict[str, str]] = {
    Hold.Reason.MANUAL: gettext_noop("Off: by hand"),
    Hold.Reason.SUSPENDED: gettext_noop("Off: suspended"),
    Hold.Reason.TENANT_SUSPENDED: gettext_noop("Off: reseller suspended"),
    Hold.Reason.TENANT_POOL: gettext_noop("Off: reseller's quota"),
    Hold.Reason.QUOTA: gettext_noop("Off: quota"),
    Hold.Reason.EXPIRED: gettext_noop("Off: expired"),
    Hold.Reason.KICK: gettext_noop("Off for a moment"),
}


def _off_words(reason: str) -> tuple[str, str]:
    if reason == Hold.Reason.PLAN:
        return "new", gettext("Begins later")
    if reason == INTERFACE:
        return "bad", gettext("Interface down")
    return "off", gettext(_OFF.get(reason, "Off"))


def rate_words(kbit: int) -> str:
    """A speed: 2 Mbit/s, 512 kbit/s."""
    if kbit < 1000:
        return gettext("%s kbit/s") % formats.number(kbit)
    value = kbit / 1000
    return gettext("%s Mbit/s") % formats.number(value, 0 if value == int(value) else 1)


def use_of(view: ClientView, at: datetime) -> Use:
    """The bar and its words: 18.4 of 50 GB."""
    balance = view.balance
    percent = balance.percent
    if balance.limit is not None:
        words = gettext("%(used)s of %(limit)s") % {
            "used": _of_unit(balance.used, balance.limit),
            "limit": formats.size(balance.limit),
        }
    else:
        words = formats.size(balance.used)
    tone = "" if percent is None or percent < 90 else "warn" if percent < 100 else "bad"
    share = None if percent is None else min(percent, 100)
    return Use(words, share, _passed(view, at), tone)


def _of_unit(used: int, limit: int) -> str:
    """The used bytes without their unit, where it is that of the limit."""
    one, all_of_it = formats.size(used).rsplit(" ", 1), formats.size(limit).rsplit(" ", 1)
    return one[0] if one[1] == all_of_it[1] or used == 0 else " ".join(one)


def _passed(view: ClientView, at: datetime) -> int | None:
    """Percent of the period that has passed; None where it has no end."""
    usage, client = view.usage, view.client
    begun = (usage.period_began_at if usage else None) or client.starts_at or client.created_at
    end = (usage.period_ends_at if usage else None) or client.expires_at
    if end is None or end <= begun:
        return None
    return max(0, min(100, int(100 * ((at - begun) / (end - begun)))))


def ends_of(view: ClientView, at: datetime) -> tuple[str, bool]:
    """When it ends, in words, and whether that is soon."""
    client = view.client
    if client.expires_at is None:
        if client.duration_days is None or client.starts_at is not None:
            return "", False
        days = client.duration_days
        text = ngettext("%s day, unused", "%s days, unused", days)
        return text % formats.number(days), False
    seconds = (client.expires_at - at).total_seconds()
    if seconds <= 0:
        return formats.ago(-seconds), False
    return until(seconds), seconds < SOON_DAYS * _DAY


def until(seconds: float) -> str:
    """How long from now, in the largest whole unit."""
    if seconds < 3600:
        text, count = gettext("in 0 min"), max(1, int(seconds // 60))
    elif seconds < _DAY:
        text, count = gettext("in 0 h"), int(seconds // 3600)
    else:
        count = int(seconds // _DAY)
        return ngettext("in %s day", "in %s days", count) % formats.number(count)
    return text.replace("0", formats.number(count))
