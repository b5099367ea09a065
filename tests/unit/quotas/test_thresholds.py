"""Warnings come once, and again only after it was well again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotas.thresholds import SLACK, days_to_tell, percent_to_tell

AT = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("percent", "told", "wanted"),
    [
        (None, 80, 0),  # no limit any more
        (0, 0, 0),
        (79, 0, 0),
        (80, 0, 80),
        (80, 80, 80),
        (94, 80, 80),
        (97, 0, 95),  # from nothing to 97: told once
        (97, 80, 95),
        (100, 80, 80),  # the limit has an event of its own
        (150, 0, 0),
        (90, 95, 95),  # a little better is not well
        (89, 95, 80),
        (76, 80, 80),
        (74, 80, 0),
        (50, 95, 0),
    ],
)
def test_percent(percent: int | None, told: int, wanted: int) -> None:
    assert percent_to_tell(percent, [95, 80], told) == wanted


@pytest.mark.parametrize(
    ("hours", "told", "wanted"),
    [
        (None, 3, None),
        (100, None, None),
        (72, None, 3),
        (72, 3, 3),
        (24, 3, 1),
        (5, None, 1),
        (0, 3, 3),
        (-5, None, None),
        (30, 1, 1),
        (37, 1, 3),
        (83, 3, 3),
        (85, 3, None),
        (900, 1, None),
    ],
)
def test_days(hours: int | None, told: int | None, wanted: int | None) -> None:
    end = None if hours is None else AT + timedelta(hours=hours)
    assert days_to_tell(end, [3, 1], told, AT) == wanted


@given(st.lists(st.integers(0, 120), max_size=60), st.sets(st.integers(1, 99), max_size=5))
def test_a_threshold_is_told_again_only_after_a_fall_below_it(
    percents: list[int], thresholds: set[int]
) -> None:
    told, since = 0, dict.fromkeys(thresholds, -100)  # the least since it was told of
    for percent in percents:
        since = {one: min(least, percent) for one, least in since.items()}
        new = percent_to_tell(percent, thresholds, told)
        if new > told:
            assert since[new] < new - SLACK, "a fall before"
            since |= {one: percent for one in thresholds if one <= new}
        assert percent_to_tell(percent, thresholds, new) == new, "settled at once"
        told = new
