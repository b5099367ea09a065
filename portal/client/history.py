"""What was done to a client, in words. Pure: events in, lines out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from audit.models import AuditEvent
from portal import formats
from portal.client.rows import EventRow
from portal.client.terms import reset_words
from portal.client.wording import Scene
from quotas.models import Plan

Values = Mapping[str, Any]
_BYTES: Final = frozenset(
    {"quota_bytes", "upload_quota_bytes", "download_quota_bytes", "extra_bytes", "used_bytes"}
)
_MOMENTS: Final = frozenset({"expires_at", "starts_at", "start_before", "until", "purge_at"})


def event_row(event: AuditEvent, scene: Scene) -> EventRow:
    """An event as a line of the history."""
    return EventRow(
        at=event.created_at,
        when=scene.stamp(event.created_at),
        words=event_words(event, scene),
        by=event.actor_name or "vwg",
        is_token=event.actor_kind == AuditEvent.Actor.TOKEN,
    )


def event_words(event: AuditEvent, scene: Scene) -> str:
    """What happened, in a few words."""
    words = sentences().get(event.action)
    if words is None:
        return event.action
    detail = _DETAILS.get(event.action, _note)(event.before, event.after, scene)
    return (
        gettext("%(sentence)s: %(words)s") % {"sentence": words, "words": detail}
        if detail
        else words
    )


def sentences() -> dict[str, str]:
    """What happened, by the name of the event."""
    return {
        "client.created": gettext("Created"),
        "client.updated": gettext("Changed"),
        "client.deleted": gettext("Deleted"),
        "client.restored": gettext("Brought back"),
        "client.purged": gettext("Removed for good"),
        "client.enabled": gettext("Switched on"),
        "client.disabled": gettext("Switched off by hand"),
        "client.suspended": gettext("Suspended"),
        "client.unsuspended": gettext("Suspension ended"),
        "client.kicked": gettext("Kicked"),
        "client.released": gettext("A timed pause ended"),
        "client.started": gettext("First connection: its time began"),
        "client.extended": gettext("Extended"),
        "client.topped_up": gettext("Topped up"),
        "client.usage_reset": gettext("Usage set to 0"),
        "client.renewed": gettext("The next plan began"),
        "client.plan_queued": gettext("Another plan will follow"),
        "client.plan_unqueued": gettext("No other plan will follow"),
        "client.quota_reached": gettext("Its bytes are used up"),
        "client.quota_restored": gettext("Bytes to use again"),
        "client.quota_warning": gettext("Its bytes run low"),
        "client.expired": gettext("Its time is over"),
        "client.expiry_warning": gettext("Its time is nearly over"),
        "client.throttled": gettext("Slowed down at the limit"),
        "client.unthrottled": gettext("Full speed again"),
        "client.moved": gettext("Moved"),
        "client.transferred": gettext("Handed over"),
        "client.keys_rotated": gettext("New keys"),
        "client.key_set": gettext("The customer set the key"),
        "client.device_added": gettext("Device added"),
        "client.device_removed": gettext("Device removed"),
        "config.revealed": gettext("File shown or downloaded"),
        "link.created": gettext("Share link made"),
        "link.revoked": gettext("Share link revoked"),
        "login.added": gettext("Customer may sign in"),
        "login.removed": gettext("Customer may not sign in any more"),
    }


def _note(before: Values, after: Values, scene: Scene) -> str:
    note = after.get("note")
    return gettext("“%s”") % note if isinstance(note, str) and note else ""


def _changes(before: Values, after: Values, scene: Scene) -> str:
    parts = [
        change_words(name, before.get(name), after[name], scene)
        for name in after
        if name in field_names() and after[name] != before.get(name)
    ]
    return gettext("; ").join(parts)


def _more(before: Values, after: Values, scene: Scene) -> str:
    parts = []
    for name in ("expires_at", "duration_days", "quota_bytes", "extra_bytes"):
        if name in after:
            parts.append(f"{field_names()[name]} {value_words(name, after[name], scene)}")
    return gettext("; ").join(parts)


def _created(before: Values, after: Values, scene: Scene) -> str:
    addresses = after.get("addresses")
    return str(addresses[0]).partition("/")[0] if isinstance(addresses, list) and addresses else ""


def _way(before: Values, after: Values, scene: Scene) -> str:
    words = {
        "page": gettext("on a page"),
        "conf": gettext("as a file"),
        "json": gettext("by a program"),
        "zip": gettext("in an archive"),
        "subscription": gettext("by subscription"),
    }
    return words.get(str(after.get("way")), str(after.get("way", "")))


def _moved(before: Values, after: Values, scene: Scene) -> str:
    places = [values.get("interfaces") for values in (before, after)]
    texts = [", ".join(map(str, one)) if isinstance(one, list) else "" for one in places]
    return " → ".join(text for text in texts if text)


def _link(before: Values, after: Values, scene: Scene) -> str:
    return gettext("“%s”") % after["name"] if after.get("name") else ""


def _login(before: Values, after: Values, scene: Scene) -> str:
    return str(after.get("person") or before.get("person") or "")


_DETAILS: Final[Mapping[str, Callable[[Values, Values, Scene], str]]] = {
    "client.created": _created,
    "client.device_added": _created,
    "client.updated": _changes,
    "client.extended": _more,
    "client.topped_up": _more,
    "config.revealed": _way,
    "client.moved": _moved,
    "link.created": _link,
    "login.added": _login,
    "login.removed": _login,
}


def change_words(name: str, before: Any, after: Any, scene: Scene) -> str:
    """A field that changed: what it was, and what it is."""
    was, now = value_words(name, before, scene), value_words(name, after, scene)
    label = field_names()[name]
    if name == "plan":
        return label
    return f"{label} {was} → {now}"


def value_words(name: str, value: Any, scene: Scene) -> str:
    """A value of a field as it stands in the history."""
    if value is None or value == "" or value == []:
        return gettext("none")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name in _BYTES and isinstance(value, int):
        return formats.size(value)
    if name in _MOMENTS:
        found = parse_datetime(str(value))
        return str(value) if found is None else scene.moment(found)
    if name == "reset" and value in Plan.Reset.values:
        return reset_words(str(value))
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return formats.number(value) if isinstance(value, int) else str(value)


def field_names() -> dict[str, str]:
    """The fields of a client by which people know them."""
    return {
        "name": gettext("Name"),
        "note": gettext("Note"),
        "tags": gettext("Tags"),
        "external_id": gettext("Your reference"),
        "email": gettext("E-mail"),
        "telegram_id": gettext("Telegram"),
        "plan": gettext("Plan"),
        "quota_bytes": gettext("Data, both ways"),
        "download_quota_bytes": gettext("Data, download"),
        "upload_quota_bytes": gettext("Data, upload"),
        "extra_bytes": gettext("Topped up"),
        "reset": gettext("Data begins anew"),
        "starts_at": gettext("Begins"),
        "start_before": gettext("First use before"),
        "expires_at": gettext("Ends"),
        "duration_days": gettext("Days from the first use"),
        "download_kbit": gettext("Speed down, kbit/s"),
        "upload_kbit": gettext("Speed up, kbit/s"),
        "at_limit": gettext("At the limit"),
        "throttle_kbit": gettext("Speed at the limit, kbit/s"),
        "grace_seconds": gettext("Grace, seconds"),
        "delete_after_days": gettext("Deleted days after its end"),
        "enabled": gettext("Switched on"),
        "device_name": gettext("Device"),
        "addresses": gettext("Addresses"),
        "networks": gettext("Networks"),
    }
