"""Hours, days and months of every kind of time zone."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotas.spans import DAY, HOUR, MONTH, MOST, Bytes, TooMany, edges, month_of, place, total_of

ZONES = [
    "UTC", "Asia/Tehran", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "Asia/Beirut",
    "Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "Africa/Casablanca",
]  # fmt: skip
HOUR_S = timedelta(hours=1)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def lengths(found: list[datetime]) -> list[float]:
    return [(end - begin) / HOUR_S for begin, end in itertools.pairwise(found)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", at(2026, 3, 29, 12), 23),
        ("Europe/Berlin", at(2026, 10, 25, 12), 25),
        ("Europe/Berlin", at(2026, 7, 1, 12), 24),
        ("Asia/Beirut", at(2026, 3, 29, 12), 23),  # there is no midnight on that day
        ("America/Havana", at(2026, 11, 1, 12), 25),  # midnight comes twice
        ("Australia/Lord_Howe", at(2026, 4, 5, 2), 24.5),  # by half an hour
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone: str, day: datetime, hours: float) -> None:
    found = edges(DAY, day, day + timedelta(minutes=1), ZoneInfo(zone))
    assert lengths(found) == [hours]
    by_hour = edges(HOUR, found[0], found[1], ZoneInfo(zone))
    assert (by_hour[0], by_hour[-1]) == (found[0], found[1])
    assert len(by_hour) - 1 == (hours if hours != 24.5 else 25)


def test_hours_of_kathmandu_begin_at_quarters() -> None:
    found = edges(HOUR, at(2026, 1, 1, 0), at(2026, 1, 1, 1), ZoneInfo("Asia/Kathmandu"))
    assert found == [at(2025, 12, 31, 23, 15), at(2026, 1, 1, 0, 15), at(2026, 1, 1, 1, 15)]


def test_days_of_tehran_begin_at_half_past_eight() -> None:
    found = edges(DAY, at(2026, 1, 1, 20, 30), at(2026, 1, 2, 20, 30), ZoneInfo("Asia/Tehran"))
    assert found == [at(2026, 1, 1, 20, 30), at(2026, 1, 2, 20, 30)]


def test_a_day_that_never_was_is_no_point() -> None:
    found = edges(DAY, at(2011, 12, 29, 12), at(2011, 12, 31, 12), ZoneInfo("Pacific/Apia"))
    assert lengths(found) == [24, 24, 24]


def test_months() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert month_of(2026, 12, berlin) == (at(2026, 11, 30, 23), at(2026, 12, 31, 23))
    found = edges(MONTH, at(2026, 1, 15), at(2026, 4, 1), berlin)
    assert found[1:3] == [at(2026, 1, 31, 23), at(2026, 2, 28, 23)]
    assert found[-1] == at(2026, 4, 30, 22)


def test_a_series_is_bounded() -> None:
    for by, days in ((HOUR, 34), (DAY, 801), (MONTH, 30_000)):
        with pytest.raises(TooMany):
            edges(by, at(2026, 1, 1), at(2026, 1, 1) + timedelta(days=days), ZoneInfo("UTC"))
    assert len(edges(DAY, at(2026, 1, 1), at(2028, 3, 1), ZoneInfo("UTC"))) <= MOST + 1
    with pytest.raises(ValueError, match="not after"):
        edges(DAY, at(2026, 1, 2), at(2026, 1, 2), ZoneInfo("UTC"))


@given(
    st.sampled_from(ZONES),
    st.sampled_from([HOUR, DAY, MONTH]),
    st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)),
    st.integers(1, 30 * 24 * 4),
)
def test_edges_rise_hold_what_was_asked_and_stand_at_quarters(
    zone: str, by: str, naive: datetime, quarters: int
) -> None:
    since = naive.replace(tzinfo=UTC)
    until = since + timedelta(minutes=15 * quarters)
    found = edges(by, since, until, ZoneInfo(zone))
    assert found[0] <= since
    assert found[-2] < until <= found[-1]
    assert all(begin < end for begin, end in itertools.pairwise(found))
    for edge in found:
        assert (edge.minute % 15, edge.second, edge.microsecond) == (0, 0, 0)
        local = edge.astimezone(ZoneInfo(zone))
        if by != HOUR and zone != "Asia/Beirut":
            assert local.hour in (0, 1)


def test_rows_fall_into_the_span_that_they_begin_in() -> None:
    found = [at(2026, 1, 1), at(2026, 1, 2), at(2026, 1, 3)]
    rows = [
        (at(2025, 12, 31), "early"),
        (at(2026, 1, 1), "first"),
        (at(2026, 1, 2), "second"),
        (at(2026, 1, 3), "late"),
    ]
    assert list(place(found, rows)) == [(0, "first"), (1, "second")]


def test_bytes_add_up() -> None:
    found = total_of([Bytes(1, 2, 3, 4), Bytes(10, 20, 30, 40)])
    assert (found, found.raw, found.billed) == (Bytes(11, 22, 33, 44), 33, 77)
