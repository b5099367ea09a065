"""The one sentence a page opens with. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext, ngettext

from portal import formats
from portal.status.rows import InterfaceRow, Verdict


def verdict(rows: Sequence[InterfaceRow]) -> Verdict:
    """The one sentence the page opens with: the worst thing first."""
    if not rows:
        return Verdict(
            "new",
            gettext("There is no interface yet."),
            gettext("`make up` brings the first one up; the admin site adds more."),
        )
    for check in (_foreign, _dead, _alarm, _guarded, _failed, _waiting, _stale):
        found = check(rows)
        if found is not None:
            return found
    online, wanted = sum(r.online for r in rows), sum(r.wanted for r in rows)
    sentence = ngettext(
        "%(up)s interface is up and matches.", "%(up)s interfaces are up and match.", len(rows)
    ) % {"up": formats.number(len(rows))}
    if not wanted:
        return Verdict("live", sentence, gettext("No device yet: a name is enough to add one."))
    detail = gettext("%(online)s of %(wanted)s devices are online.")
    counts = {"online": formats.number(online), "wanted": formats.number(wanted)}
    return Verdict("live", sentence, detail % counts)


def _foreign(rows: Sequence[InterfaceRow]) -> Verdict | None:
    for row in rows:
        if row.foreign:
            return Verdict(
                "warn",
                gettext("%s exists, but vwg did not bring it up. Nothing is written to it.")
                % row.label,
                gettext("How to hand it over stands below."),
            )
    return None


def _dead(rows: Sequence[InterfaceRow]) -> Verdict | None:
    for row in rows:
        if row.glyph == "bad" and not row.failed:
            detail = row.reason or gettext("Changes wait and are sent when it is back.")
            return Verdict("bad", f"{row.label}: {row.words}.", detail)
    return None


def _alarm(rows: Sequence[InterfaceRow]) -> Verdict | None:
    for row in rows:
        if row.alarm:
            return Verdict("bad", f"{row.gateway}: {row.alarm}", "")
    return None


def _guarded(rows: Sequence[InterfaceRow]) -> Verdict | None:
    for row in rows:
        if row.guarded:
            sentence = ngettext(
                "%(name)s runs %(count)s peer that vwg has no record of.",
                "%(name)s runs %(count)s peers that vwg has no record of.",
                row.guarded,
            ) % {"name": row.label, "count": formats.number(row.guarded)}
            return Verdict("warn", sentence, gettext("vwg leaves them alone until you decide."))
    return None


def _failed(rows: Sequence[InterfaceRow]) -> Verdict | None:
    count = sum(row.failed for row in rows)
    if not count:
        return None
    sentence = ngettext(
        "%s device was refused and is set aside.",
        "%s devices were refused and are set aside.",
        count,
    ) % formats.number(count)
    return Verdict("bad", sentence, gettext("The others are not affected."))


def _waiting(rows: Sequence[InterfaceRow]) -> Verdict | None:
    count = sum(row.waiting for row in rows)
    if not count:
        return None
    sentence = ngettext(
        "%s change is on its way.", "%s changes are on their way.", count
    ) % formats.number(count)
    return Verdict("wait", sentence, "")


def _stale(rows: Sequence[InterfaceRow]) -> Verdict | None:
    for row in rows:
        if row.stale and row.glyph not in ("off", "new"):
            return Verdict(
                "warn",
                gettext("%s was not read for a while.") % row.label,
                gettext("The figures below are old. The workers may be down."),
            )
    return None
