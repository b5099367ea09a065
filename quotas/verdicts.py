"""What follows from what was sold and what was used, at a moment. Pure; and the same as SQL.

The SQL is for everybody at once: conditions on a client's row ``c`` and its usage ``u``, which may
be missing (a LEFT JOIN): then nothing was used. A test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from quotas.policies import EXPIRED, PLAN, QUOTA

DISCONNECT: Final = "disconnect"
THROTTLE: Final = "throttle"


@dataclass(frozen=True)
class Terms:
    """What was sold to a client. A null limit is no limit."""

    quota_bytes: int | None = None
    upload_quota_bytes: int | None = None
    download_quota_bytes: int | None = None
    at_limit: str = DISCONNECT
    starts_at: datetime | None = None
    start_before: datetime | None = None
    expires_at: datetime | None = None
    grace_seconds: int = 0


@dataclass(frozen=True)
class Used:
    """What was used in the period: billed bytes each way; and what was topped up for it."""

    up: int = 0
    down: int = 0
    extra: int = 0


@dataclass(frozen=True)
class Verdict:
    """The holds that must be open, and whether the client is slowed down."""

    holds: frozenset[str]
    throttled: bool


def verdict(terms: Terms, used: Used, at: datetime) -> Verdict:
    """What holds and slows a client down at this moment."""
    over = is_over(terms, used)
    held = {
        QUOTA: over and terms.at_limit == DISCONNECT,
        EXPIRED: is_expired(terms, at) or has_missed_start(terms, at),
        PLAN: is_early(terms, at),
    }
    holds = frozenset(reason for reason, holds in held.items() if holds)
    return Verdict(holds, over and terms.at_limit == THROTTLE)


def is_over(terms: Terms, used: Used) -> bool:
    """Whether the bytes are used up: of both ways together, or of one of them.

    What is topped up belongs to both ways together.
    """
    return any(
        limit is not None and number >= limit
        for limit, number in (
            (terms.quota_bytes, used.up + used.down - used.extra),
            (terms.upload_quota_bytes, used.up),
            (terms.download_quota_bytes, used.down),
        )
    )


def is_expired(terms: Terms, at: datetime) -> bool:
    """Whether the end and its grace are over."""
    end = terms.expires_at
    return end is not None and end + timedelta(seconds=terms.grace_seconds) <= at


def has_missed_start(terms: Terms, at: datetime) -> bool:
    """Whether the first handshake had to come, and did not."""
    return terms.starts_at is None and terms.start_before is not None and terms.start_before <= at


def is_early(terms: Terms, at: datetime) -> bool:
    """Whether what was sold begins later."""
    return terms.starts_at is not None and terms.starts_at > at


# -- The same for everybody at once; ``%(at)s`` is the moment ------------------------------------

UP: Final = "(COALESCE(u.billed_up, 0) - COALESCE(u.base_up, 0))"
DOWN: Final = "(COALESCE(u.billed_down, 0) - COALESCE(u.base_down, 0))"
OVER: Final = (
    f"(COALESCE(c.quota_bytes <= {UP} + {DOWN} - COALESCE(u.extra_bytes, 0), FALSE)"
    f" OR COALESCE(c.upload_quota_bytes <= {UP}, FALSE)"
    f" OR COALESCE(c.download_quota_bytes <= {DOWN}, FALSE))"
)
#: SQLite reckons with moments as texts of one shape, by a function of Django's.
_AFTER: Final = {
    "postgresql": "{moment} + ({seconds}) * interval '1 second'",
    "sqlite": "django_format_dtdelta('+', {moment}, ({seconds}) * 1000000)",
}
EARLY: Final = "(c.starts_at > %(at)s)"


def ended(vendor: str, *, seconds: str) -> str:
    """The condition that the end lies so many seconds (of the row) back."""
    return _passed(vendor, "c.expires_at", seconds)


def missed_start(vendor: str, *, seconds: str = "0") -> str:
    """The condition that the start was missed so many seconds (of the row) ago."""
    return f"({_passed(vendor, 'c.start_before', seconds)} AND c.starts_at IS NULL)"


def _passed(vendor: str, moment: str, seconds: str) -> str:
    later = _AFTER[vendor].format(moment=moment, seconds=seconds)
    # Said of each alone: SQLite takes an index of living clients for neither of two otherwise.
    due = f"c.deleted_at IS NULL AND {moment} <= %(at)s"
    return f"({due} AND (({seconds}) = 0 OR {later} <= %(at)s))"


def conditions(vendor: str) -> Mapping[str, str]:
    """A condition for each hold, and for being slowed down; null is no."""
    return {
        QUOTA: f"(c.at_limit = '{DISCONNECT}' AND {OVER})",
        THROTTLE: f"(c.at_limit = '{THROTTLE}' AND {OVER})",
        EXPIRED: f"({ended(vendor, seconds='c.grace_seconds')} OR {missed_start(vendor)})",
        PLAN: EARLY,
    }
