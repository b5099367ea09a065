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
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.live.conftest import Figure
from tests.live.lab import ROOT, Client, inside, reconfigure
from tests.live.site import Site, show

pytestmark = [pytest.mark.wg, pytest.mark.stack]

OTHER_PORT = 51999
OTHER_ADDRESS = "10.77.0.1"
USAGE = """
import json
from control.observe import observe_interface
from quotas.models import Usage
for each in Interface.objects.all():
    assert observe_interface(interface_id=each.pk) is not None
print(json.dumps({str(row.client.uuid): [row.raw_up, row.raw_down, row.billed_up, row.billed_down]
    for row in Usage.objects.select_related('client')}))
"""


def data(length: int) -> int:
    """What WireGuard counts for a packet of so many bytes (IP header included)."""
    return -(-length // 16) * 16 + 32


RESPONSE, DATA = 2, 4


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
                 "tests.live.sniffer", "br0", str(site.port), str(OTHER_PORT)],
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
class Life:
    """From a peer's addition to its removal: what passed, and what WireGuard had counted then."""

    began: float
    ended: float = float("inf")
    #: Packets that were answered, and those that were not (one end may have counted them or not).
    sure: Counter[int] = field(default_factory=Counter)
    unsure: Counter[int] = field(default_factory=Counter)
    counted: tuple[int, int] = (0, 0)


@dataclass
class Customer:
    """A client of the API with its device."""

    id: str
    key: str
    device: Client
    interface: str
    lives: list[Life]
    on: bool = True

    @property
    def life(self) -> Life:
        return self.lives[-1]


class Game:
    """Three customers on one interface, and everything that a shop and an operator do."""

    def __init__(self, site: Site, wire: Wire, seed: int) -> None:
        self.site, self.wire, self.random = site, wire, Random(seed)
        self.addresses = {site.interface: site.address(), f"{site.interface}b": OTHER_ADDRESS}
        self.deeds: list[str] = []
        self.customers = [self._join(number) for number in range(3)]

    def _join(self, number: int) -> Customer:
        made = self.site.add_client(f"player {number}", client_keepalive=0)
        began = time.time()
        device = self.site.lab.add_client(self.site.config_of(made))
        key = made["devices"][0]["public_key"]
        one = Customer(made["id"], key, device, self.site.interface, [Life(began)])
        self.reach(one)
        return one

    def ping(self, one: Customer, count: int, size: int = 0, wait: float = 2.0) -> int:
        """So many pings of so many bytes (with their headers); how many were answered."""
        size = size or self.random.randrange(28, 1380)
        words = ["ping", "-n", "-q", "-c", str(count), "-i", "0.01", "-W", str(wait)]
        output = inside(
            one.device.netns,
            *words,
            "-s",
            str(size - 28),
            self.addresses[one.interface],
            check=False,
        )
        got = int(output.split(" received")[0].split()[-1])
        one.life.sure[data(size)] += got
        one.life.unsure[data(size)] += count - got
        return got

    def reach(self, one: Customer) -> None:
        """Ping until the first answer: it may take 15 s until a client gives up a lost session."""
        deadline = time.monotonic() + 40
        while not self.ping(one, 1, 84, wait=1.0):
            assert time.monotonic() < deadline, self.deeds
        time.sleep(0.2)

    def look(self, *customers: Customer) -> None:
        """Read what WireGuard has counted, past vwg, while nobody plays.

        After a ping both ends have nothing to say of their own for 10 s (Keepalive-Timeout).
        """
        for one in customers:
            if one.on:
                self.ping(one, 1)
        time.sleep(0.1)
        for one in customers:
            peers = show(one.interface)
            if one.key in peers:
                one.life.counted = (peers[one.key].rx, peers[one.key].tx)
            one.life.ended = time.time()

    @contextmanager
    def away(self, *customers: Customer) -> Iterator[None]:
        """Meanwhile the peers go and come: what is on the wire then is nobody's."""
        self.look(*customers)
        yield
        for one in customers:
            one.lives.append(Life(time.time()))

    # -- deeds ------------------------------------------------------------------------------------

    def play(self) -> None:
        for one in self.customers:
            if one.on:
                self.ping(one, self.random.randrange(1, 60))

    def block(self, one: Customer) -> None:
        self.site.act("POST", f"/api/v1/clients/{one.id}/disable")
        one.on = False
        self.play()
        self.ping(one, 3, wait=0.5)  # in vain

    def unblock(self) -> None:
        for one in self.customers:
            if not one.on:
                absent = one.key not in show(one.interface)
                self.site.act("POST", f"/api/v1/clients/{one.id}/enable")
                if absent:  # since a restart, so that nothing of what it sent was counted
                    one.life.began = time.time()
                one.on = True
                self.reach(one)

    def delete_and_restore(self, one: Customer, *, patient: bool = True) -> None:
        """Who is not patient switches the device off and on when it says nothing any more."""
        with self.away(one):
            self.site.act("DELETE", f"/api/v1/clients/{one.id}", wait=20)
            self.ping(one, 3, wait=0.5)  # in vain
            made = self.site.act("POST", f"/api/v1/clients/{one.id}/restore")
            if not patient:
                one.device.switch_off()
                reconfigure(one.device, self.site.config_of(made))
        self.reach(one)

    def rotate(self, one: Customer) -> None:
        with self.away(one):
            made = self.site.act("POST", f"/api/v1/clients/{one.id}/rotate-keys", {})
            one.key = made["devices"][0]["public_key"]
            reconfigure(one.device, self.site.config_of(made))
        self.reach(one)

    def move(self, one: Customer) -> None:
        """To the other interface, or back."""
        [there] = self.addresses.keys() - {one.interface}
        with self.away(one):
            act = f"/api/v1/clients/{one.id}/move"
            made = self.site.act("POST", act, {"interface": there})
            one.interface = there
            reconfigure(one.device, self.site.config_of(made))
        self.reach(one)

    def restart(self) -> None:
        """By the operator's hand; who is off is not brought up."""
        with self.away(*self.on_the_first):
            self.site.stack.manage("link_restart", "--interface", self.site.interface)
        self.all_reach()

    def crash(self) -> None:
        """Somebody deletes the interface a moment after it was read: nothing was left unread."""
        with self.away(*self.on_the_first):
            self.site.observe()
            self.site.delete_link()
            self.site.stack.wait_until(
                lambda: self.site.link_exists() and self.site.status()["active"],
                "the interface is back", seconds=30,
            )  # fmt: skip
        self.all_reach()

    @property
    def on_the_first(self) -> list[Customer]:
        return [one for one in self.customers if one.interface == self.site.interface]

    def all_reach(self) -> None:
        for one in self.customers:
            if one.on:
                self.reach(one)
        self.play()

    def do(self, deed: Callable[..., None], *who: Customer, **how: bool) -> None:
        self.deeds.append(deed.__name__)
        deed(*who, **how)

    def run(self, steps: int) -> None:
        """So many deeds at random."""
        to_all: list[Callable[..., None]] = [
            self.play,
            self.play,
            self.unblock,
            self.restart,
            self.crash,
        ]
        to_one: list[Callable[..., None]] = [
            self.block,
            self.delete_and_restore,
            self.rotate,
            self.move,
        ]
        for _ in range(steps):
            deed = self.random.choice([*to_all, *to_one])
            if deed in to_all:
                self.do(deed)
            elif (one := self.random.choice(self.customers)).on:
                self.do(deed, one)
        self.unblock()
        self.play()

    def run_each_once(self) -> None:
        """Every deed, and what matters of their order: who is off while all begin anew, who is on
        the other interface meanwhile, and a life that follows a life.
        """
        first, second, third = self.customers
        self.do(self.play)
        self.do(self.rotate, first)
        self.do(self.block, first)
        self.do(self.move, second)
        self.do(self.restart)
        self.do(self.unblock)
        self.do(self.delete_and_restore, third, patient=False)
        self.do(self.move, second)
        self.do(self.crash)

    # -- the truth --------------------------------------------------------------------------------

    def own(self, one: Customer, begin: float, end: float) -> list[Message]:
        """WireGuard's own messages from and to a device: handshakes, keepalives."""
        return [
            message
            for message in self.wire.messages()
            if (message.kind != DATA or message.length == 32)
            and message.address == one.device.underlay_ip
            and begin <= message.at <= end
        ]

    def follows_the_formula(self, one: Customer, number: int) -> bool:
        """Whether what WireGuard counted in a life is what passed, to the byte.

        Until a life has a session of its own, a device's keepalives may be of a lost one: those are
        counted nowhere.
        """
        life, before = one.lives[number], one.lives[number - 1] if number else None
        sure = sum(length * count for length, count in life.sure.items())
        lost = [length for length, count in life.unsure.items() for _ in range(count)]
        own = self.own(one, life.began, life.ended)
        session = next((message.at for message in own if message.kind == RESPONSE), life.ended)
        maybe = self.own(one, before.ended, life.began) if before else []
        for seen, inward in zip(life.counted, (True, False), strict=True):
            told = [message for message in own if message.inward is inward]
            doubtful = [m for m in told if inward and m.kind == DATA and m.at <= session]
            certain = sum(m.length for m in told) - sum(m.length for m in doubtful)
            doubtful += [message for message in maybe if message.inward is inward]
            if seen - sure - certain not in _sums([*lost, *(m.length for m in doubtful)]):
                self.deeds.append(f"life {number}: {seen - sure - certain} {told} {lost}")
                return False
        return True

    def unread(self, one: Customer) -> tuple[list[int], list[int]]:
        """Its own messages after each life was looked at, which the life may have counted still."""
        afters = [*one.lives[1:], Life(float("inf"))]
        own = [
            message
            for life, after in zip(one.lives, afters, strict=True)
            for message in self.own(one, life.ended, after.began)
        ]
        ups, downs = ([m.length for m in own if m.inward is way] for way in (True, False))
        return ups, downs

    def truth(self, one: Customer) -> tuple[int, int]:
        """What WireGuard had counted at the end of each life."""
        ups, downs = zip(*(life.counted for life in one.lives), strict=True)
        return sum(ups), sum(downs)

    def ledger(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = json.loads(self.site.python(USAGE).splitlines()[-1])
        return found


@dataclass
class Result:
    """What one game came to."""

    deeds: list[str]
    differences: list[int]
    bytes: int
    lives: int
    by_the_formula: int


@pytest.fixture(scope="module")
def shop(site: Site) -> Iterator[Site]:
    """A site with a second interface, whose files ask for no keepalive."""
    site.act("PATCH", "/api/v1/settings", {"persistent_keepalive": 0}, wait=0)
    [gateway] = site.call("GET", "/api/v1/gateways").body["results"]
    second = {
        "gateway": gateway["slug"],
        "name": f"{site.interface}b",
        "addresses": [f"{OTHER_ADDRESS}/16"],
        "listen_port": OTHER_PORT,
    }
    answer = site.call("POST", "/api/v1/interfaces", second)
    assert answer.status == 201, answer
    site.stack.wait_until(
        lambda: bool(site.lab.run("ip", "link", "show", "dev", second["name"], check=False)),
        "the second interface is up", seconds=30,
    )  # fmt: skip
    yield site
    site.stack.manage("link_down", "--interface", second["name"], check=False)


def _sums(lengths: list[int]) -> set[int]:
    """What some of these may come to."""
    found = {0}
    for length in lengths:
        found |= {one + length for one in found}
    return found


def play(site: Site, tmp_path: Path, seed: int, steps: int = 0) -> Result:
    """One game of every deed once, or of so many at random; then ledger against truth."""
    wire = Wire(site, tmp_path / "wire")
    try:
        game = Game(site, wire, seed)
        game.run(steps) if steps else game.run_each_once()
        game.look(*game.customers)
        ledger = game.ledger()
        differences, counted = [], 0
        lives = [(one, n) for one in game.customers for n in range(len(one.lives))]
        for one in game.customers:
            up, down = game.truth(one)
            raw_up, raw_down, billed_up, billed_down = ledger[one.id]
            for over, more in zip((raw_up - up, raw_down - down), game.unread(one), strict=True):
                differences.append(0 if over in _sums(more) else over)
            counted += up + down
            assert billed_up <= raw_up
            assert billed_down <= raw_down
        exact = sum(game.follows_the_formula(one, n) for one, n in lives)
        return Result(game.deeds, differences, counted, len(lives), exact)
    finally:
        wire.close()


def test_the_ledger_equals_the_formula(shop: Site, tmp_path: Path, figure: Figure) -> None:
    result = play(shop, tmp_path, 5)
    figure("ledger.deeds", " ".join(result.deeds))
    figure("ledger.bytes", result.bytes)
    figure("ledger.lost_or_over", max(map(abs, result.differences)))
    figure("ledger.lives", result.lives)
    assert set(result.differences) == {0}
    assert result.by_the_formula == result.lives, result.deeds
    assert "the ledger is right" in shop.stack.manage("audit_ledger")


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(1000, 1020))
def test_twenty_random_runs(shop: Site, tmp_path: Path, figure: Figure, seed: int) -> None:
    result = play(shop, tmp_path, seed, 15)
    name = f"ledger.run{seed}"
    figure(f"{name}.deeds", " ".join(result.deeds))
    figure(f"{name}.bytes", result.bytes)
    figure(f"{name}.lost", -min(0, *result.differences))
    figure(f"{name}.over", max(0, *result.differences))
    figure(f"{name}.lives", result.lives)
    figure(f"{name}.lives_by_the_formula", result.by_the_formula)
    assert set(result.differences) == {0}
    assert result.by_the_formula == result.lives, result.deeds
    assert "the ledger is right" in shop.stack.manage("audit_ledger")
