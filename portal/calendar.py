"""Dates as a customer reads them: in the tenant's time zone, in Persian by the Persian calendar."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language

from portal.formats import number

_MONTHS: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور",
    "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
#: Days of the Gregorian year before each month, in a year that is not a leap year.
_BEFORE: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def day(moment: datetime, timezone: str) -> str:
    """The day of a moment: 1 December 2026, or in Persian the same of its own calendar."""
    local = moment.astimezone(ZoneInfo(timezone)).date()
    if get_language() != "fa":
        return date_format(local, "j F Y")
    year, month, of_month = persian(local)
    return f"{number(of_month)} {_MONTHS[month - 1]} {_year(year)}"


def near(moment: datetime, timezone: str, at: datetime) -> str:
    """The day of a moment as it stands in a sentence: without its year where that is this one."""
    zone = ZoneInfo(timezone)
    local, today = moment.astimezone(zone).date(), at.astimezone(zone).date()
    if get_language() != "fa":
        return date_format(local, "j F" if local.year == today.year else "j F Y")
    if persian(local)[0] != persian(today)[0]:
        return day(moment, timezone)
    return short(moment, timezone)


def short(moment: datetime, timezone: str) -> str:
    """The day of a moment without its year: 1 Dec, for axes and lists."""
    local = moment.astimezone(ZoneInfo(timezone)).date()
    if get_language() != "fa":
        return date_format(local, "j M")
    _, month, of_month = persian(local)
    return f"{number(of_month)} {_MONTHS[month - 1]}"


def clock(moment: datetime, timezone: str) -> str:
    """The time of day of a moment: 14:00."""
    local = moment.astimezone(ZoneInfo(timezone))
    return ":".join(number(one // 10) + number(one % 10) for one in (local.hour, local.minute))


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


def _year(year: int) -> str:
    """A year has no thousands separator."""
    return number(year).replace("\u066c", "")
