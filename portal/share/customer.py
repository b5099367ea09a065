"""What the page behind a share link says to a customer. Pure: rows in, words out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.utils.translation import gettext, ngettext

from peers.api.representation import is_online
from peers.models import Peer, ShareLink
from peers.queries import ClientView, Device
from portal import calendar, formats

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Figure:
    """One of the page's figures: what, how much, of what, and a line below it."""

    title: str
    value: str
    unit: str
    below: str
    #: Parts of 100 of the bar, None without one.
    share: int | None = None
    tone: str = ""


@dataclass(frozen=True)
class Customer:
    """The page's words. ``glyph`` is a state's name in the sprite."""

    glyph: str
    verdict: str
    reason: str
    figures: tuple[Figure, ...]
    outdated: str
    #: What to do where there is nothing to connect to; empty where the file works.
    remedy: tuple[str, ...] = ()


def customer(link: ShareLink, view: ClientView, device: Device, at: datetime) -> Customer:
    """The page of a link's device."""
    glyph, verdict, reason = _verdict(link, view, device, at)
    return Customer(
        glyph=glyph,
        verdict=verdict,
        reason=reason,
        figures=(_usage(view), _time(link, view, at), _device(link, device, at)),
        outdated=_outdated(link, device),
        remedy=_remedy(link, view),
    )


def days_left(view: ClientView, at: datetime) -> int | None:
    """Days, begun ones counted; None when nothing ends or nothing has begun."""
    end = view.client.expires_at
    return None if end is None else max(0, ceil((end - at) / _DAY))


def _verdict(
    link: ShareLink, view: ClientView, device: Device, at: datetime
) -> tuple[str, str, str]:
    seller = link.tenant.brand_name or link.tenant.name
    off = {
        "disabled": gettext("%s has switched it off. Ask there why.") % seller,
        "suspended": gettext("%s has paused it. Ask there what is missing.") % seller,
        "expired": gettext("Your plan has ended."),
        "over-quota": gettext("Your data is used up."),
        "kicked": gettext("A short break: it comes back by itself."),
        "scheduled": gettext("What you bought has not begun yet."),
    }
    if view.state in off:
        return "off", gettext("Your connection is off."), off[view.state]
    if device.peer.awaits_key:
        return (
            "new",
            gettext("Your connection waits for its key."),
            gettext("It is made on your device and never leaves it."),
        )
    if view.state == "failed":
        return (
            "bad",
            gettext("Your connection is not set up yet."),
            gettext("Something stands against it. %s can see what.") % seller,
        )
    if is_online(device.peer, at=at):
        return "live", gettext("Your connection is on."), gettext("Your device is connected now.")
    if view.state == "pending":
        return (
            "wait",
            gettext("Your connection is being set up."),
            gettext("That takes a few seconds."),
        )
    return "idle", gettext("Your connection is ready."), _seen(device.peer, at)


def _remedy(link: ShareLink, view: ClientView) -> tuple[str, ...]:
    """What a customer can do whose connection is off. The file is not to blame, and stays right."""
    seller = link.tenant.brand_name or link.tenant.name
    ask = {
        "disabled": gettext("Ask %s: only there it can be switched on again."),
        "suspended": gettext("Ask %s: only there it can be switched on again."),
        "expired": gettext("Ask %s to extend it."),
        "over-quota": gettext("Ask %s for more data."),
    }
    keep = gettext("Leave the tunnel in the app as it is: it works again with the same file.")
    if view.state == "kicked":
        return (gettext("Wait a minute."), keep)
    if view.state == "scheduled":
        return (gettext("Wait: it begins by itself."), keep)
    return (ask[view.state] % seller, keep) if view.state in ask else ()


def _seen(peer: Peer, at: datetime) -> str:
    age = formats.age(peer.last_handshake_at, at)
    if age is None:
        return gettext("It has never been used.")
    return gettext("Last used %s.") % formats.ago(age)


def _usage(view: ClientView) -> Figure:
    """What is left of what was sold for the period, else what was used in it: as it is billed."""
    now = view.balance
    down, up, used = now.used_down, now.used_up, now.used
    both = gettext("%(down)s down, %(up)s up") % {
        "down": formats.size(down), "up": formats.size(up)
    }  # fmt: skip
    if not used:  # in words: a Persian zero is a dot
        both = gettext("Nothing used yet")
    if view.usage is not None and view.usage.throttled_since is not None:
        both = gettext("Used up: it is slow for now.")
    if now.nearest is None and not used:
        return Figure(gettext("Used so far"), gettext("Nothing yet"), "", "")
    if now.nearest is None:
        value, unit = formats.size(used).split(" ", 1)
        return Figure(gettext("Used so far"), value, unit, both)
    counted, quota = now.nearest
    left = max(0, quota - counted)
    value, unit = _sold(left).split(" ", 1)
    share = 100 if quota == 0 else min(100, round(100 * counted / quota))
    tone = "bad" if share >= 100 else "warn" if share >= 90 else ""
    of = gettext("%(unit)s of %(quota)s") % {"unit": unit, "quota": _sold(quota)}
    if not left:
        value, of = gettext("Nothing"), gettext("of %s") % _sold(quota)
    return Figure(gettext("Data left"), value, of, both, share, tone)


def _sold(quota: int) -> str:
    """A quota as it is sold: 50 GB, not 50.0 GB."""
    text = formats.size(quota)
    for zero in (".0 ", "\u066b\u06f0 "):
        text = text.replace(zero, " ")
    return text


def _time(link: ShareLink, view: ClientView, at: datetime) -> Figure:
    title, left, end = gettext("Days left"), days_left(view, at), view.client.expires_at
    if left is not None and end is not None:
        until = gettext("until %s") % calendar.day(end, link.tenant.timezone)
        if not left:
            return Figure(title, gettext("None"), "", until)
        return Figure(title, formats.number(left), ngettext("day", "days", left), until)
    days = view.client.duration_days
    if days is not None:
        below = gettext("counted from your first connection")
        return Figure(title, formats.number(days), ngettext("day", "days", days), below)
    return Figure(title, gettext("No end"), "", gettext("It runs until it is switched off."))


def _device(link: ShareLink, device: Device, at: datetime) -> Figure:
    where = link.peer.interface.gateway.location
    below = gettext("Location: %s") % where if where else ""
    if is_online(device.peer, at=at):
        return Figure(gettext("Your device"), gettext("Connected"), "", below)
    return Figure(gettext("Your device"), gettext("Not connected"), "", below)


def _outdated(link: ShareLink, device: Device) -> str:
    """Why the file must be fetched again, "" when it need not be."""
    peer = device.peer
    if not device.file_outdated or peer.delivered_at is None:
        return ""
    when = calendar.day(peer.delivered_at, link.tenant.timezone)
    return gettext("Your file is from %s and is outdated: get it again below.") % when
