"""Dates as their reader has them: by the Gregorian or the Persian calendar, in his time zone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext

from portal.formats import in_digits, ways

_MONTHS: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور",
    "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
#: For who reads Jalali dates in another language.
_LATIN_MONTHS: Final = (
    "Farvardin", "Ordibehesht", "Khordad", "Tir", "Mordad", "Shahrivar",
    "Mehr", "Aban", "Azar", "Dey", "Bahman", "Esfand",
)  # fmt: skip
#: Days of the Gregorian year before each month, in a year that is not a leap year.
_BEFORE: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def day(moment: datetime | date, timezone: str = "") -> str:
    """The day of a moment: 1 December 2026, or the same of the Persian calendar. A moment's day
    is that of the time zone: the named one, or else the reader's.
    """
    local = _local(moment, timezone)
    if not ways().is_jalali:
        return in_digits(date_format(local, "j F Y"))
    year, month, of_month = persian(local)
    return in_digits(f"{of_month} {_month(month)} {year}")


def short(moment: datetime | date, timezone: str = "") -> str:
    """The day of a moment without its year: 1 Dec, for axes and lists."""
    local = _local(moment, timezone)
    if not ways().is_jalali:
        return in_digits(date_format(local, "j M"))
    _, month, of_month = persian(local)
    return in_digits(f"{of_month} {_month(month)}")


def clock(moment: datetime, timezone: str = "") -> str:
    """The time of day of a moment: 14:05."""
    return in_digits(f"{localtime(moment, _zone(timezone)):%H:%M}")


def moment(at: datetime, timezone: str = "") -> str:
    """Day and time of day: 1 December 2026, 14:05."""
    parts = {"day": day(at, timezone), "time": clock(at, timezone)}
    return gettext("%(day)s, %(time)s") % parts


def near(moment: datetime, timezone: str, at: datetime) -> str:
    """The day of a moment as it stands in a sentence: without its year where that is this one."""
    local, today = _local(moment, timezone), _local(at, timezone)
    if ways().is_jalali:
        same = persian(local)[0] == persian(today)[0]
        return short(moment, timezone) if same else day(moment, timezone)
    same = local.year == today.year
    return in_digits(date_format(local, "j F")) if same else day(moment, timezone)


def persian(day: date) -> tuple[int, int, int]:
    """Year, month and day of the Persian calendar, by its cycle of 33 years (right until 2256)."""
    years = day.year - 1600
    count = 365 * years + (years + 3) // 4 - (years + 99) // 100 + (years + 399) // 400
    leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    count += _BEFORE[day.month - 1] + (leap and day.month > 2) + day.day - 1 - 79
    cycles, count = divmod(count, 12_053)  # 33 years
    year, count = 979 + 33 * cycles + 4 * (count // 1461), count % 1461
    if count >= 366:
        year, count = year + (count - 1) // 365, (count - 1) % 365
    if count < 186:
        return year, 1 + count // 31, 1 + count % 31
    return year, 7 + (count - 186) // 30, 1 + (count - 186) % 30


def _month(number: int) -> str:
    return (_MONTHS if get_language() == "fa" else _LATIN_MONTHS)[number - 1]


def _local(moment: datetime | date, timezone: str) -> date:
    if not isinstance(moment, datetime):
        return moment
    return localtime(moment, _zone(timezone)).date()


def _zone(timezone: str) -> ZoneInfo | None:
    """None: the one that is current, the reader's."""
    return ZoneInfo(timezone) if timezone else None
