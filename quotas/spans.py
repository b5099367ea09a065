"""Hours, days and months of a time zone, as edges in UTC. Pure.

A day has 23 or 25 hours where clocks are turned, and an hour of Kathmandu begins at a quarter of
an hour in UTC: so a series is a list of edges, and no number of seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

HOUR: Final = "hour"
DAY: Final = "day"
MONTH: Final = "month"
#: Points of one series at the most: a month of hours, two years of days.
MOST: Final = 800
QUARTER: Final = timedelta(minutes=15)
_USUAL: Final = {HOUR: timedelta(hours=1), DAY: timedelta(days=1), MONTH: timedelta(days=28)}


class Bytes(NamedTuple):
    """Bytes as a client sees them: what its devices counted, and what of that is billed."""

    raw_up: int = 0
    raw_down: int = 0
    billed_up: int = 0
    billed_down: int = 0

    def plus(self, other: Bytes) -> Bytes:
        """The sum."""
        return Bytes(*(one + more for one, more in zip(self, other, strict=True)))

    @property
    def raw(self) -> int:
        """Both directions, as counted."""
        return self.raw_up + self.raw_down

    @property
    def billed(self) -> int:
        """Both directions, as billed."""
        return self.billed_up + self.billed_down


def total_of(parts: Iterable[Bytes]) -> Bytes:
    """The sum of all of them."""
    total = Bytes()
    for part in parts:
        total = total.plus(part)
    return total


class TooMany(ValueError):
    """The series would have more points than `MOST`."""


def edges(by: str, since: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
    """Where the spans begin that hold this time, and where the last one ends. In UTC.

    Raises `TooMany`; ValueError for a time that ends before it begins, or leaves the calendar.
    """
    if not since < until:
        raise ValueError("the end is not after the beginning")
    if until - since > MOST * _USUAL[by]:
        raise TooMany
    try:
        found = list(_edges(by, since, until, zone))
    except OverflowError:
        raise ValueError("beyond the calendar") from None
    if len(found) > MOST + 1:
        raise TooMany
    return found


def month_of(year: int, month: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a month of the zone begins and ends, in UTC."""
    begin = datetime(year, month, 1, tzinfo=zone)
    return begin.astimezone(UTC), _next_midnight(begin, MONTH).astimezone(UTC)


def day_of(year: int, month: int, day: int, zone: ZoneInfo) -> datetime:
    """When a day of the zone begins, in UTC."""
    return datetime(year, month, day, tzinfo=zone).astimezone(UTC)


def known_zone(name: str) -> ZoneInfo:
    """A tenant's time zone; UTC where this host does not know it: nobody else waits for it."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return ZoneInfo("UTC")


V = TypeVar("V")


def place(edges: list[datetime], rows: Iterable[tuple[datetime, V]]) -> Iterator[tuple[int, V]]:
    """The number of the span that each row begins in; rows outside of all are left out."""
    for begins_at, value in rows:
        index = bisect_right(edges, begins_at) - 1
        if 0 <= index < len(edges) - 1:
            yield index, value


def _edges(by: str, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    if by == HOUR:
        yield from _hours(since, until, zone)
        return
    local = since.astimezone(zone)
    edge = datetime(local.year, local.month, 1 if by == MONTH else local.day, tzinfo=zone)
    last: datetime | None = None
    while last is None or last < until:
        begins_at = edge.astimezone(UTC)
        if begins_at != last:  # Samoa once left a day out
            yield begins_at
            last = begins_at
        edge = _next_midnight(edge, by)


def _next_midnight(midnight: datetime, by: str) -> datetime:
    """Of the next day or month. Midnight by the clock: wall time is added, then looked up."""
    ahead = midnight.replace(tzinfo=None) + (timedelta(days=1) if by == DAY else timedelta(days=32))
    day = ahead.day if by == DAY else 1
    return datetime(ahead.year, ahead.month, day, tzinfo=midnight.tzinfo)


def _hours(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """An hour of the clock ends where its name changes, or what it is ahead of UTC."""
    at = _quarter_of(since)
    while _name(at - QUARTER, zone) == _name(at, zone):
        at -= QUARTER
    yield at
    while at < until:
        name = _name(at, zone)
        while _name(at, zone) == name:
            at += QUARTER
        yield at


def _name(at: datetime, zone: ZoneInfo) -> tuple[object, ...]:
    local = at.astimezone(zone)
    return local.date(), local.hour, local.utcoffset()


def _quarter_of(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
