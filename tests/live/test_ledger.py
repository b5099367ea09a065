"""The ledger equals the formula to the byte: known packets through real tunnels, and all that can
come between them.

A data packet is 16 * ceil(length / 16) + 32 bytes, a handshake 148 and 92, a keepalive 32 (its
length is 0). Handshakes and keepalives are WireGuard's own business; they are counted by an
observer on the wire.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.live.conftest import Figure
from tests.live.lab import ROOT, Client, generate_keys, inside
from tests.live.site import Site

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone]

USAGE = """
import json
from quotas.models import Usage
print(json.dumps({str(row.client.uuid): [row.raw_up, row.raw_down, row.billed_up, row.billed_down]
    for row in Usage.objects.select_related('client')}))
"""


def data(length: int) -> int:
    """What WireGuard counts for a packet of so many bytes (IP header included)."""
    return -(-length // 16) * 16 + 32


class Message(NamedTuple):
    at: float
    inward: bool
    address: str
    kind: int
    length: int


class Wire:
    """The observer."""

    def __init__(self, site: Site, path: Path) -> None:
        self._path = path
        with path.open("w") as file:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", site.lab.gateway_netns, sys.executable, "-m",
                 "tests.live.sniffer", "br0", str(site.port)],
                cwd=ROOT, stdout=file,
            )  # fmt: skip
        site.stack.wait_until(lambda: "ready" in path.read_text(), "the observer is there")

    def messages(self) -> Iterator[Message]:
        for line in self._path.read_text().splitlines()[1:]:
            at, way, address, kind, length = line.split()
            yield Message(float(at), way == "in", address, int(kind), int(length))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Customer:
    """A client of the API with its device, and what it did: pings, by their length."""

    id: str
    key: str
    device: Client
    pings: dict[int, int] = field(default_factory=dict)
    #: While vwg's interface had its peer; open at the end.
    spans: list[list[float]] = field(default_factory=list)
    on: bool = True


class Game:
    """Three customers on one interface, and everything that a shop and an operator do."""

    def __init__(self, site: Site, wire: Wire, seed: int) -> None:
        self.site, self.wire, self.random = site, wire, Random(seed)
        self.address = site.address()
        self.customers = [self._join(number) for number in range(3)]
        self.deeds: list[str] = []

    def _join(self, number: int) -> Customer:
        made = self.site.add_client(f"player {number}", client_keepalive=0)
        began = time.time()
        device = self.site.lab.add_client(self.site.config_of(made))
        one = Customer(made["id"], made["devices"][0]["public_key"], device, spans=[[began]])
        self.ping(one, 1)
        return one

    def ping(self, one: Customer, count: int, size: int = 0) -> None:
        """Every one must be answered; then each end has counted each packet once."""
        size = size or self.random.randrange(0, 1300)
        words = ["ping", "-n", "-q", "-c", str(count), "-i", "0.01", "-W", "12", "-s", str(size)]
        output = inside(one.device.netns, *words, self.address)
        assert f"{count} received" in output, output
        one.pings[28 + size] = one.pings.get(28 + size, 0) + count

    def reach(self, one: Customer) -> None:
        """Ping until the first answer: what a lost session swallows is counted at no end."""
        deadline = time.monotonic() + 40
        while not one.device.ping(self.address, count=1, wait=1.0):
            assert time.monotonic() < deadline, self.deeds
        one.pings[84] = one.pings.get(84, 0) + 1

    def knock(self, one: Customer) -> None:
        """Pings of somebody who is off: dropped, if the peer is there at all."""
        inside(one.device.netns, "ping", "-q", "-c", "3", "-i", "0.01", "-W", "1", self.address,
               check=False)  # fmt: skip

    @contextmanager
    def away(self, *customers: Customer) -> Iterator[None]:
        """Meanwhile the peers go and come: what is on the wire then is nobody's."""
        time.sleep(0.05)
        for one in customers:
            one.spans[-1].append(time.time())
        yield
        for one in customers:
            one.spans.append([time.time()])

    # -- deeds ------------------------------------------------------------------------------------

    def play(self) -> None:
        for one in self.customers:
            if one.on:
                self.ping(one, self.random.randrange(1, 60))

    def block(self) -> None:
        one = self.random.choice(self.customers)
        if one.on:
            self.site.act("POST", f"/api/v1/clients/{one.id}/disable")
            one.on = False
            self.play()

    def unblock(self) -> None:
        for one in self.customers:
            if not one.on:
                self.site.act("POST", f"/api/v1/clients/{one.id}/enable")
                one.on = True
                self.reach(one)

    def delete_and_restore(self) -> None:
        one = self.random.choice(self.customers)
        if one.on:
            with self.away(one):
                self.site.act("DELETE", f"/api/v1/clients/{one.id}", wait=20)
                self.site.act("POST", f"/api/v1/clients/{one.id}/restore")
            self.reach(one)

    def rotate(self) -> None:
        one = self.random.choice(self.customers)
        if one.on:
            private, public = generate_keys()
            with self.away(one):
                self.site.act(
                    "POST", f"/api/v1/clients/{one.id}/rotate-keys", {"public_key": public}
                )
                inside(one.device.netns, "wg", "set", one.device.interface, "private-key",
                       "/dev/stdin", stdin=private)  # fmt: skip
            one.key = public
            self.reach(one)

    def restart(self) -> None:
        """By the operator's hand; who is off is not brought up."""
        with self.away(*self.customers):
            self.site.stack.manage("link_restart", "--interface", self.site.interface)
        self.all_reach()

    def crash(self) -> None:
        """Somebody deletes the interface a moment after it was read: nothing was left unread."""
        self.site.observe()
        with self.away(*self.customers):
            self.site.delete_link()
            self.site.stack.wait_until(
                lambda: self.site.link_exists() and self.site.status()["active"],
                "the interface is back", seconds=30,
            )  # fmt: skip
        self.all_reach()

    def all_reach(self) -> None:
        for one in self.customers:
            if one.on:
                self.reach(one)
        self.play()

    def run(self, steps: int) -> None:
        deeds = [self.play, self.play, self.block, self.unblock, self.delete_and_restore,
                 self.rotate, self.restart, self.crash]  # fmt: skip
        for _ in range(steps):
            deed = self.random.choice(deeds)
            self.deeds.append(deed.__name__)
            deed()
        self.unblock()
        self.play()

    # -- the truth --------------------------------------------------------------------------------

    def truth(self, one: Customer) -> tuple[int, int]:
        """By the formula: its pings, and WireGuard's own messages while its peer was there."""
        pings = sum(count * data(length) for length, count in one.pings.items())
        own = [0, 0]
        for message in self.wire.messages():
            is_own = message.kind != 4 or message.length == 32
            if is_own and message.address == one.device.underlay_ip and self._there(one, message):
                own[0 if message.inward else 1] += message.length
        return pings + own[0], pings + own[1]

    @staticmethod
    def _there(one: Customer, message: Message) -> bool:
        return any(
            begin <= message.at <= (end[0] if end else float("inf")) for begin, *end in one.spans
        )

    def ledger(self) -> dict[str, list[int]]:
        self.site.observe()
        found: dict[str, list[int]] = json.loads(self.site.python(USAGE).splitlines()[-1])
        return found


def play(site: Site, tmp_path: Path, seed: int, steps: int) -> tuple[Game, list[int]]:
    """One game; the differences between ledger and formula of its customers, each way."""
    wire = Wire(site, tmp_path / "wire")
    try:
        game = Game(site, wire, seed)
        game.run(steps)
        time.sleep(0.2)
        ledger = game.ledger()
        time.sleep(0.1)
        differences = []
        for one in game.customers:
            up, down = game.truth(one)
            raw_up, raw_down, billed_up, billed_down = ledger[one.id]
            differences += [raw_up - up, raw_down - down]
            assert billed_up <= raw_up
            assert billed_down <= raw_down
        return game, differences
    finally:
        wire.close()


def test_the_ledger_equals_the_formula(site: Site, tmp_path: Path, figure: Figure) -> None:
    site.act("PATCH", "/api/v1/settings", {"persistent_keepalive": 0}, wait=0)
    game, differences = play(site, tmp_path, 5, 12)
    figure("ledger.deeds", " ".join(game.deeds))
    figure("ledger.bytes", sum(sum(game.truth(one)) for one in game.customers))
    figure("ledger.lost_or_over", max(map(abs, differences)))
    assert set(differences) == {0}
    assert "the ledger is right" in site.stack.manage("audit_ledger")


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_twenty_random_runs(site: Site, tmp_path: Path, figure: Figure) -> None:
    worst, counted, deeds = 0, 0, 0
    for seed in range(20):
        directory = tmp_path / str(seed)
        directory.mkdir()
        game, differences = play(site, directory, 1000 + seed, 15)
        worst = max(worst, *map(abs, differences))
        counted += sum(sum(game.truth(one)) for one in game.customers)
        deeds += len(game.deeds)
        assert set(differences) == {0}, (seed, differences, game.deeds)
        for one in game.customers:
            site.act("DELETE", f"/api/v1/clients/{one.id}")
    figure("ledger.runs", 20)
    figure("ledger.runs.deeds", deeds)
    figure("ledger.runs.bytes", counted)
    figure("ledger.runs.lost_or_over", worst)
    assert "the ledger is right" in site.stack.manage("audit_ledger")
