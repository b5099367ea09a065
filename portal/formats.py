"""How the pages write numbers, sizes and ages, in the language and the ways of the reader.

Keys and addresses never pass through here: they keep Latin digits, so that they can be copied.
The reader's ways hold for one request (`portal.middleware`); without any, the language decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import get_language, gettext, gettext_noop

from tenants.models import User

#: Persian digits, thousands and decimal separators (U+066C, U+066B).
_PERSIAN: Final = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹\u066c\u066b")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Ways:
    """What the reader chose, in the values of `User`; empty: as the language has it."""

    digits: str = ""
    calendar: str = ""
    byte_units: str = User.ByteUnits.DECIMAL

    @property
    def has_persian_digits(self) -> bool:
        """Whether numbers are written in Persian digits."""
        return (self.digits or _by_language("latin", "persian")) == User.Digits.PERSIAN

    @property
    def is_jalali(self) -> bool:
        """Whether dates are those of the Persian calendar."""
        return (self.calendar or _by_language("gregorian", "jalali")) == User.Calendar.JALALI

    @property
    def is_binary(self) -> bool:
        """Whether a kilobyte has 1,024 bytes."""
        return self.byte_units == User.ByteUnits.BINARY


_NOBODYS: Final = Ways()
_ways: ContextVar[Ways] = ContextVar("vwg_ways", default=_NOBODYS)


def ways() -> Ways:
    """Those of the reader of this request."""
    return _ways.get()


@contextmanager
def read_by(user: User) -> Iterator[None]:
    """For the time of the block, everything is written for this person."""
    before = _ways.set(Ways(user.digits, user.calendar, user.byte_units))
    try:
        yield
    finally:
        _ways.reset(before)


def number(value: int | float, digits: int = 0) -> str:
    """A number with thousands apart: 19,240; in Persian digits with their own separators."""
    return in_digits(f"{value:,.{digits}f}")


#: Translated one by one: a page says hundreds of sizes.
_DECIMAL: Final = (
    gettext_noop("B"), gettext_noop("kB"), gettext_noop("MB"), gettext_noop("GB"),
    gettext_noop("TB"),
)  # fmt: skip
_BINARY: Final = (
    gettext_noop("B"), gettext_noop("KiB"), gettext_noop("MiB"), gettext_noop("GiB"),
    gettext_noop("TiB"),
)  # fmt: skip


def size(count: int) -> str:
    """Bytes in decimal or binary units, at most three significant figures and no zero after
    the point: 0 B, 50 GB, 18.4 GB, 17.1 GiB.
    """
    step, units = (1024, _BINARY) if ways().is_binary else (1000, _DECIMAL)
    value, place = float(count), 0
    while value >= step - step / 2000 and place < len(units) - 1:
        value, place = value / step, place + 1
    digits = 0 if place == 0 or value >= 99.95 or round(value, 1) == round(value) else 1
    return f"{number(value, digits)} {gettext(units[place])}"


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


def in_digits(text: str) -> str:
    """A written number in the reader's digits."""
    return text.translate(_PERSIAN) if ways().has_persian_digits else text


def _by_language(latin: str, persian: str) -> str:
    return persian if get_language() == "fa" else latin
