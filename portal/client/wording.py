"""From a client as it is read to what its page says. Pure: values in, words out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, ngettext, pgettext

from peers.api.representation import is_online
from peers.queries import ClientView, Device
from portal import calendar, formats
from portal.client.rows import DeviceRow, UsageNow
from portal.client.terms import rate, reset_words, speed_words
from quotas.models import Plan

_DAY_S = 86_400
#: So much of a period must have passed before its pace says anything.
_EARLY = 0.1


@dataclass(frozen=True)
class Scene:
    """What a sentence needs to know beside the client: whose it is, where, and when."""

    at: datetime
    zone: str
    seller: str
    #: Since when a change of it has been waiting; None when nothing waits.
    waiting_since: datetime | None = None

    def day(self, moment: datetime) -> str:
        """A day as it stands in a sentence."""
        return calendar.near(moment, self.zone, self.at)

    def moment(self, moment: datetime) -> str:
        """A day and the time of day."""
        return f"{self.day(moment)}, {calendar.clock(moment, self.zone)}"

    def stamp(self, moment: datetime) -> str:
        """When something happened, as short as it can be said: Today 09:02; 18 Nov 21:14."""
        time = calendar.clock(moment, self.zone)
        zone = ZoneInfo(self.zone)
        if moment.astimezone(zone).date() == self.at.astimezone(zone).date():
            return gettext("Today %s") % time
        return f"{calendar.short(moment, self.zone)} {time}"

    def days_to(self, moment: datetime) -> str:
        """How far ahead: in 8 days; today."""
        days = ceil((moment - self.at).total_seconds() / _DAY_S)
        if days <= 0:
            return gettext("over")
        return ngettext("in %s day", "in %s days", days) % formats.number(days)


def device_row(device: Device, *, at: datetime) -> DeviceRow:
    """A device as the page shows it."""
    peer = device.peer
    glyph, words = _presence(device, at)
    return DeviceRow(
        uuid=peer.uuid,
        name=peer.name,
        glyph=glyph,
        words=words,
        reason=device.reason,
        status=device.status,
        addresses=tuple(text.partition("/")[0] for text in device.addresses),
        networks=device.networks,
        endpoint=peer.observed_endpoint,
        last_handshake_at=peer.last_handshake_at,
        download=device.download_bytes,
        upload=device.upload_bytes,
        public_key=peer.public_key,
        place=f"{device.gateway}/{device.interface}",
        private_key_known=device.private_key_known,
        awaits_key=peer.awaits_key,
        outdated=device.file_outdated,
        observed_at=device.observed_at,
    )


def _presence(device: Device, at: datetime) -> tuple[str, str]:
    peer = device.peer
    if device.status == "quarantined":
        return "bad", gettext("Set aside")
    if device.status == "failed":
        return "bad", gettext("Failed")
    if device.status == "pending":
        return "wait", gettext("Applying")
    if peer.deleted_at is not None:
        return "off", gettext("Removed")
    if peer.blocked or device.interface_down:
        return "off", gettext("Off")
    if peer.awaits_key:
        return "new", gettext("Waits for its key")
    if peer.last_handshake_at is None:
        return "new", gettext("Not used yet")
    return ("live", gettext("Online")) if is_online(peer, at=at) else ("idle", gettext("Idle"))


def usage_now(view: ClientView, scene: Scene) -> UsageNow:
    """How much of the period's bytes is used."""
    found, passed = view.balance, share_passed(view, scene.at)
    if found.percent is None:
        return UsageNow(gettext("%s used; no limit") % formats.size(found.used))
    tone = "bad" if found.percent >= 100 else "warn" if found.percent >= 90 else ""
    lines = [_of(found.used, found.limit)] if found.limit is not None else []
    if found.limit_down is not None:
        lines.append(gettext("%s down") % _of(found.used_down, found.limit_down))
    if found.limit_up is not None:
        lines.append(gettext("%s up") % _of(found.used_up, found.limit_up))
    words = gettext("%s used") % "; ".join(lines)
    if passed is not None:
        time = gettext("%s %% of the period has passed") % formats.number(passed)
        words = f"{words}; {time}"
    return UsageNow(words, min(found.percent, 100), passed, tone)


def _of(used: int, limit: int) -> str:
    return gettext("%(used)s of %(limit)s") % {
        "used": formats.size(used), "limit": formats.size(limit)
    }  # fmt: skip


def left_words(view: ClientView) -> str:
    """What is left of the nearest limit, as part of a sentence; empty without one."""
    found = view.balance
    if found.limit is None:
        return "" if found.left is None else gettext("%s are left") % formats.size(found.left)
    return gettext("%(left)s of %(limit)s are left") % {
        "left": formats.size(max(0, found.limit - found.used)),
        "limit": formats.size(found.limit),
    }


def share_passed(view: ClientView, at: datetime) -> int | None:
    """How much of the period has passed, in parts of 100; None without an end."""
    usage = view.usage
    if usage is None or usage.period_began_at is None or usage.period_ends_at is None:
        return None
    whole = (usage.period_ends_at - usage.period_began_at).total_seconds()
    part = (at - usage.period_began_at).total_seconds()
    return max(0, min(100, round(100 * part / whole))) if whole > 0 else None


def pace(view: ClientView, scene: Scene) -> str:
    """Where this period's use leads to; empty where nothing can be said."""
    found, usage, passed = view.balance, view.usage, share_passed(view, scene.at)
    if not found.limit or not found.used or usage is None or passed is None:
        return ""
    if passed < 100 * _EARLY or found.used >= found.limit:
        return ""
    projected = round(100 * found.used / passed)
    if projected <= found.limit:
        text = gettext("At this pace %s will be used by the reset.")
        return text % formats.size(projected)
    began = usage.period_began_at
    if began is None:
        return ""
    out = began + (scene.at - began) * (found.limit / found.used)
    text = gettext("At this pace the %(limit)s are used up around %(day)s.")
    return text % {"limit": formats.size(found.limit), "day": scene.day(out)}


def follows(view: ClientView, scene: Scene) -> str:
    """What happens when the period or what was sold ends."""
    client, usage = view.client, view.usage
    reset_at = usage.period_ends_at if usage is not None else None
    plan, when = client.next_plan, None
    if plan is not None:
        when = reset_at if client.next_plan_when == client.NextPlan.PERIOD else client.expires_at
        if when is None:
            return gettext("%s follows when this one is used up.") % plan.name
        text = gettext(
            "On %(day)s %(plan)s starts by itself, the usage starts at 0, and the connection is"
            " not interrupted."
        )
        return text % {"day": scene.day(when), "plan": plan.name}
    end = client.expires_at
    if end is not None and (reset_at is None or end <= reset_at):
        if end <= scene.at:
            return ""
        return gettext("On %s it ends and goes off; no plan follows.") % scene.day(end)
    if reset_at is not None and client.reset != Plan.Reset.NONE:
        return gettext("On %s the usage starts at 0.") % scene.day(reset_at)
    return ""


def plan_rows(view: ClientView, scene: Scene) -> tuple[tuple[str, str], ...]:
    """What was sold, as names and values."""
    client, usage = view.client, view.usage
    rows: list[tuple[str, str]] = []
    if usage is not None and usage.period_ends_at is not None:
        rows.append((gettext("Resets"), scene.moment(usage.period_ends_at)))
    elif client.reset != Plan.Reset.NONE:
        rows.append((gettext("Resets"), reset_words(client.reset)))
    rows += _dates(view, scene)
    if usage is not None and usage.extra_bytes:
        rows.append((gettext("Topped up"), formats.size(usage.extra_bytes)))
    if view.balance.percent is not None:
        rows.append((gettext("At the limit"), _at_limit(view)))
    if speed := speed_words(client.download_kbit, client.upload_kbit):
        rows.append((gettext("Speed"), speed))
    if client.next_plan is not None:
        carries = gettext("with what is left") if client.next_plan_carries else gettext("once")
        rows.append((pgettext("plan", "Next"), f"{client.next_plan.name}, {carries}"))
    return tuple(rows)


def _dates(view: ClientView, scene: Scene) -> list[tuple[str, str]]:
    client = view.client
    rows: list[tuple[str, str]] = []
    if client.starts_at is not None and client.starts_at > scene.at:
        rows.append((gettext("Begins"), scene.moment(client.starts_at)))
    if client.expires_at is not None:
        end = f"{scene.moment(client.expires_at)} ({scene.days_to(client.expires_at)})"
        rows.append((gettext("Ends"), end))
    elif client.duration_days is not None:
        text = ngettext("%s day from the first use", "%s days from the first use",
                        client.duration_days)  # fmt: skip
        rows.append((gettext("Ends"), text % formats.number(client.duration_days)))
    else:
        rows.append((gettext("Ends"), gettext("never")))
    if client.start_before is not None:
        rows.append((gettext("First use before"), scene.moment(client.start_before)))
    if client.delete_after_days is not None:
        text = ngettext("%s day after its end", "%s days after its end", client.delete_after_days)
        rows.append((gettext("Deleted"), text % formats.number(client.delete_after_days)))
    return rows


def _at_limit(view: ClientView) -> str:
    client = view.client
    if client.at_limit == Plan.AtLimit.THROTTLE and client.throttle_kbit:
        return gettext("slowed to %s") % rate(client.throttle_kbit)
    return gettext("off")
