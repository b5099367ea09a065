"""The sentence that an operator's home opens with. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext, ngettext

from portal import formats
from portal.overview.alarms import isolated
from portal.overview.rows import Alarm, GatewayRow
from portal.status.rows import InterfaceRow, Verdict


def verdict(
    interfaces: Sequence[InterfaceRow], alarms: Sequence[Alarm], hosts: Sequence[GatewayRow]
) -> Verdict:
    """The worst thing that waits, and how many there are; else that all is well."""
    if not interfaces:
        return Verdict(
            "new",
            gettext("There is no interface yet."),
            gettext("`make up` brings the first one up; the page Gateways adds more."),
        )
    if alarms:
        worst = alarms[0]
        sentence = ngettext(
            "One thing needs you: %(worst)s.",
            "%(count)s things need you; first of all: %(worst)s.",
            len(alarms),
        ) % {"count": formats.number(len(alarms)), "worst": worst.words.rstrip(".")}
        return Verdict(worst.glyph, sentence, _others(hosts))
    sentence = ngettext(
        "%s gateway is up and matches its records.",
        "%s gateways are up and match their records.",
        len(hosts),
    ) % formats.number(len(hosts))
    return Verdict("live", sentence, gettext("Nothing waits for you."))


def _others(hosts: Sequence[GatewayRow]) -> str:
    """Which gateways are as they should be, where not all of them are."""
    well = [isolated(host.slug) for host in hosts if host.glyph == "live"]
    if not well:
        return ""
    if len(well) > 5:
        words = ngettext(
            "%s other gateway matches its records.", "%s other gateways match their records.",
            len(well),
        )  # fmt: skip
        return words % formats.number(len(well))
    words = ngettext("%s matches its records.", "%s match their records.", len(well))
    return words % gettext(", ").join(well)
