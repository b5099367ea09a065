"""What an interface with the devices of `bench.people` shows: dumps as ``wg`` prints them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from bench import people
from peers.models import Peer
from quotas.models import Meter
from wireguard.drivers.memory import MemoryDriver
from wireguard.dump import parse_dump
from wireguard.types import Dump

#: WireGuard makes a new handshake with the first packet after so long.
REKEY_S: Final = 120
#: Of those that move, one in so many makes one in any tick.
GREET: Final = 20
PACKET: Final = 1500


class Traffic:
    """Counters and handshakes of every device, and how they go on."""

    def __init__(self) -> None:
        rows = Peer.objects.order_by("pk").values_list("pk", "last_handshake_at")
        self._greeted = {pk: int(at.timestamp()) for pk, at in rows if at is not None}
        self._counts = dict.fromkeys(self._greeted, (0, 0))
        for pk, rx, tx in Meter.objects.values_list("peer_id", "rx", "tx"):
            if pk is not None:
                self._counts[pk] = (rx, tx)
        place = people.interface()
        first = f"{people.key('private', 0)}\t{place.public_key}\t{place.listen_port}\toff"
        self._lines = {0: first} | {pk: self._line(pk) for pk in self._greeted}
        self._turn = 0
        self.text = ""
        self._write()

    def go_on(self, ids: Iterable[int]) -> None:
        """Some packets each way for each of these."""
        self._turn += 1
        now = int(time.time())
        for place, pk in enumerate(ids):
            rx, tx = self._counts[pk]
            self._counts[pk] = (rx + 100 * PACKET, tx + 1000 * PACKET)
            if place % GREET == self._turn % GREET or now - self._greeted[pk] > REKEY_S:
                self._greeted[pk] = now
            self._lines[pk] = self._line(pk)
        self._write()

    def _line(self, pk: int) -> str:
        rx, tx = self._counts[pk]
        return (
            f"{people.key('peer', pk)}\t{people.key('psk', pk)}\t{people.endpoint(pk)}"
            f"\t{people.network(pk)}\t{self._greeted[pk]}\t{rx}\t{tx}\toff"
        )

    def _write(self) -> None:
        self.text = "\n".join(self._lines.values()) + "\n"


class Answering(MemoryDriver):
    """A driver that answers with that, as the ``wg`` command's output is read."""

    def __init__(self, traffic: Traffic) -> None:
        super().__init__()
        self._traffic = traffic

    def read(self) -> Dump:
        return parse_dump(self._traffic.text)
