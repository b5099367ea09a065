"""Drift in words: what differs, and what vwg does about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from gateways.models import Interface


@dataclass(frozen=True)
class DriftLine:
    """Differences of one kind."""

    glyph: str
    words: str
    count: int
    deed: str


def drift_lines(interface: Interface) -> list[DriftLine]:
    """Every kind of difference that the last look found, those that wait for a person first."""
    added = gettext("is put right at once")
    kinds = {
        "guarded": (
            "warn", gettext("Running, no record"), gettext("nothing, until you decide"),
        ),
        "strays": ("wait", gettext("Running, no record, few"), gettext("is removed at once")),
        "missing": ("wait", gettext("Missing"), gettext("is added back at once")),
        "altered": ("wait", gettext("Changed by somebody else"), added),
        "ghosts": ("wait", gettext("There, though removed"), gettext("is removed at once")),
        "link": ("wait", gettext("Settings of the interface"), added),
    }  # fmt: skip
    found = {**interface.drift}
    if interface.guard_keys:
        found["guarded"] = len(interface.guard_keys)
    return [
        DriftLine(glyph if found.get(kind) else "idle", words, found.get(kind, 0), deed)
        for kind, (glyph, words, deed) in kinds.items()
    ]
