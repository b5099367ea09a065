"""Charts of bytes over time, as geometry: bars of two series, download below upload.

`templates/portal/chart.html` draws one as SVG without script: x in percent, y in pixels, so that
it stretches and its text does not. Below it stands the same as a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log, log10
from typing import Final

from django.utils.translation import gettext

from portal import calendar, formats
from quotas.spans import DAY, HOUR
from quotas.usage import Series

#: Room above the highest line, and below the base for the words of the axis.
_ABOVE, _BELOW = 8.5, 24
_GAP: Final = 1.0
#: Words of the time axis: so many at the most; every other one gives way on a phone.
_WORDS: Final = 6
_TIP: Final = 152
#: Of 10 to some power; three lines and the base make the axis.
_STEPS: Final = (1, 2, 2.5, 5, 10)
#: Of a power of 1024, so that a line, twice and three times as much are round in the unit shown.
_BINARY_STEPS: Final = (1, 2, 2.5, 5, 10, 20, 25, 50, 100, 200, 250, 512, 1024)


@dataclass(frozen=True)
class Point:
    """What was used in one span. ``axis`` is its word on the time axis, "" for none; ``words`` its
    full name.
    """

    words: str
    axis: str
    down: int
    up: int


@dataclass(frozen=True)
class Bar:
    """A point where it stands. Widths and places are percent across, pixels down."""

    point: Point
    x: str
    width: str
    slot_x: str
    slot_width: str
    middle: str
    down_y: float
    down_height: float
    up_y: float
    up_height: float
    #: Where the tip goes, so that it stays inside: pixels from the middle.
    tip: int
    last: bool


@dataclass(frozen=True)
class Line:
    """A line across, with its word before it."""

    y: float
    word_y: float
    words: str


@dataclass(frozen=True)
class Word:
    """A word on the time axis; ``spare`` ones give way where it is narrow."""

    x: str
    words: str
    spare: bool


@dataclass(frozen=True)
class Chart:
    """A chart, ready to be drawn. ``key`` makes its ids; ``column`` heads the table's first."""

    key: str
    title: str
    column: str
    height: int
    base: float
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    words: tuple[Word, ...]
    #: Wide enough for the words in it.
    tip_width: int = _TIP

    @property
    def down(self) -> int:
        """All of the download."""
        return sum(bar.point.down for bar in self.bars)

    @property
    def up(self) -> int:
        """All of the upload."""
        return sum(bar.point.up for bar in self.bars)


def chart(
    points: Sequence[Point],
    *,
    key: str,
    title: str,
    column: str,
    slots: int = 0,
    height: int = 210,
) -> Chart:
    """The chart of these points. ``slots`` leaves room for what is to come."""
    base = height - _BELOW + 0.5
    slots = max(slots, len(points), 1)
    step = _step(max((point.down + point.up for point in points), default=0))
    scale = (base - _ABOVE) / (3 * step)
    bars = tuple(
        _bar(point, place, slots, base, scale, last=place == len(points) - 1)
        for place, point in enumerate(points)
    )
    lines = tuple(_line(base - number * step * scale, number * step) for number in (1, 2, 3))
    named = [place for place, point in enumerate(points) if point.axis]
    every = max(1, ceil((slots if len(named) == len(points) else len(named)) / _WORDS))
    words = tuple(
        Word(_percent(place * 100 / slots), points[place].axis, bool(number % 2))
        for number, place in enumerate(named[::every])
    )
    return Chart(key, title, column, height, base, bars, lines, words)


def usage_chart(
    series: Series, *, by: str, zone: str, key: str, title: str, until: datetime, height: int = 210
) -> Chart:
    """The chart of a series of hours or days as they are billed; spans after ``until`` are room
    that stays empty.
    """
    points = [
        Point(
            _span(begins_at, by, zone),
            calendar.clock(begins_at, zone) if by == HOUR else calendar.short(begins_at, zone),
            sums.billed_down,
            sums.billed_up,
        )
        for begins_at, sums in zip(series.edges, series.points, strict=False)
        if begins_at <= until
    ]
    column = {HOUR: gettext("Hour"), DAY: gettext("Day")}.get(by, gettext("Month"))
    return chart(
        points, key=key, title=title, column=column, slots=len(series.points), height=height
    )


def _span(begins_at: datetime, by: str, zone: str) -> str:
    day = calendar.short(begins_at, zone)
    return f"{day}, {calendar.clock(begins_at, zone)}" if by == HOUR else day


def _bar(point: Point, place: int, slots: int, base: float, scale: float, *, last: bool) -> Bar:
    slot = 100 / slots
    begin = place * slot
    down, up = round(point.down * scale, 1), round(point.up * scale, 1)
    gap = _GAP if down and up else 0.0
    return Bar(
        point=point,
        x=_percent(begin + slot * 0.14),
        width=_percent(slot * 0.72),
        slot_x=_percent(begin),
        slot_width=_percent(slot),
        middle=_percent(begin + slot / 2),
        down_y=round(base - 0.5 - down, 1),
        down_height=down,
        up_y=round(base - 0.5 - down - gap - up, 1),
        up_height=up,
        tip=12 if begin + slot / 2 < 50 else -12 - _TIP,
        last=last,
    )


def _line(y: float, value: float) -> Line:
    y = floor(y) + 0.5
    return Line(y, y + 3.5, formats.size(round(value)))


def _step(most: int) -> float:
    """A third of the axis: the smallest round number that leaves no bar outside."""
    wanted = max(most, 3) / 3
    if formats.ways().is_binary:
        power = 1024.0 ** floor(log(wanted, 1024))
        return next(step * power for step in _BINARY_STEPS if step * power >= wanted * 0.9999)
    power = 10.0 ** floor(log10(wanted))
    return next(step * power for step in _STEPS if step * power >= wanted * 0.9999)


def _percent(value: float) -> str:
    return f"{value:.2f}%"
