"""What an edit of a gateway, an interface or the settings does to whom, said before it is done."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from gateways.services.effects import Preview
from portal import formats


@dataclass(frozen=True)
class Effect:
    """One consequence: how bad, and in words."""

    glyph: str
    words: str


def hurts(preview: Preview) -> bool:
    """Whether somebody notices the edit: then it is asked for once more."""
    files = preview.outdates_files and preview.files_outdated > 0
    sessions = (preview.ends_sessions or preview.rebinds_socket) and preview.devices > 0
    return files or sessions


def is_grave(preview: Preview) -> bool:
    """Whether connections of the moment are at stake."""
    return (preview.ends_sessions or preview.rebinds_socket) and preview.devices > 0


def effects(preview: Preview) -> list[Effect]:
    """All that the edit does, the worst first."""
    found: list[Effect] = []
    devices, files = formats.number(preview.devices), formats.number(preview.files_outdated)
    if preview.ends_sessions:
        words = ngettext(
            "%s device is cut off at once.", "%s devices are cut off at once.", preview.devices
        )
        found.append(Effect("bad", words % devices))
    if preview.rebinds_socket:
        words = gettext("The socket is bound anew: packets of a moment are lost.")
        found.append(Effect("warn", words))
    if preview.outdates_files:
        words = ngettext(
            "%s file that a customer has becomes outdated.",
            "%s files that customers have become outdated.",
            preview.files_outdated,
        )
        found.append(Effect("warn" if preview.files_outdated else "done", words % files))
    if preview.live:
        words = gettext("In force within moments, and no session notices: %s.")
        found.append(Effect("live", words % _named(preview.live)))
    if preview.next_bring_up:
        words = gettext("When the interface is brought up next: %s.")
        found.append(Effect("idle", words % _named(preview.next_bring_up)))
    return found or [Effect("live", gettext("No device and no file notices."))]


def _named(fields: tuple[str, ...]) -> str:
    return gettext(", ").join(field_words(name) for name in fields)


def field_words(name: str) -> str:
    """A field as its form names it."""
    words = {
        "mtu": gettext("MTU"),
        "firewall_mark": gettext("firewall mark"),
        "nat": gettext("NAT"),
        "forward": gettext("forwarding"),
        "table": gettext("routing table"),
        "backend": gettext("kind of interface"),
        "pre_up": gettext("commands before it comes up"),
        "post_up": gettext("commands after it came up"),
        "pre_down": gettext("commands before it goes down"),
        "post_down": gettext("commands after it went down"),
    }
    return words.get(name, name)
