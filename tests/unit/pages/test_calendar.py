"""Dates as customers read them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from portal.calendar import day, persian


@pytest.mark.parametrize(
    ("gregorian", "expected"),
    [
        (date(2026, 11, 23), (1405, 9, 2)),
        (date(2025, 3, 20), (1403, 12, 30)),  # a leap year's last day
        (date(2025, 3, 21), (1404, 1, 1)),
        (date(2026, 3, 20), (1404, 12, 29)),
        (date(2026, 3, 21), (1405, 1, 1)),
        (date(2024, 2, 29), (1402, 12, 10)),
        (date(2021, 3, 20), (1399, 12, 30)),
        (date(1979, 2, 11), (1357, 11, 22)),
        (date(2026, 9, 22), (1405, 6, 31)),
        (date(2026, 9, 23), (1405, 7, 1)),
        (date(2000, 1, 1), (1378, 10, 11)),
        (date(2030, 3, 20), (1408, 12, 30)),  # five years after the leap year before it
        (date(2030, 3, 21), (1409, 1, 1)),
    ],
)
def test_persian_days(gregorian: date, expected: tuple[int, int, int]) -> None:
    assert persian(gregorian) == expected


def test_a_day_is_the_tenants() -> None:
    evening = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
    assert day(evening, "UTC") == "22 November 2026"
    with translation.override("fa"):
        assert day(evening, "Asia/Tehran") == "۲ آذر ۱۴۰۵"
