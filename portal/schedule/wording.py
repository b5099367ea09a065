"""The jobs of the schedule in words."""

from __future__ import annotations

from django.utils.translation import gettext


def title(name: str) -> str:
    """What a job does, by its name."""
    kind, _, what = name.partition(":")
    if what:
        return gettext("Read %s") % what.replace("/", " ")
    words = {
        "sweep": gettext("Find changes whose hint was lost"),
        "follow": gettext("Follow resellers' status and pools"),
        "due": gettext("Switch clients on whose time has come"),
        "pools": gettext("Settle resellers' pools and periods"),
        "warnings": gettext("Warn of quotas and ends"),
        "ends": gettext("End clients that expire"),
        "limits": gettext("Judge quotas"),
        "observe": gettext("Have all interfaces read"),
        "canary": gettext("Ask workers for a sign of life"),
        "strays": gettext("Find clients that disagree with their reseller"),
        "purge": gettext("Forget deleted clients for good"),
        "prune": gettext("Forget old jobs and requests"),
        "sessions": gettext("End sessions that fell silent"),
        "rollup": gettext("Add up finished quarter-hours"),
        "fold": gettext("Fold old figures into days"),
    }
    return words.get(kind, kind)
