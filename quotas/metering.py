"""A sample against a meter: how many bytes it adds, or why it adds none. Pure, in whole bytes.

WireGuard's counters only rise while a peer is on an interface, and begin at 0 with its next life
there: an **incarnation**. Reading destroys nothing, so a sample that was missed costs nothing, and
one that comes late or twice is told by its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, IntFlag
from typing import Final, NamedTuple

QUARTER_S: Final = 900


class Flag(IntFlag):
    """What a segment of the ledger says besides its bytes. Stored: never give a bit anew."""

    #: The counters began at 0: the peer was added.
    BEGAN = 1
    #: They began at 0 with another life of the interface.
    RESTARTED = 2
    #: One of them was smaller than before: somebody else removed the peer and added it again.
    FELL = 4
    #: What passed between the last reading and that beginning cannot be known.
    GAP = 8
    #: They did not begin at 0: what they showed then was somebody else's, or from before vwg.
    TAKEN_OVER = 16
    #: Read when no byte could pass any more.
    LAST = 32
    #: Bytes of a device that was off: counted, not billed.
    OFF = 64
    #: From before there was a ledger: how much is known, when is not.
    CARRIED = 128


class Refusal(Enum):
    """Why a sample adds nothing."""

    STALE = "this sample, or a later one, is counted already"


class Cursor(NamedTuple):
    """Where a meter stands.

    ``run`` None: it is on no interface, and its next counters begin at 0. ``rest_up`` and
    ``rest_down`` are hundredths of a byte that were not billed yet.
    """

    run: int | None = None
    incarnation: int = 0
    rx: int = 0
    tx: int = 0
    seq: int = 0
    billing: bool = True
    rest_up: int = 0
    rest_down: int = 0


class Sample(NamedTuple):
    """A device's counters in the dump number ``seq`` of its interface, in the life ``run``."""

    run: int
    seq: int
    rx: int
    tx: int


@dataclass(frozen=True)
class Step:
    """What one sample does to its meter. Upload is what the interface received."""

    incarnation: int
    from_rx: int
    to_rx: int
    from_tx: int
    to_tx: int
    billed_up: int
    billed_down: int
    rest_up: int
    rest_down: int
    flags: Flag

    @property
    def up(self) -> int:
        """Bytes that the client sent."""
        return self.to_rx - self.from_rx

    @property
    def down(self) -> int:
        """Bytes that the client got."""
        return self.to_tx - self.from_tx

    @property
    def moved(self) -> bool:
        """Whether there is anything to write: bytes, or a fall, which nothing shows later."""
        return bool(self.up or self.down or Flag.FELL in self.flags)


def judge(meter: Cursor, sample: Sample, *, percent: int) -> Step | Refusal:
    """Count a sample. ``percent``: of 100 bytes that were counted, so many are billed."""
    if sample.seq <= meter.seq:
        return Refusal.STALE
    flags = _beginning(meter, sample)
    rx, tx, incarnation = meter.rx, meter.tx, meter.incarnation
    if flags:
        rx, tx, incarnation = 0, 0, incarnation + 1
    up, down = sample.rx - rx, sample.tx - tx
    billed_up, rest_up = _bill(up, meter.rest_up, percent if meter.billing else 0)
    billed_down, rest_down = _bill(down, meter.rest_down, percent if meter.billing else 0)
    if not meter.billing and (up or down):
        flags |= Flag.OFF
    return Step(
        incarnation, rx, sample.rx, tx, sample.tx, billed_up, billed_down, rest_up, rest_down, flags
    )


def _beginning(meter: Cursor, sample: Sample) -> Flag:
    """Why the sample's counters began at 0 since the last one; nothing if they went on."""
    if meter.run is None:
        return Flag.BEGAN
    if sample.run != meter.run:
        return Flag.RESTARTED | Flag.GAP
    if sample.rx < meter.rx or sample.tx < meter.tx:
        return Flag.FELL | Flag.GAP
    return Flag(0)


def _bill(counted: int, rest: int, percent: int) -> tuple[int, int]:
    """Whole bytes to bill, and the hundredths that are left for the next time."""
    return divmod(counted * percent + rest, 100)


def take_over(meter: Cursor, sample: Sample) -> Step | Refusal:
    """Begin where the counters stand: what they show so far is not this device's."""
    if sample.seq <= meter.seq:
        return Refusal.STALE
    return Step(
        meter.incarnation + 1, sample.rx, sample.rx, sample.tx, sample.tx, 0, 0,
        meter.rest_up, meter.rest_down, Flag.TAKEN_OVER,
    )  # fmt: skip


def after(meter: Cursor, sample: Sample, step: Step) -> Cursor:
    """Where the meter stands once the step is written."""
    return Cursor(
        sample.run, step.incarnation, sample.rx, sample.tx, sample.seq, meter.billing,
        step.rest_up, step.rest_down,
    )  # fmt: skip


def closed(meter: Cursor, *, seq: int) -> Cursor:
    """Where it stands when the peer is known to be off its interface since the dump ``seq``.

    Whoever is added again is on, and bills.
    """
    return meter._replace(run=None, rx=0, tx=0, seq=max(meter.seq, seq), billing=True)


def quarter_of(at: datetime) -> datetime:
    """When the quarter of an hour began that a moment lies in. Days of every time zone add up."""
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % QUARTER_S, UTC)
