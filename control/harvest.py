"""Last and first readings: no byte passes uncounted between a reading and what ends the counter.

A removal is freeze, read, commit, remove. A block is read when nothing passes any more and an
unblock before anything does, so that what was used is billed and what a device sends while it is
off is not. All of it happens under the interface's host lock, with a dump or two for a whole
claim; what only creates or changes devices needs none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from control import meters
from control.metering import account
from control.reading import Reading, take
from control.samples import Take
from control.work import Row, Work
from gateways.drivers import Station
from gateways.models import Interface
from quotas.metering import Flag
from wireguard.plan import PeerChange, Plan
from wireguard.types import PeerStatus


@dataclass
class Harvest:
    """The readings around one plan."""

    interface: Interface
    post: Station
    work: Work
    #: The rows whose peer goes on as another's.
    heirs: dict[str, Row] = field(default_factory=dict)

    def before(self, plan: Plan) -> None:
        """Read and commit what must be known before anything is sent; a dump only if needed."""
        opened = {change.public_key for change in plan.changes if self._opens(change)}
        doubted = {key for key in self.work.wanted_by if self.work.applied.get(key, _KNOWN) is None}
        doubted &= plan.touched
        self.heirs = _heirs(self.work)
        if not opened | doubted | self.heirs.keys():
            return
        reading = take(self.interface, self.post)
        running = reading.dump.peers
        takes: list[Take] = []
        for key in (opened | doubted | self.heirs.keys()) & running.keys():
            takes += self._first(key, running[key], opens=key in opened)
        account(self.interface, reading, takes)
        meters.close(self.work.wanted_by[key].id for key in doubted - running.keys())

    def _opens(self, change: PeerChange) -> bool:
        """Whether a device that is on the interface and off gets its addresses back."""
        known = self.work.applied.get(change.public_key)
        return bool(change.allowed_ips) and known is not None and not known.allowed_ips

    def _first(self, key: str, status: PeerStatus, *, opens: bool) -> list[Take]:
        owner, counts = self.work.wanted_by[key], (status.rx_bytes, status.tx_bytes)
        if key not in self.heirs:
            off = opens or not status.allowed_ips
            billing = True if owner.config.allowed_ips else None
            return [Take(owner.id, *counts, billing, off=off)]
        takes = [Take(self.heirs[key].id, *counts, flags=Flag.LAST)]
        return [*takes, Take(owner.id, *counts, True, takes_over=True)]

    def running(self) -> Collection[str]:
        """The keys on the interface; of nobody is anything counted."""
        return self.post.driver.read().peers.keys()

    def last(self, gone: Collection[str], blocked: Collection[str]) -> Mapping[str, PeerStatus]:
        """Read, and commit the readings of these keys; they are frozen."""
        reading = take(self.interface, self.post)
        running = reading.dump.peers
        account(self.interface, reading, [*self._gone(gone, running), *self._off(blocked, running)])
        return {key: running[key] for key in gone if key in running}

    def _gone(self, keys: Collection[str], running: Mapping[str, PeerStatus]) -> list[Take]:
        """What a frozen peer still sends, until it is removed at last, is in vain: never billed.

        One that refused to be frozen goes on as before.
        """
        takes = []
        for key in keys:
            status, row = running.get(key), self.work.counted_by(key)
            if status is not None and row is not None:
                billing = None if status.allowed_ips else False
                counts = (status.rx_bytes, status.tx_bytes)
                takes.append(Take(row.id, *counts, billing, flags=Flag.LAST))
        return takes

    def _off(self, keys: Collection[str], running: Mapping[str, PeerStatus]) -> list[Take]:
        return [
            Take(self.work.wanted_by[key].id, running[key].rx_bytes, running[key].tx_bytes, False)
            for key in keys
            if key in running and key in self.work.wanted_by
        ]


#: Stands for a key that is not on the interface: nothing about it is in doubt.
_KNOWN = object()


def _heirs(work: Work) -> dict[str, Row]:
    """Keys that run for one row and are wanted by another: whose they were so far."""
    found = {}
    for key in work.wanted_by.keys() & work.applied.keys():
        counted = work.counted_by(key)
        if counted is not None and counted.id != work.wanted_by[key].id:
            found[key] = counted
    return found


def read_all(interface: Interface, post: Station, rows: Collection[Row]) -> Reading:
    """Read and commit everything that the books know to be on the interface."""
    reading = take(interface, post)
    takes = []
    for row, status in _counted(rows, reading):
        off = not status.allowed_ips
        opens = off and row.live and bool(row.config.allowed_ips)
        counts = (status.rx_bytes, status.tx_bytes)
        takes.append(Take(row.id, *counts, True if opens else None, off=off))
    account(interface, reading, takes)
    return reading


def read_off(interface: Interface, post: Station, rows: Collection[Row]) -> None:
    """Read and commit those that have just lost their addresses: what they send now is in vain."""
    reading = take(interface, post)
    takes = [
        Take(row.id, status.rx_bytes, status.tx_bytes, False)
        for row, status in _counted(rows, reading)
        if not status.allowed_ips
    ]
    account(interface, reading, takes)


def _counted(rows: Collection[Row], reading: Reading) -> Iterator[tuple[Row, PeerStatus]]:
    """Whose bytes are which. A key that one row had applied and another wants is the first's."""
    owners = {row.counted_key: row for row in sorted(rows, key=lambda row: bool(row.applied_key))}
    for key, row in owners.items():
        if (status := reading.dump.peers.get(key)) is not None:
            yield row, status
