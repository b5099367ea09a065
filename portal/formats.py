"""How the pages write numbers, sizes and ages, in the language of the reader.

Keys and addresses never pass through here: they keep Latin digits, so that they can be copied.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import get_language, gettext

#: Persian digits, thousands and decimal separators (U+066C, U+066B).
_PERSIAN = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹\u066c\u066b")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def number(value: int | float, digits: int = 0) -> str:
    """A number with thousands apart: 19,240; in Persian with its own digits and separators."""
    return _localised(f"{value:,.{digits}f}")


def size(count: int) -> str:
    """Bytes in decimal units, three significant figures: 0 B, 18.4 GB."""
    units = (gettext("B"), gettext("kB"), gettext("MB"), gettext("GB"), gettext("TB"))
    value, step = float(count), 0
    while value >= 999.5 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    digits = 0 if step == 0 or value >= 99.95 else 1
    return f"{number(value, digits)} {units[step]}"


def ago(seconds: float) -> str:
    """How long ago, in the largest whole unit. portal.js says it with the same words."""
    if seconds < _MINUTE:
        text, count = gettext("0 s ago"), max(0, round(seconds))
    elif seconds < _HOUR:
        text, count = gettext("0 min ago"), int(seconds // _MINUTE)
    elif seconds < _DAY:
        text, count = gettext("0 h ago"), int(seconds // _HOUR)
    else:
        text, count = gettext("0 d ago"), int(seconds // _DAY)
    return text.replace("0", number(count))


def duration(seconds: float) -> str:
    """A span of time: 8 ms, 1.4 s, 3 min."""
    if seconds < 1:
        return gettext("0 ms").replace("0", number(round(seconds * 1000)))
    if seconds < _MINUTE:
        return gettext("0 s").replace("0", number(seconds, 1))
    return gettext("0 min").replace("0", number(int(seconds // _MINUTE)))


def age(at: datetime | None, now: datetime) -> float | None:
    """Seconds since ``at``, never negative; None for never."""
    return None if at is None else max(0.0, (now - at).total_seconds())


def _localised(text: str) -> str:
    return text.translate(_PERSIAN) if get_language() == "fa" else text
