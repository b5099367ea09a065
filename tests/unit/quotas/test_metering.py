"""One sample against one meter: what it adds, what it begins, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotas.metering import (
    Cursor,
    Flag,
    Refusal,
    Sample,
    Step,
    after,
    closed,
    judge,
    quarter_of,
    take_over,
)

OPEN = Cursor(run=1, incarnation=3, rx=1000, tx=2000, seq=10)


def step(meter: Cursor, sample: Sample, *, percent: int = 100) -> Step:
    found = judge(meter, sample, percent=percent)
    assert isinstance(found, Step)
    return found


@pytest.mark.parametrize("seq", [0, 9, 10])
@pytest.mark.parametrize("meter", [OPEN, closed(OPEN, seq=10)])
def test_a_late_or_repeated_sample_is_refused(meter: Cursor, seq: int) -> None:
    assert judge(meter, Sample(1, seq, 9000, 9000), percent=100) is Refusal.STALE
    assert take_over(meter, Sample(1, seq, 9000, 9000)) is Refusal.STALE


def test_counters_that_went_on_add_the_difference() -> None:
    found = step(OPEN, Sample(1, 11, 1500, 2001))
    assert (found.incarnation, found.from_rx, found.to_rx, found.from_tx, found.to_tx) == (
        3, 1000, 1500, 2000, 2001,
    )  # fmt: skip
    assert (found.up, found.down, found.billed_up, found.billed_down) == (500, 1, 500, 1)
    assert found.flags == 0


def test_counters_that_did_not_move_add_nothing() -> None:
    assert not step(OPEN, Sample(1, 11, 1000, 2000)).moved


@pytest.mark.parametrize(("rx", "tx"), [(10, 20), (5000, 9000)])
def test_another_life_of_the_interface_begins_at_0_however_far_it_has_come(
    rx: int, tx: int
) -> None:
    found = step(OPEN, Sample(2, 11, rx, tx))
    assert (found.incarnation, found.up, found.down) == (4, rx, tx)
    assert found.flags == Flag.RESTARTED | Flag.GAP


@pytest.mark.parametrize(("rx", "tx"), [(999, 9000), (9000, 1999), (0, 0)])
def test_one_counter_that_fell_means_that_both_began_at_0(rx: int, tx: int) -> None:
    found = step(OPEN, Sample(1, 11, rx, tx))
    assert (found.incarnation, found.up, found.down) == (4, rx, tx)
    assert found.flags == Flag.FELL | Flag.GAP


def test_a_fall_to_0_is_written_for_the_counters_may_overtake() -> None:
    found = step(OPEN, Sample(1, 11, 0, 0))
    assert (found.up, found.down, found.moved) == (0, 0, True)
    assert not step(OPEN, Sample(2, 11, 0, 0)).moved  # another life is known by itself


def test_a_closed_meter_begins_at_0_in_the_same_life_and_nothing_is_in_doubt() -> None:
    meter = closed(OPEN, seq=12)
    assert meter == Cursor(run=None, incarnation=3, rx=0, tx=0, seq=12)
    found = step(meter, Sample(1, 13, 5000, 6000))
    assert (found.incarnation, found.from_rx, found.up, found.down) == (4, 0, 5000, 6000)
    assert found.flags == Flag.BEGAN


def test_closing_never_goes_back() -> None:
    assert closed(OPEN, seq=4).seq == 10


def test_the_first_sample_of_all_begins_the_first_incarnation() -> None:
    found = step(Cursor(), Sample(1, 1, 7, 8))
    assert (found.incarnation, found.up, found.down, found.flags) == (1, 7, 8, Flag.BEGAN)


def test_what_was_counted_by_another_is_not_counted_again() -> None:
    sample = Sample(1, 11, 500, 600)
    found = take_over(OPEN, sample)
    assert isinstance(found, Step)
    assert not found.moved
    assert (found.incarnation, found.from_rx, found.flags) == (4, 500, Flag.TAKEN_OVER)
    assert step(after(OPEN, sample, found), Sample(1, 12, 507, 608)).up == 7


def test_a_device_that_is_off_is_counted_and_not_billed() -> None:
    off = OPEN._replace(billing=False, rest_up=7)
    found = step(off, Sample(1, 11, 1500, 2000), percent=250)
    assert (found.up, found.billed_up, found.rest_up) == (500, 0, 7)
    assert found.flags == Flag.OFF
    assert step(off, Sample(1, 11, 1000, 2000)).flags == 0


@pytest.mark.parametrize(
    ("percent", "counted", "billed", "rest"),
    [(100, 33, 33, 0), (50, 33, 16, 50), (0, 33, 0, 0), (150, 1, 1, 50), (333, 10, 33, 30)],
)
def test_the_usage_factor_keeps_what_is_less_than_a_byte(
    percent: int, counted: int, billed: int, rest: int
) -> None:
    found = step(Cursor(), Sample(1, 1, counted, 0), percent=percent)
    assert (found.billed_up, found.rest_up) == (billed, rest)


@given(st.lists(st.integers(0, 2000), max_size=40), st.integers(0, 1000))
def test_no_hundredth_is_lost_over_many_samples(amounts: list[int], percent: int) -> None:
    meter, billed = Cursor(), 0
    for seq, amount in enumerate(amounts, 1):
        sample = Sample(1, seq, meter.rx + amount, 0)
        found = step(meter, sample, percent=percent)
        billed, meter = billed + found.billed_up, after(meter, sample, found)
    assert billed * 100 + meter.rest_up == sum(amounts) * percent


def test_a_quarter_of_an_hour_is_one_in_every_time_zone() -> None:
    tehran = timezone(timedelta(hours=3, minutes=30))
    at = datetime(2026, 3, 21, 0, 14, 59, 999_999, tehran)
    assert quarter_of(at) == datetime(2026, 3, 20, 20, 30, tzinfo=UTC)
    assert quarter_of(quarter_of(at)) == quarter_of(at)
    assert quarter_of(at + timedelta(microseconds=1)) == datetime(2026, 3, 20, 20, 45, tzinfo=UTC)


def test_flags_are_stored_and_never_change() -> None:
    assert {flag.name: flag.value for flag in Flag} == {
        "BEGAN": 1, "RESTARTED": 2, "FELL": 4, "GAP": 8, "TAKEN_OVER": 16, "LAST": 32, "OFF": 64,
        "CARRIED": 128,
    }  # fmt: skip
