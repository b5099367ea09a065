"""What is left of what was sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest

from quotas.balance import balance, sold_bytes


@dataclass
class Sold:
    quota_bytes: int | None = None
    upload_quota_bytes: int | None = None
    download_quota_bytes: int | None = None


@dataclass
class Counted:
    billed_up: int = 0
    billed_down: int = 0
    base_up: int = 0
    base_down: int = 0
    extra_bytes: int = 0
    throttled_since: datetime | None = None


@pytest.mark.parametrize(
    ("sold", "counted", "used", "left", "percent"),
    [
        (Sold(), None, 0, None, None),
        (Sold(), Counted(5, 6), 11, None, None),
        (Sold(100), None, 0, 100, 0),
        (Sold(100), Counted(30, 49), 79, 21, 79),
        (Sold(100), Counted(30, 49, 10, 20), 49, 51, 49),
        (Sold(100), Counted(30, 49, extra_bytes=100), 79, 121, 39),
        (Sold(100), Counted(90, 30), 120, 0, 120),
        (Sold(None, 10, 100), Counted(9, 10), 19, 1, 90),
        (Sold(1000, 10, None), Counted(5, 10), 15, 5, 50),
        (Sold(None, 0, None), Counted(), 0, 0, 100),
    ],
)
def test_the_nearest_limit_counts(
    sold: Sold, counted: Counted | None, used: int, left: int | None, percent: int | None
) -> None:
    found = balance(sold, counted)
    assert (found.used, found.left, found.percent) == (used, left, percent)


def test_what_was_sold() -> None:
    assert sold_bytes(Sold(100, 1, 2)) == 100
    assert sold_bytes(Sold(None, 1, 2)) == 3
    assert sold_bytes(Sold(None, 1, None)) is None
    assert sold_bytes(Sold()) is None
