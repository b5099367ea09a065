"""Old buckets become days, and old days months, where their tenant lives; old segments go.

Folding takes buckets away and adds their bytes to the bucket of the day (or month) that they begin
in: the sums of a device, a client and a tenant never change, whenever it happens and however often
it is interrupted. A day of the tenant's time zone has 23 or 25 hours when clocks are turned, and
its bucket is as long. After a tenant has moved to another time zone, the days from before stay as
they were folded.

The oldest bucket says what is folded next: its day, of all tenants of its time zone. A day that is
not over at the limit keeps those after it waiting, so nothing is ever searched through.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import connection, transaction
from django.db.models import Min

from control.buckets import SUMS, Move
from control.many import db_time, persist
from control.rollup import PAUSE_S
from gateways.models import GlobalSetting
from quotas.models import Session, UsageBucket
from quotas.spans import DAY, MONTH, edges, known_zone
from rest.batches import drop_some

#: How long days are kept.
KEEP_DAYS: Final = timedelta(days=730)
BATCH: Final = 5000
_TWO_DAYS: Final = 2 * 24 * 3600
_QUARTER: Final = 900
_INSTANT: Final = timedelta(microseconds=1)

_FOLD: Final = Move(
    table="quotas_usagebucket",
    choice=(
        "SELECT id FROM quotas_usagebucket WHERE seconds = %s AND begins_at >= %s"
        " AND begins_at < %s AND tenant_id IN (SELECT id FROM tenants_tenant WHERE timezone = %s)"
        " ORDER BY begins_at LIMIT %s"
    ),
    taken="DELETE FROM quotas_usagebucket",
    begins="%s",
    length="%s",
    sums=SUMS,
)
#: The oldest first. Sums are in the buckets already.
_OLD_SEGMENTS: Final = (
    "SELECT id FROM quotas_ledgersegment WHERE rolled_up AND quarter < %s ORDER BY quarter LIMIT %s"
)


@dataclass(frozen=True)
class Level:
    """Buckets of so many seconds (from the shortest on, and below ``beyond``) become a span's."""

    span: str
    shortest: int
    beyond: int


DAYS: Final = Level(DAY, _QUARTER, _QUARTER + 1)
MONTHS: Final = Level(MONTH, _QUARTER + 1, _TWO_DAYS)


def fold(*, at: datetime, seconds: float, batch: int = BATCH) -> dict[str, int]:
    """Fold what is old enough and drop what is kept no longer, for so long; how many rows of each.

    Safe to run twice, late and side by side.
    """
    kept = GlobalSetting.objects.values_list(
        "keep_quarters_days", "keep_ledger_days", "keep_sessions_days"
    ).get(pk=1)
    quarters, ledger, sessions = (at - timedelta(days=days) for days in kept)
    end = time.monotonic() + seconds
    over = Session.objects.filter(began_at__lt=sessions, ended_at__isnull=False)
    old = over.order_by("began_at")
    return {
        "quarters": _repeat(_steps(DAYS, quarters, batch), end),
        "days": _repeat(_steps(MONTHS, at - KEEP_DAYS, batch), end),
        "segments": _repeat(partial(_drop_segments, ledger, batch), end),
        "sessions": _repeat(partial(drop_some, old, batch), end),
    }


def _repeat(step: Callable[[], int], end: float) -> int:
    """Take a step until it finds nothing or the time is over; the sum of what it found."""
    total = 0
    while found := persist(step):
        total += found
        if time.monotonic() >= end:
            break
        time.sleep(PAUSE_S)
    return total


def _steps(level: Level, before: datetime, batch: int) -> Callable[[], int]:
    """A step of folding what ended before then: 0 when nothing is left, or free."""
    return lambda: next(filter(None, _some(level, before, batch)), 0)


def _some(level: Level, before: datetime, batch: int) -> Iterator[int]:
    for length in _lengths(level):
        oldest = (
            UsageBucket.objects.filter(seconds=length, begins_at__lt=before)
            .order_by("begins_at")
            .values_list("begins_at", "tenant__timezone")
            .first()
        )
        if oldest is None:
            continue
        begins_at, zone = oldest
        begin, end, *_ = edges(level.span, begins_at, begins_at + _INSTANT, known_zone(zone))
        if end > before:
            continue
        chosen = (length, db_time(begin), db_time(end), zone)
        into = (db_time(begin), int((end - begin).total_seconds()))
        yield _FOLD.run(chosen, into, limit=batch)


def _lengths(level: Level) -> Iterator[int]:
    """The lengths that there are, each found by one look at the index."""
    rows = UsageBucket.objects.filter(seconds__lt=level.beyond)
    shortest = level.shortest
    while True:
        found = rows.filter(seconds__gte=shortest).aggregate(least=Min("seconds"))["least"]
        if found is None:
            return
        yield found
        shortest = found + 1


def _drop_segments(before: datetime, batch: int) -> int:
    old = f"IN ({_OLD_SEGMENTS})"
    if connection.vendor == "postgresql":
        old = f"= ANY(ARRAY({_OLD_SEGMENTS} FOR UPDATE SKIP LOCKED))"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM quotas_ledgersegment WHERE id {old}",  # noqa: S608  constants of this app
            [db_time(before), batch],
        )
        return int(cursor.rowcount)
