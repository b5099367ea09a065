"""When people are told that bytes or days run out: once each, and again only after it was well
again. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

#: Points of percent that a balance must fall below a threshold before it warns again.
SLACK: Final = 5
#: So much further off than a threshold must an end be.
SLACK_TIME: Final = timedelta(hours=12)


def percent_to_tell(percent: int | None, thresholds: Collection[int], told: int) -> int:
    """The threshold that counts as told of from now on: a higher one than ``told`` is news.

    At 100 nothing is told any more: that has an event of its own.
    """
    if percent is None:
        return 0
    reached = max((one for one in thresholds if one <= percent), default=0)
    if reached > told:
        return told if percent >= 100 else reached
    kept = max((one for one in thresholds if one - SLACK <= percent), default=0)
    return min(told, kept)


def days_to_tell(
    end: datetime | None, thresholds: Collection[int], told: int | None, at: datetime
) -> int | None:
    """The days that count as told of from now on: fewer than ``told`` are news; None: none yet.

    After the end nothing is told any more: that has an event of its own.
    """
    if end is None:
        return None
    left = end - at
    reached = min((one for one in thresholds if left <= timedelta(days=one)), default=None)
    if reached is not None and (told is None or reached < told):
        return told if left <= timedelta() else reached
    if told is None:
        return None
    near = [one for one in thresholds if left <= timedelta(days=one) + SLACK_TIME]
    return max(told, min(near)) if near else None
