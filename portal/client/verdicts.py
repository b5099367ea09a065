"""The first sentence of a client's page: why it is on or off, since when, and what changes that."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext, ngettext

from peers.api.representation import is_online
from peers.queries import ClientView
from peers.reasons import INTERFACE
from portal import formats
from portal.client.rows import Verdict
from portal.client.terms import names, rate, span
from portal.client.wording import Scene, follows, left_words, pace
from quotas.models import Hold, Plan
from quotas.policies import STATE_OF_HOLD

#: What takes longer than this is said to be slow.
SLOW_S = 10


def verdict(view: ClientView, scene: Scene) -> Verdict:
    """Why the client is on or off."""
    if view.client.deleted_at is not None:
        return _deleted(view, scene)
    if len(view.holds) > 1:
        return _several(view, scene)
    if view.holds:
        return _held(view, view.holds[0], scene)
    if not view.devices:
        text = gettext("It has no device, so nothing can connect. Add one.")
        return Verdict("off", gettext("Off."), text)
    off = view.off
    if off is not None and off.reason == INTERFACE:
        text = gettext("The interface of its devices is down. The operator has to bring it up.")
        return Verdict("off", gettext("Off."), text)
    return _not_there(view, scene) or _on(view, scene)


def _deleted(view: ClientView, scene: Scene) -> Verdict:
    until = view.client.purge_at
    text = gettext("Its devices are off and their addresses are kept.")
    if until is not None:
        text += " " + gettext("It can be brought back until %s.") % scene.moment(until)
    return Verdict("off", gettext("Deleted."), text)


def _several(view: ClientView, scene: Scene) -> Verdict:
    order = list(STATE_OF_HOLD)
    holds = sorted(view.holds, key=lambda hold: order.index(hold.reason))
    text = ngettext(
        "Off for %(number)s reason: %(reasons)s.",
        "Off for %(number)s reasons: %(reasons)s.",
        len(holds),
    )
    lead = text % {
        "number": formats.number(len(holds)),
        "reasons": names([hold_words(hold.reason) for hold in holds]),
    }
    rest = ngettext("Closing it leaves none.", "Closing one leaves the others.", len(holds) - 1)
    if len(holds) == 2:
        rest = gettext("Closing one leaves the other.")
    return Verdict("off", lead, rest)


def hold_words(reason: str) -> str:
    """A reason to be off, as one of several."""
    return {
        Hold.Reason.MANUAL: gettext("switched off by hand"),
        Hold.Reason.QUOTA: gettext("quota used up"),
        Hold.Reason.EXPIRED: gettext("its time is over"),
        Hold.Reason.TENANT_SUSPENDED: gettext("its reseller is suspended"),
        Hold.Reason.TENANT_POOL: gettext("the traffic of its reseller is used up"),
        Hold.Reason.PLAN: gettext("what was sold has not begun"),
        Hold.Reason.SUSPENDED: gettext("suspended"),
        Hold.Reason.KICK: gettext("kicked for a moment"),
    }[Hold.Reason(reason)]


def _held(view: ClientView, hold: Hold, scene: Scene) -> Verdict:
    words = {
        Hold.Reason.MANUAL: _by_hand,
        Hold.Reason.SUSPENDED: _suspended,
        Hold.Reason.QUOTA: _used_up,
        Hold.Reason.EXPIRED: _expired,
    }
    reason = Hold.Reason(hold.reason)
    if reason in words:
        return words[reason](view, hold, scene)
    nothing_wrong = gettext("Nothing about this client is wrong.")
    if reason == Hold.Reason.TENANT_SUSPENDED:
        return Verdict("off", gettext("Off because %s is suspended.") % scene.seller, nothing_wrong)
    if reason == Hold.Reason.TENANT_POOL:
        lead = gettext("Off because the traffic of %s is used up.") % scene.seller
        return Verdict("off", lead, nothing_wrong)
    back = gettext("It comes back by itself.")
    if hold.until is not None:
        back = gettext("It comes back by itself on %s.") % scene.moment(hold.until)
    if reason == Hold.Reason.PLAN:
        return Verdict("off", gettext("Off: what was sold has not begun."), back)
    return Verdict("off", gettext("Off for a moment: it was kicked."), back)


def _by_hand(view: ClientView, hold: Hold, scene: Scene) -> Verdict:
    lead = gettext("Off by hand since %(day)s, by %(who)s") % _since(hold, scene)
    text = gettext("Only a person switches it on again.")
    return Verdict("off", _with_note(lead, hold), text)


def _suspended(view: ClientView, hold: Hold, scene: Scene) -> Verdict:
    lead = gettext("Suspended since %(day)s, by %(who)s") % _since(hold, scene)
    text = gettext("It comes back when somebody ends the suspension, a shop too.")
    return Verdict("off", _with_note(lead, hold), text)


def _since(hold: Hold, scene: Scene) -> dict[str, str]:
    return {"day": scene.day(hold.opened_at), "who": hold.opened_by}


def _with_note(lead: str, hold: Hold) -> str:
    if not hold.note:
        return f"{lead}."
    return gettext("%(sentence)s: “%(note)s”.") % {"sentence": lead, "note": hold.note}


def _used_up(view: ClientView, hold: Hold, scene: Scene) -> Verdict:
    found, usage = view.balance, view.usage
    lead = gettext("Off: its bytes are used up.")
    if found.limit is not None:
        lead = gettext("Off: %(used)s of %(limit)s are used.") % {
            "used": formats.size(found.used), "limit": formats.size(found.limit)
        }  # fmt: skip
    ends = usage.period_ends_at if usage is not None else None
    if view.client.reset != Plan.Reset.NONE and ends is not None:
        text = gettext("It comes back by itself on %s, or at once with a top-up.")
        return Verdict("off", lead, text % scene.day(ends))
    return Verdict("off", lead, gettext("A top-up brings it back at once."))


def _expired(view: ClientView, hold: Hold, scene: Scene) -> Verdict:
    client = view.client
    lead = gettext("Off since %s:") % scene.day(client.expires_at or hold.opened_at)
    if client.expires_at is None and client.start_before is not None:
        text = gettext("the first connection had to come before then. Extend it to bring it back.")
        return Verdict("off", lead, text)
    text = gettext("the plan has ended and none follows. Extend it to bring it back.")
    return Verdict("off", lead, text)


def _not_there(view: ClientView, scene: Scene) -> Verdict | None:
    """A client that should be on, and is not, or not yet."""
    failed = [one for one in view.devices if one.status in ("failed", "quarantined")]
    if failed:
        gateway = failed[0].gateway
        lead = gettext("Should be on, but %s refused its device.") % gateway
        return Verdict("bad", lead, failed[0].reason)
    pending = [one for one in view.devices if one.status == "pending"]
    if not pending:
        return None
    seconds = formats.age(scene.waiting_since, scene.at) or 0
    gateway = pending[0].gateway
    if seconds < SLOW_S:
        lead = gettext("Being applied on %s.") % gateway
        return Verdict("wait", lead, gettext("The file is right already: it can be handed out."))
    lead = gettext("Should be on, but %(gateway)s has not confirmed it for %(time)s.") % {
        "gateway": gateway,
        "time": span(seconds - seconds % 10),
    }
    return Verdict("wait", lead, gettext("vwg keeps trying; the file is right."))


def _on(view: ClientView, scene: Scene) -> Verdict:
    client, usage = view.client, view.usage
    further = " ".join(part for part in (pace(view, scene), follows(view, scene)) if part)
    if usage is not None and usage.throttled_since is not None:
        return _slowed(view, scene, further)
    if all(one.peer.last_handshake_at is None for one in view.devices):
        return _unused(view, scene)
    terms = _terms(view, client.expires_at, scene)
    online = [one for one in view.devices if is_online(one.peer, at=scene.at)]
    if not online:
        seen = max(one.peer.last_handshake_at for one in view.devices if one.peer.last_handshake_at)
        return Verdict("idle", gettext("On."), terms, seen, further)
    if len(online) == 1 and online[0].peer.name:
        now = gettext("Connected now: %s.") % online[0].peer.name
    else:
        text = ngettext("%s device is connected now.", "%s devices are connected now.", len(online))
        now = text % formats.number(len(online))
    return Verdict("live", gettext("On."), f"{terms} {now}", None, further)


def _terms(view: ClientView, end: datetime | None, scene: Scene) -> str:
    left = left_words(view)
    if end is not None and left:
        text = gettext("The plan runs until %(day)s and %(left)s.")
        return text % {"day": scene.day(end), "left": left}
    if end is not None:
        return gettext("The plan runs until %s.") % scene.day(end)
    return f"{left}." if left else gettext("It has no limit and no end.")


def _slowed(view: ClientView, scene: Scene, further: str) -> Verdict:
    found, usage, client = view.balance, view.usage, view.client
    lead = gettext("On, but slowed to %s:") % rate(client.throttle_kbit or 0)
    text = gettext("%(used)s of %(limit)s are used.") % {
        "used": formats.size(found.used),
        "limit": formats.size(found.limit or found.used),
    }
    ends = usage.period_ends_at if usage is not None else None
    if ends is not None:
        text += " " + gettext("Full speed returns on %s.") % scene.day(ends)
    return Verdict("warn", lead, text, None, "" if ends is not None else further)


def _unused(view: ClientView, scene: Scene) -> Verdict:
    client = view.client
    lead = gettext("On, and never used.")
    if any(one.peer.awaits_key for one in view.devices):
        text = gettext(
            "Its key is made on the customer's device, with a share link that allows it."
        )
        return Verdict("new", lead, text)
    if client.expires_at is None and client.duration_days is not None:
        days = client.duration_days
        text = ngettext(
            "%s day starts with the first connection.",
            "%s days start with the first connection.",
            days,
        )
        return Verdict("new", lead, text % formats.number(days))
    return Verdict("new", lead, _terms(view, client.expires_at, scene))
