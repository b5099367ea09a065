"""The cut-off in a real kernel, with real tunnels: to the packet, and nobody else notices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.live.blasting import Blast, Counted
from tests.live.conftest import Figure
from tests.live.lab import Lab, Stream
from tests.live.test_link import SERVER4, SERVER6, Bench
from wireguard import cutoff
from wireguard.cutoff import Key, Quota, Way
from wireguard.host import command_prefix
from wireguard.nft import Nft
from wireguard.runner import LocalRunner

pytestmark = pytest.mark.wg

OTHERS = "table inet others { chain c { type filter hook forward priority 0; policy accept; }; }"
LEFT = 20_000_000
GSO = 65_536
"""Packets of one TCP stream may be counted as one of up to so many bytes."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("vwc") as lab:
        yield lab


@pytest.fixture
def nft(lab: Lab) -> Nft:
    return Nft(LocalRunner(), command_prefix(lab.gateway_netns))


def shown(nft: Nft, interface: str = "wg0") -> cutoff.Shown:
    listing = nft.list_table(cutoff.table_name(interface))
    assert listing is not None
    return cutoff.parse(listing)


TABLE = {
    Key(7, Way.BOTH): Quota(5000, ("10.0.0.7/32", "fd00::7/128", "192.168.7.0/24", "fd00:7::/64")),
    Key(7, Way.UP): Quota(4000, ("10.0.0.7/32", "fd00::7/128", "192.168.7.0/24", "fd00:7::/64")),
    Key(8, Way.DOWN): Quota(10**15, ("10.0.0.8/32", "10.0.0.9/32")),
    Key(9, Way.BOTH): Quota(1, ("0.0.0.0/9", "2000::/3")),
}


def test_nft_takes_the_table_and_shows_it_as_it_was_meant(lab: Lab, nft: Nft) -> None:
    nft.load(cutoff.render("wg0", TABLE))
    first = lab.run("nft", "list", "ruleset")
    nft.load(cutoff.render("wg0", TABLE))
    assert lab.run("nft", "list", "ruleset") == first
    assert shown(nft).holds(TABLE)
    assert set(shown(nft).used.values()) == {0}
    nft.load(cutoff.touch("wg0"))
    nft.load(cutoff.remove("wg0"))
    nft.load(cutoff.remove("wg0"))
    assert lab.run("nft", "list", "ruleset") == ""
    assert nft.list_table(cutoff.table_name("wg0")) is None


def test_nft_takes_every_change(lab: Lab, nft: Nft) -> None:
    nft.load(cutoff.render("wg0", {}))
    small = {key: TABLE[key] for key in list(TABLE)[:2]}
    moved = {
        Key(8, Way.BOTH): Quota(70, TABLE[Key(7, Way.BOTH)].networks),
        Key(9, Way.BOTH): Quota(80, ("10.0.0.8/32",)),
    }
    now: cutoff.Table = {}
    for after, fresh in (
        (TABLE, ()),
        (TABLE, TABLE),
        (small, ()),
        (moved, ()),
        (TABLE, ()),
        ({}, ()),
    ):
        nft.load(cutoff.change("wg0", now, after, fresh) or cutoff.touch("wg0"))
        assert shown(nft).holds(after)
        now = after


@pytest.mark.parametrize("interface", ["wg-0", "wg_0", "wg.0", "a=b+c.d-e_f"])
def test_nothing_of_others_is_touched(lab: Lab, nft: Nft, interface: str) -> None:
    lab.run("nft", "-f", "-", stdin=OTHERS)
    before = lab.run("nft", "list", "ruleset")
    nft.load(cutoff.render(interface, TABLE))
    assert shown(nft, interface).holds(TABLE)
    nft.load(cutoff.remove(interface))
    assert lab.run("nft", "list", "ruleset") == before


class Cut(NamedTuple):
    """What a run showed: the limit, what passed, the bill, and how fast it went."""

    limit: int
    passed: int
    billed: int
    mbit: float


class Range:
    """A gateway with a client that may be cut off, and one that looks on."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.bench = Bench(lab)
        self.client, self.other = self.bench.add_client(), self.bench.add_client()
        self.bench.link.bring_up(self.bench.spec())
        self.nft = Nft(LocalRunner(), command_prefix(lab.gateway_netns))
        self.counted = Counted(lab, self.bench.name, self.client)
        self.networks = tuple(self.bench.peers[0].allowed_ips)
        for client in (self.client, self.other):
            client.wait_until_reaches(SERVER4)

    def arm(self, limit: int, way: Way = Way.BOTH) -> None:
        self.nft.load(cutoff.render(self.bench.name, {Key(1, way): Quota(limit, self.networks)}))

    def place(self, where: str, family: int) -> tuple[str, str]:
        """The namespace and the address of "gateway" or "beyond"."""
        if where == "gateway":
            return self.lab.gateway_netns, SERVER4 if family == 4 else SERVER6
        return self.lab.beyond_netns, self.lab.beyond_ip if family == 4 else self.lab.beyond_ip6

    def cut(self, where: str, *, up: bool, udp: bool, family: int = 4, size: int = 1200) -> Cut:
        """Arm what is left of a bill, use it up at full speed, and see what passed."""
        netns, address = self.place(where, family)
        limit = cutoff.allowance(LEFT, percent=100, mtu=1420)
        passed, _ = self.counted.settle()  # what was on its way when the last run ended
        billed = self.counted.bill()
        self.arm(limit)
        with Blast(self.client, netns, address, up=up, udp=udp, size=size) as blast:
            now, stopped = self.counted.settle()
            bill = self.counted.bill() - billed
        used = now.both - passed.both
        self.nft.load(cutoff.remove(self.bench.name))
        return Cut(limit, used, bill, used * 8 / 1e6 / (stopped - blast.began))


@pytest.fixture(scope="module")
def range_() -> Iterator[Range]:
    with Lab("vwc") as lab:
        yield Range(lab)


#: Half of the usual ones in `make test`, each place, way and protocol with each other.
RUNS = [
    pytest.param(where, up, udp, family, size, marks=[] if quick else [pytest.mark.proof])
    for where in ("beyond", "gateway")
    for up in (True, False)
    for udp, size, family, quick in (
        (True, 1200, 4, up is (where == "beyond")),
        (False, 0, 4, up is not (where == "beyond")),
        (True, 1200, 6, False),
        (False, 0, 6, False),
        (True, 100, 4, False),
    )
]


@pytest.mark.alone
@pytest.mark.parametrize(("where", "up", "udp", "family", "size"), RUNS)
def test_no_byte_passes_beyond_the_limit(
    range_: Range, figure: Figure, where: str, up: bool, udp: bool, family: int, size: int
) -> None:
    cut = range_.cut(where, up=up, udp=udp, family=family, size=size)
    name = f"cutoff.{'udp' if udp else 'tcp'}{family}.{'up' if up else 'down'}.{where}"
    figure(f"{name}{f'.{size}' if udp else ''}.mbit", cut.mbit)
    figure(f"{name}{f'.{size}' if udp else ''}.passed_beyond_limit", cut.passed - cut.limit)
    figure(f"{name}{f'.{size}' if udp else ''}.billed_beyond_left", cut.billed - LEFT)
    assert cut.passed <= cut.limit
    assert cut.passed >= cut.limit - (size + 48 if udp else GSO)


@pytest.mark.alone
def test_bystanders_lose_nothing_while_others_are_armed_and_let_go(
    range_: Range, figure: Figure
) -> None:
    """2,000 packets a second each way, through a table that changes all the time."""
    name, nft = range_.bench.name, range_.nft
    crowd = {
        Key(number, Way.BOTH): Quota(
            10**6 + number, (f"10.252.{number >> 8}.{number & 255}/32", f"fd25:2::9:{number:x}/128")
        )
        for number in range(1000, 2000)
    }
    changes = 0
    with Stream(range_.other, range_.lab.gateway_netns, SERVER4) as stream:
        for turn in range(20):
            nft.load(cutoff.render(name, {}))
            now: cutoff.Table = {}
            for table, fresh in ((crowd, ()), (_raised(crowd, turn), ()), (crowd, crowd), ({}, ())):
                nft.load(cutoff.change(name, now, table, fresh))
                now, changes = table, changes + 1
            nft.load(cutoff.remove(name))
    figure("cutoff.bystander.packets", stream.result.up.sent + stream.result.down.sent)
    figure("cutoff.bystander.changes_of_1000", changes)
    figure("cutoff.bystander.lost", stream.result.lost)
    assert stream.result.lost == 0, stream.result


def _raised(table: cutoff.Table, by: int) -> cutoff.Table:
    return {key: Quota(quota.limit + by + 1, quota.networks) for key, quota in table.items()}


def test_who_is_cut_off_is_back_when_let_go_without_a_handshake(range_: Range) -> None:
    before = range_.client.handshakes()
    range_.arm(cutoff.SHUT)
    for address in (SERVER4, SERVER6, range_.lab.beyond_ip, range_.lab.beyond_ip6):
        assert range_.client.ping(address, count=2, wait=0.3) == 0, address
        assert range_.other.ping(address) == 3, address
    range_.nft.load(cutoff.remove(range_.bench.name))
    assert range_.client.ping(SERVER4) == 3
    assert range_.client.handshakes() == before


@pytest.mark.parametrize("way", [Way.UP, Way.DOWN])
@pytest.mark.parametrize("where", ["gateway", "beyond"])
@pytest.mark.parametrize("family", [4, 6])
def test_each_way_is_counted_apart(range_: Range, way: Way, where: str, family: int) -> None:
    """84 bytes a ping and way: the fourth goes beyond. (Some kernels drop what reaches it, too.)"""
    _, address = range_.place(where, family)
    size = 84 if family == 4 else 104
    range_.arm(4 * size - 1, way)
    assert range_.client.ping(address, count=6, wait=0.2) == 3
    (used,) = shown(range_.nft, range_.bench.name).used.values()
    assert used == 4 * size - 1  # the kernel never shows more than the limit
    range_.nft.load(cutoff.remove(range_.bench.name))


def test_both_families_and_both_ways_share_one_quota(range_: Range) -> None:
    range_.arm(2 * 2 * (84 + 104) + 1)
    assert range_.client.ping(SERVER4, count=2) == 2
    assert range_.client.ping(SERVER6, count=3, wait=0.2) == 2
    assert range_.client.ping(range_.lab.beyond_ip, count=2, wait=0.2) == 0
    range_.nft.load(cutoff.remove(range_.bench.name))


def test_from_client_to_client_counts_for_both(range_: Range) -> None:
    bench = range_.bench
    first, second = (tuple(peer.allowed_ips) for peer in bench.peers)
    range_.nft.load(
        cutoff.render(
            bench.name,
            {Key(1, Way.UP): Quota(10**6, first), Key(2, Way.DOWN): Quota(10**6, second)},
        )
    )
    assert range_.client.ping(range_.other.tunnel_ips[0]) == 3
    used = shown(range_.nft, bench.name).used
    assert used[Key(1, Way.UP)] == 3 * 84
    assert used[Key(2, Way.DOWN)] >= 3 * 84  # and what the gateway says of a better way
    range_.nft.load(cutoff.remove(bench.name))


def test_what_the_operators_filter_drops_is_not_counted(range_: Range) -> None:
    drops = OTHERS.replace("forward", "input").replace("accept", "drop")
    range_.arm(10**6)
    range_.lab.run("nft", "-f", "-", stdin=drops)
    assert range_.client.ping(SERVER4, count=2, wait=0.2) == 0
    assert list(shown(range_.nft, range_.bench.name).used.values()) == [0]
    range_.lab.run("nft", "delete", "table", "inet", "others")
    range_.nft.load(cutoff.remove(range_.bench.name))


def test_ten_thousand_are_loaded_and_one_is_changed(lab: Lab, nft: Nft, figure: Figure) -> None:
    table = {
        Key(number, Way.BOTH): Quota(
            10**6, (f"10.{number >> 8}.{number & 255}.1/32", f"fd00::{number:x}/128")
        )
        for number in range(10_000)
    }
    one = {**table, Key(7, Way.BOTH): Quota(5, table[Key(7, Way.BOTH)].networks)}

    def timed(name: str, act: Callable[[], object]) -> None:
        begin = time.perf_counter()
        act()
        figure(f"cutoff.ten_thousand.{name}_s", time.perf_counter() - begin)

    timed("render", lambda: cutoff.render("wg0", table))
    timed("load", lambda: nft.load(cutoff.render("wg0", table)))
    timed("change", lambda: nft.load(cutoff.change("wg0", table, one)))
    timed("renew", lambda: nft.load(cutoff.change("wg0", one, one, {Key(7, Way.BOTH)})))
    timed("read", lambda: shown(nft))
    assert shown(nft).holds(one)
