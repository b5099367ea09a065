"""Terms in words: how often, how fast, how long. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import get_language_bidi, gettext, ngettext

from portal import formats
from quotas.models import Plan


def reset_words(reset: str) -> str:
    """How often the bytes begin anew."""
    return {
        Plan.Reset.NONE: gettext("never"),
        Plan.Reset.DAY: gettext("every day"),
        Plan.Reset.WEEK: gettext("every week"),
        Plan.Reset.MONTH: gettext("on the 1st of each month"),
        Plan.Reset.MONTH_FROM_START: gettext("monthly from its start"),
        Plan.Reset.YEAR: gettext("every year"),
    }[Plan.Reset(reset)]


def rate(kbit: int) -> str:
    """A speed: 50 Mbit/s, 512 kbit/s."""
    if kbit < 1000:
        return _together(gettext("%s kbit/s") % formats.number(kbit))
    value = kbit / 1000
    number = formats.number(value, 0 if value == int(value) else 1)
    return _together(gettext("%s Mbit/s") % number)


def _together(text: str) -> str:
    """A number and its Latin unit keep their order in a text that runs from right to left."""
    return f"\u2066{text}\u2069" if get_language_bidi() else text


def speed_words(down: int | None, up: int | None) -> str:
    """The speeds of both ways; empty without a limit."""
    if down is None and up is None:
        return ""
    if down == up and down is not None:
        return rate(down)
    parts = [gettext("%s down") % rate(down)] if down is not None else []
    parts += [gettext("%s up") % rate(up)] if up is not None else []
    return ", ".join(parts)


def names(texts: Sequence[str]) -> str:
    """Names in a row: a, b and c."""
    if len(texts) < 2:
        return "".join(texts)
    return gettext("%(first)s and %(last)s") % {
        "first": gettext(", ").join(texts[:-1]), "last": texts[-1]
    }  # fmt: skip


def plan_words(plan: Plan) -> str:
    """What a plan is, in one line: 50 GB, 30 days from first use, then 2 Mbit/s."""
    parts = [formats.size(plan.total_bytes)] if plan.total_bytes is not None else []
    if plan.total_bytes is None and plan.download_bytes is None and plan.upload_bytes is None:
        parts.append(gettext("no limit of data"))
    if plan.download_bytes is not None:
        parts.append(gettext("%s down") % formats.size(plan.download_bytes))
    if plan.upload_bytes is not None:
        parts.append(gettext("%s up") % formats.size(plan.upload_bytes))
    if plan.reset != Plan.Reset.NONE:
        parts.append(reset_words(plan.reset))
    parts.append(_length(plan))
    if plan.at_limit == Plan.AtLimit.THROTTLE and plan.throttle_kbit:
        parts.append(gettext("then %s") % rate(plan.throttle_kbit))
    if plan.devices > 1:
        parts.append(
            ngettext("%s device", "%s devices", plan.devices) % formats.number(plan.devices)
        )
    return gettext(", ").join(part for part in parts if part)


def _length(plan: Plan) -> str:
    if plan.duration_days is None:
        return ""
    days = plan.duration_days
    if plan.start == Plan.Start.FIRST_HANDSHAKE:
        text = ngettext("%s day from first use", "%s days from first use", days)
    else:
        text = ngettext("%s day", "%s days", days)
    return text % formats.number(days)


def span(seconds: float) -> str:
    """How long something lasted: 40 s, 12 min, 3 h 20 min, 2 d 4 h."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return gettext("0 s").replace("0", formats.number(int(seconds)))
    if minutes < 60:
        return gettext("0 min").replace("0", formats.number(minutes))
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return gettext("%(hours)s h %(minutes)s min") % {
            "hours": formats.number(hours), "minutes": formats.number(rest)
        }  # fmt: skip
    days, rest = divmod(hours, 24)
    return gettext("%(days)s d %(hours)s h") % {
        "days": formats.number(days), "hours": formats.number(rest)
    }  # fmt: skip
