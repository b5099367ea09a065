"""What a customer's page says, behind a share link or a login. Pure: rows in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.utils.translation import gettext, ngettext

from peers.api.representation import is_online
from peers.queries import ClientView, Device
from portal import calendar, formats
from tenants.models import Tenant

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


@dataclass(frozen=True)
class Setting:
    """What the page's words depend on beside the client: whose it is, when, and in which time
    zone; ``place``: where the one device connects to.
    """

    tenant: Tenant
    at: datetime
    zone: str
    place: str = ""

    @property
    def seller(self) -> str:
        """What customers know the tenant as."""
        return self.tenant.brand_name or self.tenant.name

    def day(self, moment: datetime) -> str:
        """A day as it stands in a sentence."""
        return calendar.day(moment, self.zone)


def customer(setting: Setting, view: ClientView, devices: Sequence[Device]) -> Customer:
    """The page of a client, about these of its devices."""
    glyph, verdict, reason = _verdict(setting, view, devices)
    return Customer(
        glyph=glyph,
        verdict=verdict,
        reason=reason,
        figures=(_usage(view), _time(setting, view), _device(setting, devices)),
        outdated=next(filter(None, (outdated(setting, one) for one in devices)), ""),
        remedy=_remedy(setting, view),
    )


def days_left(view: ClientView, at: datetime) -> int | None:
    """Days, begun ones counted; None when nothing ends or nothing has begun."""
    end = view.client.expires_at
    return None if end is None else max(0, ceil((end - at) / _DAY))


def _verdict(setting: Setting, view: ClientView, devices: Sequence[Device]) -> tuple[str, str, str]:
    seller = setting.seller
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
    if not devices:
        words = gettext("%s can add one.") % seller
        return "new", gettext("Your connection has no device yet."), words
    if all(one.peer.awaits_key for one in devices):
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
    if _online(setting, devices):
        return "live", gettext("Your connection is on."), _connected(setting, devices)
    if view.state == "pending":
        return (
            "wait",
            gettext("Your connection is being set up."),
            gettext("That takes a few seconds."),
        )
    return "idle", gettext("Your connection is ready."), _seen(setting, devices)


def _online(setting: Setting, devices: Sequence[Device]) -> int:
    return sum(is_online(one.peer, at=setting.at) for one in devices)


def _connected(setting: Setting, devices: Sequence[Device]) -> str:
    if len(devices) == 1:
        return gettext("Your device is connected now.")
    told = {"on": _online(setting, devices), "all": len(devices)}
    words = {name: formats.number(number) for name, number in told.items()}
    return gettext("Connected now: %(on)s of %(all)s devices.") % words


def _remedy(setting: Setting, view: ClientView) -> tuple[str, ...]:
    """What a customer can do whose connection is off. The file is not to blame, and stays right."""
    seller = setting.seller
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


def _seen(setting: Setting, devices: Sequence[Device]) -> str:
    seen = [one.peer.last_handshake_at for one in devices if one.peer.last_handshake_at]
    age = formats.age(max(seen, default=None), setting.at)
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
    value, unit = formats.size(left).split(" ", 1)
    share = 100 if quota == 0 else min(100, round(100 * counted / quota))
    tone = "bad" if share >= 100 else "warn" if share >= 90 else ""
    of = gettext("%(unit)s of %(quota)s") % {"unit": unit, "quota": formats.size(quota)}
    if not left:
        value, of = gettext("Nothing"), gettext("of %s") % formats.size(quota)
    return Figure(gettext("Data left"), value, of, both, share, tone)


def _time(setting: Setting, view: ClientView) -> Figure:
    title, end = gettext("Days left"), view.client.expires_at
    left = days_left(view, setting.at)
    if left is not None and end is not None:
        until = gettext("until %s") % setting.day(end)
        if not left:
            return Figure(title, gettext("None"), "", until)
        return Figure(title, formats.number(left), ngettext("day", "days", left), until)
    days = view.client.duration_days
    if days is not None:
        below = gettext("counted from your first connection")
        return Figure(title, formats.number(days), ngettext("day", "days", days), below)
    return Figure(title, gettext("No end"), "", gettext("It runs until it is switched off."))


def _device(setting: Setting, devices: Sequence[Device]) -> Figure:
    below = gettext("Location: %s") % setting.place if setting.place else ""
    online = _online(setting, devices)
    if len(devices) != 1:
        told = {"on": formats.number(online), "all": formats.number(len(devices))}
        words = gettext("%(on)s of %(all)s") % told if online else gettext("None")
        return Figure(gettext("Connected now"), words, "", below)
    words = gettext("Connected") if online else gettext("Not connected")
    return Figure(gettext("Your device"), words, "", below)


def outdated(setting: Setting, device: Device) -> str:
    """Why the device's file must be fetched again, "" when it need not be."""
    peer = device.peer
    if not device.file_outdated or peer.delivered_at is None:
        return ""
    when = setting.day(peer.delivered_at)
    return gettext("Your file is from %s and is outdated: get it again below.") % when
