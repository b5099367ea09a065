"""The time that a request asks about: ``from``, ``to``, ``timezone`` and ``by`` of its query."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from quotas.spans import DAY, HOUR, MONTH, MOST, TooMany, day_of, edges, month_of
from rest.errors import Invalid
from rest.filters import check_query

BYS: Final = (HOUR, DAY, MONTH)
#: What a series shows when nothing is said.
_USUAL: Final = {
    HOUR: timedelta(hours=24),
    DAY: timedelta(days=30),
    MONTH: timedelta(days=365),
}
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MONTH: Final = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
#: Before it nothing was counted, and far ahead nothing will be.
_FIRST, _LAST = 2000, 2999
_WHEN: Final = "A time with its offset, or a day of the time zone (2026-01-31)"

BY: Final = OpenApiParameter("by", str, enum=BYS, description="What a point spans.", default=HOUR)
FROM: Final = OpenApiParameter("from", str, description=f"{_WHEN}.")
TO: Final = OpenApiParameter("to", str, description=f"{_WHEN}; what is after it does not count.")
ZONE: Final = OpenApiParameter(
    "timezone", str, description="Whose hours and days; the tenant's unless said. Europe/Berlin"
)
OF_MONTH: Final = OpenApiParameter("month", str, description="2026-01, in the tenant's time zone.")
SERIES: Final = [BY, FROM, TO, ZONE]
PERIOD: Final = [OF_MONTH, FROM, TO]


@dataclass(frozen=True)
class Wanted:
    """The spans that a series is asked for."""

    by: str
    zone: ZoneInfo
    edges: list[datetime]


def wanted_series(
    request: Request, *, timezone: str, at: datetime, others: Collection[str] = ()
) -> Wanted:
    """The spans of a series: up to ``at`` unless said, whole hours or days. Raises `Invalid`;
    ``too_many_points`` for more than `MOST`.
    """
    check_query(request, {"by", "from", "to", "timezone", *others})
    by = request.GET.get("by", HOUR)
    if by not in BYS:
        raise Invalid(f"This must be one of: {', '.join(BYS)}.", field="by", code="invalid_choice")
    zone = zone_of(request.GET.get("timezone", timezone))
    until = _moment(request, "to", zone) or at
    since = _moment(request, "from", zone) or until - _USUAL[by]
    return Wanted(by, zone, _edges(by, since, until, zone))


def wanted_period(request: Request, *, timezone: str, at: datetime) -> tuple[datetime, datetime]:
    """From when to when a statement speaks: a month, or ``from`` and ``to``, at quarters of an
    hour; the running month unless said. Raises `Invalid`.
    """
    zone = zone_of(timezone)
    month = request.GET.get("month")
    if month is not None:
        if {"from", "to"} & request.GET.keys():
            raise Invalid("Give month, or from and to.", field="month", code="one_of")
        found = _MONTH.fullmatch(month)
        year, number = (int(one) for one in found.groups()) if found else (0, 0)
        if not _FIRST <= year <= _LAST or not 1 <= number <= 12:
            raise Invalid("This must be a month like 2026-01.", field="month")
        return month_of(year, number, zone)
    local = at.astimezone(zone)
    since = _moment(request, "from", zone) or month_of(local.year, local.month, zone)[0]
    until = _moment(request, "to", zone) or at
    if not since < until:
        raise Invalid("This is not after from.", field="to", code="out_of_range")
    return _quarter(since), _quarter(until, up=True)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name. Raises `Invalid`."""
    if name not in _zones():
        raise Invalid("There is no such time zone; use Europe/Berlin, say.", field="timezone")
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}


def _moment(request: Request, name: str, zone: ZoneInfo) -> datetime | None:
    text = request.GET.get(name)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            found = day_of(day.year, day.month, day.day, zone)
        else:
            moment = parse_datetime(text)
            if moment is None or is_naive(moment):
                raise ValueError
            found = moment.astimezone(UTC)
        if not _FIRST <= found.year <= _LAST:
            raise ValueError
    except (ValueError, OverflowError):
        raise Invalid(f"{_WHEN}, of {_FIRST} to {_LAST}.", field=name) from None
    return found


def _edges(by: str, since: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
    if not since < until:
        raise Invalid("This is not after from.", field="to", code="out_of_range")
    try:
        return edges(by, since, until, zone)
    except TooMany:
        text = f"A series has at most {MOST} points. Ask for less time, or for longer spans."
        raise Invalid(text, field="from", code="too_many_points") from None


def _quarter(at: datetime, *, up: bool = False) -> datetime:
    past = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at - past + (timedelta(minutes=15) if up and past else timedelta())
