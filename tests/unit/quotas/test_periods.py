"""Periods: they are all of time, never overlap, and begin where the calendar says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotas.periods import Period, first_period, next_period, period_at

KINDS = ["day", "week", "month", "month-from-start", "year"]
#: With gaps at midnight, two hours that come twice, odd offsets, a day that never was.
ZONES = [
    "UTC", "Asia/Tehran", "Asia/Kathmandu", "Asia/Kolkata", "Europe/Berlin", "America/Santiago",
    "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia", "Pacific/Kwajalein",
    "Australia/Lord_Howe", "America/St_Johns", "America/Toronto", "America/Havana",
]  # fmt: skip
zones = st.sampled_from([ZoneInfo(name) for name in ZONES])
moments = st.datetimes(
    min_value=datetime(1985, 1, 1),
    max_value=datetime(2060, 1, 1),
    timezones=st.just(UTC),
)


@settings(max_examples=400, deadline=None)
@given(kind=st.sampled_from(KINDS), start=moments, zone=zones, at=moments)
def test_periods_are_all_of_time_and_never_overlap(
    kind: str, start: datetime, zone: ZoneInfo, at: datetime
) -> None:
    period = period_at(kind, start=start, zone=zone, at=at)
    assert period.ends_at is not None
    assert period.began_at <= at < period.ends_at
    after = period_at(kind, start=start, zone=zone, at=period.ends_at)
    assert after.began_at == period.ends_at
    last = period.ends_at - timedelta(microseconds=1)
    assert period_at(kind, start=start, zone=zone, at=last) == period
    assert period_at(kind, start=start, zone=zone, at=period.began_at) == period
    before = period_at(kind, start=start, zone=zone, at=period.began_at - timedelta(microseconds=1))
    assert before.ends_at == period.began_at


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(KINDS), start=moments, zone=zones, times=st.lists(moments, min_size=2))
def test_a_later_moment_lies_in_no_earlier_period(
    kind: str, start: datetime, zone: ZoneInfo, times: list[datetime]
) -> None:
    found = [period_at(kind, start=start, zone=zone, at=at) for at in sorted(times)]
    assert all(a == b or a.ends_at <= b.began_at for a, b in pairwise(found) if a.ends_at)


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    start=moments,
    zone=zones,
    late=st.integers(0, 10**8),
)
def test_the_next_period_is_the_one_of_the_moment_however_late(
    kind: str, start: datetime, zone: ZoneInfo, late: int
) -> None:
    first = first_period(kind, start=start, zone=zone, at=start)
    assert first.ends_at is not None
    at = first.ends_at + timedelta(seconds=late)
    following = next_period(kind, start=start, zone=zone, ended_at=first.ends_at, at=at)
    assert following == period_at(kind, start=start, zone=zone, at=at)


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from([kind for kind in KINDS if kind != "month-from-start"]),
    zone=zones,
    other=zones,
    at=moments,
)
def test_another_time_zone_makes_no_scrap_and_no_second_reset(
    kind: str, zone: ZoneInfo, other: ZoneInfo, at: datetime
) -> None:
    old = period_at(kind, start=at, zone=zone, at=at)
    assert old.ends_at is not None
    new = next_period(kind, start=at, zone=other, ended_at=old.ends_at, at=old.ends_at)
    assert new.ends_at is not None
    whole = old.ends_at - old.began_at
    assert new.began_at == old.ends_at
    assert whole * 0.45 < new.ends_at - new.began_at < whole * 1.7
    again = period_at(kind, start=at, zone=other, at=new.ends_at)
    assert again.began_at == new.ends_at, "from then on by the other zone's calendar"


def spans(kind: str, start: str, zone: str, number: int) -> list[str]:
    """When the periods from the start on begin, by the clock on the wall."""
    place, began = ZoneInfo(zone), datetime.fromisoformat(start)
    at, found = began, []
    for _ in range(number):
        period = period_at(kind, start=began, zone=place, at=at)
        assert period.ends_at is not None
        at = period.ends_at
        found.append(at.astimezone(place).isoformat(timespec="minutes"))
    return found


def test_the_31st_clamps_to_the_month_s_end_and_comes_back() -> None:
    assert spans("month-from-start", "2027-01-31T10:00:00+00:00", "UTC", 5) == [
        "2027-02-28T10:00+00:00",
        "2027-03-31T10:00+00:00",
        "2027-04-30T10:00+00:00",
        "2027-05-31T10:00+00:00",
        "2027-06-30T10:00+00:00",
    ]
    assert spans("month-from-start", "2028-01-30T23:30:00+00:00", "Asia/Tehran", 2) == [
        "2028-02-29T03:00+03:30",
        "2028-03-31T03:00+03:30",
    ]


@pytest.mark.parametrize(
    ("kind", "start", "zone", "first"),
    [
        ("day", "2026-11-27T20:29:59+00:00", "Asia/Tehran", "2026-11-28T00:00+03:30"),
        ("day", "2026-11-27T18:15:00+00:00", "Asia/Kathmandu", "2026-11-29T00:00+05:45"),
        ("week", "2026-11-27T12:00:00+00:00", "Asia/Tehran", "2026-11-30T00:00+03:30"),
        ("month", "2026-11-30T20:29:00+00:00", "Asia/Tehran", "2026-12-01T00:00+03:30"),
        ("year", "2026-11-27T12:00:00+00:00", "Asia/Kathmandu", "2027-01-01T00:00+05:45"),
        # The clock jumped over midnight: the day began at one.
        ("day", "2022-09-10T12:00:00+00:00", "America/Santiago", "2022-09-11T01:00-03:00"),
        # ... and there was no December 30th at all.
        ("day", "2011-12-29T20:00:00+00:00", "Pacific/Apia", "2011-12-31T00:00+14:00"),
        # From the start at 02:30, which March 29th has not.
        (
            "month-from-start",
            "2026-02-28T01:30:00+00:00",
            "Europe/Berlin",
            "2026-03-28T02:30+01:00",
        ),
        (
            "month-from-start",
            "2027-02-28T01:30:00+00:00",
            "Europe/Berlin",
            "2027-03-28T03:00+02:00",
        ),
        # An hour that comes twice: the first.
        (
            "month-from-start",
            "2026-09-25T00:30:00+00:00",
            "Europe/Berlin",
            "2026-10-25T02:30+02:00",
        ),
    ],
)
def test_periods_begin_where_the_tenant_lives(kind: str, start: str, zone: str, first: str) -> None:
    assert spans(kind, start, zone, 1) == [first]


def test_a_jump_that_begins_before_midnight() -> None:
    """Toronto, March 30th 1919: from 23:30 to 00:30. The next day begins when the clock jumps."""
    place = ZoneInfo("America/Toronto")
    at = datetime(1919, 3, 30, 12, tzinfo=place)
    period = period_at("day", start=at, zone=place, at=at)
    assert period.ends_at == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)


def test_without_a_reset_there_is_one_period() -> None:
    start = datetime(2026, 11, 27, tzinfo=UTC)
    period = Period(start, None)
    assert period_at("none", start=start, zone=UTC, at=start + timedelta(days=900)) == period
    late = start + timedelta(days=900)
    assert next_period("none", start=start, zone=UTC, ended_at=start, at=late) == period
    assert first_period("none", start=start, zone=UTC, at=late) == period


def test_the_first_period_begins_with_the_start() -> None:
    start = datetime(2026, 11, 27, 9, tzinfo=UTC)
    period = first_period("month", start=start, zone=UTC, at=start)
    assert period == Period(start, datetime(2026, 12, 1, tzinfo=UTC))
    late = first_period("month", start=start, zone=UTC, at=start + timedelta(days=40))
    assert late.began_at == datetime(2027, 1, 1, tzinfo=UTC)
