"""What was used in quarters of an hour, of hours that are over out of the cache.

An hour's sums do not change once it is over and rolled up: bytes that come late are written into
the quarter in which they come (control.rollup). So each hour is added up once, and a chart of a
day or a week costs what its newest hour costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache

from quotas.spans import QUARTER, Bytes, place
from quotas.usage import Series, Whose, series

_HOUR: Final = timedelta(hours=1)
#: More than a roll-up waits for what comes late.
_MARGIN: Final = timedelta(minutes=20)
_SECONDS: Final = int(timedelta(days=8).total_seconds())


def kept_series(name: str, whose: Whose, edges: list[datetime], *, at: datetime) -> Series:
    """`quotas.usage.series` between edges that are quarters of an hour. ``name`` says whose."""
    points = [Bytes()] * (len(edges) - 1)
    for index, sums in place(edges, quarters(name, whose, edges[0], edges[-1], at=at)):
        points[index] = points[index].plus(sums)
    return Series(edges, points, coarse=False)


def quarters(
    name: str, whose: Whose, since: datetime, until: datetime, *, at: datetime
) -> Iterator[tuple[datetime, Bytes]]:
    """Each quarter of the hours that hold this time, with its bytes."""
    hours = list(_hours(since, min(until, at)))
    keys = {hour: f"quotas.hour:{name}:{hour:%Y%m%d%H}" for hour in hours}
    found = cache.get_many(keys.values())
    missing = [hour for hour in hours if keys[hour] not in found]
    fresh: dict[str, list[Bytes]] = {}
    if missing:
        edges = [missing[0]]
        while edges[-1] < missing[-1] + _HOUR:
            edges.append(edges[-1] + QUARTER)
        points = series(whose, edges).points
        for hour in missing:
            first = (hour - missing[0]) // QUARTER
            fresh[keys[hour]] = points[first : first + 4]
        over = {keys[hour] for hour in missing if hour + _HOUR + _MARGIN <= at}
        new = {key: [tuple(one) for one in fresh[key]] for key in over}
        if new:
            cache.set_many(new, _SECONDS)
    for hour in hours:
        for number, sums in enumerate(found.get(keys[hour]) or fresh[keys[hour]]):
            yield hour + number * QUARTER, Bytes(*sums)


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour < until:
        yield hour
        hour += _HOUR
