"""Speed limits in memory, for tests: strict as a kernel is about what is there already."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from wireguard.errors import DriverError, DriverRejected
from wireguard.shaper import Speed
from wireguard.speeds import QUEUES, Made


class MemorySpeeds:
    """What would be set; see `wireguard.speeds.Speeds`."""

    def __init__(self) -> None:
        self.set: dict[int, Speed] = {}
        self.there = False
        self.remakes = 0
        self.changes = 0
        #: Raised by the next calls, as a kernel without queues would.
        self.error: DriverError | None = None

    def remake(self, speeds: Collection[Speed], left: Iterable[Speed] = ()) -> Made:
        self.clear()
        self._fail()
        self.there, self.remakes = True, self.remakes + 1
        self.set = {speed.minor: speed for speed in speeds}
        return Made(QUEUES)

    def change(
        self,
        means: str,
        before: Iterable[Speed],
        after: Iterable[Speed],
        *,
        shards: Collection[int],
    ) -> None:
        self._fail()
        if not self.there:
            raise DriverRejected("speeds: no such table", explained=False)
        self.changes += 1
        for speed in before:
            if self.set.pop(speed.minor, None) != speed:
                raise DriverRejected("speeds: no such class", explained=False)
        held = {address for speed in self.set.values() for address in speed.addresses}
        for speed in after:
            if speed.minor in self.set or held & set(speed.addresses):
                raise DriverRejected("speeds: file exists", explained=False)
            self.set[speed.minor] = speed

    def clear(self, speeds: Iterable[Speed] = ()) -> None:
        self.set, self.there = {}, False

    def intact(self, means: str) -> bool:
        return self.there

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error
