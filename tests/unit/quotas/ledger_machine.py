"""An interface that does its worst to a ledger in memory: the machine of the accounting core."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from quotas import metering

AMOUNTS = st.integers(0, 5000)


@dataclass
class Books:
    """One meter with its segments and sums; written by compare-and-swap, or not at all."""

    core: ModuleType
    swaps: bool = True
    cursor: Any = field(default_factory=metering.Cursor)
    segments: list[Any] = field(default_factory=list)
    up: int = 0
    down: int = 0
    billed_up: int = 0
    billed_down: int = 0
    #: What each step should bill, in hundredths.
    due_up: int = 0
    due_down: int = 0

    def judge(self, sample: Any, *, percent: int, cursor: Any = None) -> Any:
        cursor = cursor or self.cursor
        return cursor, sample, self.core.judge(cursor, sample, percent=percent), percent

    def write(self, judged: Any, *, billing: bool | None = None) -> None:
        before, sample, step, percent = judged
        if isinstance(step, self.core.Refusal):
            return
        if self.swaps and before != self.cursor:  # somebody else was faster: look again
            return self.write(self.judge(sample, percent=percent), billing=billing)
        if not step.moved and billing in (None, before.billing):
            return None
        cursor = self.core.after(before, sample, step)
        self.cursor = cursor if billing is None else cursor._replace(billing=billing)
        self.segments.append(step)
        self.up, self.down = self.up + step.up, self.down + step.down
        self.billed_up += step.billed_up
        self.billed_down += step.billed_down
        if before.billing:
            self.due_up += step.up * percent
            self.due_down += step.down * percent
        return None

    def close(self, seq: int) -> None:
        self.cursor = self.core.closed(self.cursor, seq=seq)


class Ledger(RuleBasedStateMachine):
    """``core`` and the switches are for mutants: what protects the ledger, taken away."""

    core: ClassVar[ModuleType] = metering
    swaps: ClassVar[bool] = True
    freezes: ClassVar[bool] = True
    commits_before_removal: ClassVar[bool] = True
    closes_after_removal: ClassVar[bool] = True
    reads_at_blocks: ClassVar[bool] = True

    dumps = Bundle("dumps")

    @initialize(percent=st.sampled_from([100, 100, 0, 37, 250]))
    def begin(self, percent: int) -> None:
        self.books = Books(self.core, self.swaps)
        self.percent = percent
        self.run, self.seq = 1, 0
        self.present, self.on = True, True
        self.rx = self.tx = 0
        #: All that ever passed and can be known; what was billed of it is in hundredths.
        self.up = self.down = 0
        self.used = 0
        #: Where the counters stood when a reading of this life was last committed.
        self.read_rx = self.read_tx = 0
        #: Of lives that a crash ended: where they were last committed, and whether the peer was on.
        self.ended: dict[int, tuple[int, int, bool]] = {}

    # -- what the interface does ----------------------------------------------------------------

    @rule(up=AMOUNTS, down=AMOUNTS)
    def traffic(self, up: int, down: int) -> None:
        if self.present and self.on:
            self.rx, self.tx = self.rx + up, self.tx + down
            self.up, self.down = self.up + up, self.down + down
            self.used += (up + down) * self.percent

    @rule(more=st.integers(1, 500))
    def overtakes(self, more: int) -> None:
        """At once more than ever was read: nothing shows where the counters began."""
        self.traffic(self.books.cursor.rx + more, self.books.cursor.tx + more)

    @rule(up=st.integers(1, 500))
    def knocks_while_off(self, up: int) -> None:
        if self.present and not self.on:
            self.rx, self.up = self.rx + up, self.up + up

    @rule()
    def crash(self) -> None:
        """Somebody restarts the interface: what nobody read is gone, and nobody can know it."""
        self._forget_unread()
        self.run += 1
        self._fresh()

    @rule(up=st.sampled_from([0, 0, 1, 700]), down=st.sampled_from([0, 0, 1, 700]))
    def outsider(self, up: int, down: int) -> None:
        """Somebody removes the peer and adds it again; seen, if a counter is smaller then."""
        self.keep(self.dump())
        if self.present and self.on and (up < self.rx or down < self.tx):
            self._forget_unread()
            self._fresh()
            self.traffic(up, down)
            self.keep(self.dump())

    # -- what the collector does ------------------------------------------------------------------

    def dump(self) -> Any:
        self.seq += 1
        if not self.present:
            return self.core.Sample(self.run, self.seq, -1, -1)
        return self.core.Sample(self.run, self.seq, self.rx, self.tx)

    @rule(target=dumps)
    def reads(self) -> Any:
        return self.dump()

    @rule()
    def reads_half(self) -> None:
        """A truncated dump has a number at most, and nothing is counted of it."""
        self.seq += 1

    @rule(dump=dumps)
    def keep(self, dump: Any) -> None:
        """Keep the books of a dump: at once, late, again, out of order."""
        if dump.rx < 0:  # it shows that the peer is missing
            if dump.seq > self.books.cursor.seq and self.books.cursor.run is not None:
                self.books.close(dump.seq)
            return
        self._write(self.books.judge(dump, percent=self.percent))

    @rule()
    def keeps(self) -> None:
        self.keep(self.dump())

    @rule()
    def loses_a_commit(self) -> None:
        """Killed before the commit: judged, and never written."""
        dump = self.dump()
        if dump.rx >= 0:
            self.books.judge(dump, percent=self.percent)

    @rule(one=dumps, other=dumps)
    def two_collectors(self, one: Any, other: Any) -> None:
        """Both judge what they see in the same books, then both write."""
        judged = [
            self.books.judge(dump, percent=self.percent) for dump in (one, other) if dump.rx >= 0
        ]
        for each in judged:
            self._write(each)

    @rule()
    def one_dump_twice_at_once(self) -> None:
        dump = self.dump()
        if dump.rx >= 0:
            first = self.books.judge(dump, percent=self.percent)
            second = self.books.judge(dump, percent=self.percent)
            self._write(first)
            self._write(second)

    # -- what an apply does -----------------------------------------------------------------------

    @rule(target=dumps, between=AMOUNTS, killed=st.sampled_from(["", "", "before", "after"]))
    def remove(self, between: int, killed: str) -> Any:
        """Freeze, read, commit, remove, close; killed before or after the removal."""
        if not self.present:
            return multiple()
        was, self.on = self.on, self.on and not self.freezes
        last = self.dump()
        if self.commits_before_removal:
            self._write(self.books.judge(last, percent=self.percent))
        self.traffic(between, between)
        if killed == "before":
            self.on = was  # the next apply freezes it again; here it may as well be restored
            return last
        self.present, self.on = False, True
        self.rx = self.tx = self.read_rx = self.read_tx = 0
        if killed == "after":
            self.keep(self.dump())  # an observation finds it missing
        elif self.closes_after_removal:
            self.books.close(self.seq)
        return last

    @rule()
    def add(self) -> None:
        if not self.present:
            self._fresh()

    @rule(between=AMOUNTS)
    def restart(self, between: int) -> None:
        """A planned one: set down, read, committed, and begun anew."""
        if not self.present:
            return
        was, self.on = self.on, self.on and not self.freezes
        self._write(self.books.judge(self.dump(), percent=self.percent))
        self.traffic(between, between)
        self.run += 1
        self._fresh()
        self.present, self.on = was, True  # who is off is not brought up
        self.books.close(self.seq)

    @rule()
    def block(self) -> None:
        if self.present and self.on:
            self.on = False
            if self.reads_at_blocks:
                judged = self.books.judge(self.dump(), percent=self.percent)
                self._write(judged, billing=False)
            else:
                self.books.cursor = self.books.cursor._replace(billing=False)

    @rule()
    def unblock(self) -> None:
        if self.present and not self.on:
            if self.reads_at_blocks:
                judged = self.books.judge(self.dump(), percent=self.percent)
                self._write(judged, billing=True)
            else:
                self.books.cursor = self.books.cursor._replace(billing=True)
            self.on = True

    # -- what must hold ---------------------------------------------------------------------------

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        if hasattr(self, "books"):
            assert self.books.up <= self.up
            assert self.books.down <= self.down

    @invariant()
    def contiguous_and_summed(self) -> None:
        if not hasattr(self, "books"):
            return
        last: dict[int, Any] = {}
        for segment in self.books.segments:
            assert segment.up >= 0 <= segment.down
            before = last.get(segment.incarnation)
            if before is None:
                assert (segment.from_rx, segment.from_tx) == (0, 0)
            else:
                assert (segment.from_rx, segment.from_tx) == (before.to_rx, before.to_tx)
            last[segment.incarnation] = segment
        assert sum(one.up for one in self.books.segments) == self.books.up
        assert sum(one.down for one in self.books.segments) == self.books.down

    @invariant()
    def no_hundredth_of_a_byte_is_lost(self) -> None:
        if hasattr(self, "books"):
            books = self.books
            assert books.billed_up * 100 + books.cursor.rest_up == books.due_up
            assert books.billed_down * 100 + books.cursor.rest_down == books.due_down

    def teardown(self) -> None:
        """A last tick: then the ledger is the truth, to the byte."""
        if not hasattr(self, "books"):
            return
        self.keep(self.dump())
        assert (self.books.up, self.books.down) == (self.up, self.down)
        assert self.books.due_up + self.books.due_down == self.used

    def _fresh(self) -> None:
        self.present, self.rx, self.tx, self.read_rx, self.read_tx = True, 0, 0, 0, 0

    def _forget_unread(self) -> None:
        if not self.present:
            return
        self.ended[self.run] = (self.read_rx, self.read_tx, self.on)
        self._know(self.read_rx - self.rx, self.read_tx - self.tx, on=self.on)

    def _know(self, up: int, down: int, *, on: bool) -> None:
        """So many bytes more, or fewer, of which anybody can know."""
        self.up, self.down = self.up + up, self.down + down
        if on:
            self.used += (up + down) * self.percent

    def _write(self, judged: Any, *, billing: bool | None = None) -> None:
        self.books.write(judged, billing=billing)
        sample = judged[1]
        cursor = self.books.cursor
        if self.present and sample.seq == cursor.seq and sample.run == self.run == cursor.run:
            self.read_rx, self.read_tx = max(self.read_rx, sample.rx), max(self.read_tx, sample.tx)
        elif sample.run in self.ended and (sample.seq, sample.run) == (cursor.seq, cursor.run):
            # Read before the crash, committed after it: not gone after all.
            rx, tx, on = self.ended[sample.run]
            self._know(max(sample.rx - rx, 0), max(sample.tx - tx, 0), on=on)
            self.ended[sample.run] = (max(sample.rx, rx), max(sample.tx, tx), on)
