"""When a period of a quota begins and ends. Pure: dates and time zones in, moments out.

A day begins at midnight where its tenant lives, a week on Monday (ISO 8601), a month on the 1st
and a year on January 1st. A month from the start begins at the day and time of the start; where a
month has no such day, on its last one, and the next month has it again. Where a clock jumps over
the hour that a period would begin at, it begins when the clock jumped; of an hour that comes
twice it takes the first.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

NONE: Final = "none"
FROM_START: Final = "month-from-start"
#: How long a period is at the least, by half: what a move to another time zone would cut shorter
#: is no period of its own.
_HALF: Final = {
    "day": timedelta(hours=12),
    "week": timedelta(days=3, hours=12),
    "month": timedelta(days=14),
    FROM_START: timedelta(days=14),
    "year": timedelta(days=182),
}


@dataclass(frozen=True)
class Period:
    """From a moment on and up to another; None: for good."""

    began_at: datetime
    ends_at: datetime | None


def period_at(reset: str, *, start: datetime, zone: tzinfo, at: datetime) -> Period:
    """The period that ``at`` lies in, of what began at ``start``. All periods of a kind together
    are all of time: each ends where the next begins.
    """
    if reset == NONE:
        return Period(start, None)
    number, boundary = _numbered(reset, start, zone, at)
    return Period(boundary(number), boundary(number + 1))


def first_period(reset: str, *, start: datetime, zone: tzinfo, at: datetime) -> Period:
    """The period at ``at`` of what began at ``start``: by the calendar it may be a short one."""
    found = period_at(reset, start=start, zone=zone, at=max(start, at))
    return Period(max(found.began_at, start), found.ends_at)


def next_period(
    reset: str, *, start: datetime, zone: tzinfo, ended_at: datetime, at: datetime
) -> Period:
    """The period at ``at`` after one that ended at ``ended_at``: those that nobody was there for
    are left out.

    It is never a scrap: where the tenant's time zone has changed meanwhile, the next beginning of
    a period there may be hours away, and those hours go to the period before it.
    """
    if reset == NONE:
        return Period(ended_at, None)
    number, boundary = _numbered(reset, start, zone, max(ended_at, at))
    began_at = max(boundary(number), ended_at)
    while boundary(number + 1) < ended_at + _HALF[reset]:
        number += 1
    return Period(began_at, boundary(number + 1))


def _numbered(
    reset: str, start: datetime, zone: tzinfo, at: datetime
) -> tuple[int, Callable[[int], datetime]]:
    """The number of the period at ``at``, and when the one of a number begins."""
    local = at.astimezone(zone)
    if reset == FROM_START:
        number, boundary = _from_start(start.astimezone(zone), local, zone)
    else:
        numbered, dated = _CALENDAR[reset]
        number = numbered(local.date())

        def boundary(number: int) -> datetime:
            return _midnight(dated(number), zone)

    while boundary(number) > at:
        number -= 1
    while boundary(number + 1) <= at:
        number += 1
    return number, boundary


def _from_start(
    start: datetime, local: datetime, zone: tzinfo
) -> tuple[int, Callable[[int], datetime]]:
    first = _month_number(start.date())

    def boundary(number: int) -> datetime:
        if number == 0:
            return start.astimezone(UTC)
        month = _first_of_month(first + number)
        day = min(start.day, monthrange(month.year, month.month)[1])
        moment = start.replace(year=month.year, month=month.month, day=day, fold=0)
        return _moment(moment, zone)

    return _month_number(local.date()) - first, boundary


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first_of_month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


#: Of a kind by the calendar: the number of the period that a date lies in, and its first date.
_CALENDAR: Final[dict[str, tuple[Callable[[date], int], Callable[[int], date]]]] = {
    "day": (date.toordinal, date.fromordinal),
    "week": (
        lambda day: (day.toordinal() - 1) // 7,
        lambda number: date.fromordinal(number * 7 + 1),
    ),
    "month": (_month_number, _first_of_month),
    "year": (lambda day: day.year, lambda number: date(number, 1, 1)),
}


def _midnight(day: date, zone: tzinfo) -> datetime:
    return _moment(datetime(day.year, day.month, day.day, tzinfo=zone), zone)


def _moment(wall: datetime, zone: tzinfo) -> datetime:
    """When a wall clock shows this first; where it jumps over it, when it jumps."""
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moment
    early, late = wall.replace(fold=1).astimezone(UTC), moment  # before and after the jump
    shown = _offset(early, zone)
    while late - early > timedelta(microseconds=1):
        middle = early + (late - early) // 2
        early, late = (middle, late) if _offset(middle, zone) == shown else (early, middle)
    return late


def _offset(moment: datetime, zone: tzinfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
