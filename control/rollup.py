"""Quarters of an hour that are over become buckets: what charts and statements add up.

A segment stands in a bucket, or is still to come to one, and never both: it is marked in the
transaction that adds it. So a sum over time is that of the buckets and of the segments that are
not rolled up. Safe to run twice, late and side by side.

A sample may come late: its dump was read in one quarter and is counted in the next one. A quarter
is rolled up `MARGIN` after its end, which is longer than a task may run. Who comes later still (a
database clock that was set back, a process that slept) finds the segment rolled up, must not
extend it, and writes the bytes into the next quarter (control.metering does): no byte is lost and
none counted twice, and one is late by a quarter in a chart.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from control.buckets import Move
from control.many import db_time, persist

QUARTER: Final = timedelta(minutes=15)
#: Above the hard limit of a task (120 s): what was read in a quarter is written by then.
MARGIN: Final = timedelta(minutes=5)
#: Segments of one transaction; between two of them others have their turn.
BATCH: Final = 5000
PAUSE_S: Final = 0.02

_ROLL_UP: Final = Move(
    table="quotas_ledgersegment",
    choice=(
        "SELECT id FROM quotas_ledgersegment WHERE NOT rolled_up AND quarter <= %s"
        " ORDER BY quarter, id LIMIT %s"
    ),
    taken="UPDATE quotas_ledgersegment SET rolled_up = true",
    begins="quarter",
    length=str(int(QUARTER.total_seconds())),
    sums=("to_rx - from_rx", "to_tx - from_tx", "billed_up", "billed_down"),
)


def roll_up(*, at: datetime, seconds: float, batch: int = BATCH) -> int:
    """Roll up the quarters that are over, for so long; returns the number of segments."""
    end, total = time.monotonic() + seconds, 0
    last = [db_time(at - QUARTER - MARGIN)]
    while taken := persist(partial(_ROLL_UP.run, last, (), limit=batch)):
        total += taken
        if time.monotonic() >= end:
            break
        time.sleep(PAUSE_S)
    return total
