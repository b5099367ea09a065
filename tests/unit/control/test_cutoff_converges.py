"""The kernel's count and the bill approach each other, whatever passes: nobody hangs half-dead."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from control import cutoff
from control.armed import Note
from control.nearing import Near, next_look
from tests.nftables import Kernel
from wireguard.cutoff import Key, Way, change, parse, render

ADDRESS = "10.0.0.7"
KEY = Key(7, Way.BOTH)
SIZES = st.integers(20, 1500)


@dataclass
class Tunnel:
    """One client, its bill and the kernel; a tick is what an observation does."""

    left: int
    percent: int = 100

    def __post_init__(self) -> None:
        self.kernel = Kernel()
        self.note = Note()
        self.raw = 0
        self.sold = self.left
        self.tick()

    def tick(self, meanwhile: tuple[int, ...] = ()) -> None:
        """Read, bill, arm; ``meanwhile`` packets come between reading and arming."""
        self.left = self.sold - self.raw * self.percent // 100
        listing = self.kernel.list_table("vwgq_wg0") if self.note.table else None
        shown = parse(listing) if listing else None
        wanted = {KEY: Near(self.left, (f"{ADDRESS}/32",))}
        for size in meanwhile:
            self.send(size)
        table, fresh = cutoff.plan(self.note, wanted, shown, percent=self.percent, mtu=1420)
        if self.note.table:
            self.kernel.load(change("wg0", self.note.table, table, fresh))
        else:
            self.kernel.load(render("wg0", table))
        self.note = replace(self.note, table=table, left={KEY: self.left})

    def send(self, size: int, *, up: bool = False, lost: bool = False) -> bool:
        """A packet; WireGuard counts what it received before the kernel drops it, and what it
        sent after. ``lost``: the kernel lets it pass, and the tunnel has no room for it.
        """
        passed = self.kernel.passes(ADDRESS, size, up=up)
        if up or (passed and not lost):
            self.raw += -(-size // 16) * 16 + 32
        return passed

    @property
    def billed(self) -> int:
        return self.raw * self.percent // 100


PERCENTS = st.sampled_from([25, 100, 150, 400])


@settings(deadline=None)
@given(st.integers(1, 200_000), st.lists(st.lists(SIZES, max_size=60), max_size=12), PERCENTS)
def test_nobody_is_cut_off_before_the_limit(
    left: int, ticks: list[list[int]], percent: int
) -> None:
    tunnel = Tunnel(left, percent)
    for sizes in ticks:
        for size in sizes:
            if not tunnel.send(size):
                assert tunnel.billed >= left
        tunnel.tick()


@settings(deadline=None)
@given(st.integers(1, 200_000), st.lists(SIZES, min_size=1, max_size=40), PERCENTS)
def test_who_was_cut_off_is_over_the_limit_at_the_next_tick(
    left: int, sizes: list[int], percent: int
) -> None:
    tunnel = Tunnel(left, percent)
    while all(tunnel.send(size) for size in sizes):
        pass
    tunnel.tick()
    assert tunnel.left <= 0
    assert not tunnel.send(20, up=True)


@settings(deadline=None)
@given(
    st.integers(1, 60_000),
    st.lists(st.tuples(SIZES, st.booleans(), st.booleans()), min_size=2, max_size=30),
    st.lists(SIZES, max_size=5),
    PERCENTS,
)
@example(1921, [(20, False, False), (20, False, True)], [20, 1461], 150)  # all of it meanwhile
def test_whatever_the_tunnel_loses_behind_the_kernel_the_limit_is_reached(
    left: int,
    packets: list[tuple[int, bool, bool]],
    meanwhile: list[int],
    percent: int,
) -> None:
    """Packets that are counted and never billed cut a client off for a tick, and for no more."""
    packets = [(packets[0][0], packets[0][1], False), *packets[1:]]  # one of each tick arrives
    tunnel = Tunnel(left, percent)
    ticks = 0
    while tunnel.left > 0:
        before = tunnel.raw
        for size, up, lost in packets * 20:
            tunnel.send(size, up=up, lost=lost)
        tunnel.tick(tuple(meanwhile))
        ticks += 1
        assert tunnel.raw > before or tunnel.left <= 0, "half-dead: something is left, and stuck"
    assert not tunnel.send(20)


@settings(deadline=None)
@given(st.integers(1, 50_000), st.lists(SIZES, min_size=1, max_size=20))
def test_a_top_up_lets_everything_pass_that_it_paid_for(left: int, sizes: list[int]) -> None:
    tunnel = Tunnel(left)
    while tunnel.send(sizes[0]):
        pass
    tunnel.tick()
    more = sum(-(-size // 16) * 16 + 32 for size in sizes) + max(0, tunnel.billed - tunnel.sold)
    tunnel.sold += more
    tunnel.tick()
    assert all(tunnel.send(size) for size in sizes)


def look(before: int, now: int, *, seconds: float = 5.0, took: float = 0.01) -> float | None:
    return next_look({KEY: before}, {KEY: Near(now, ())}, seconds=seconds, took=took)


def test_the_next_look_is_when_the_limit_is_reached() -> None:
    assert look(40_000, 15_000) == 3.0
    assert look(40_000, 25_000) is None  # 8 s: the next observation is sooner
    assert look(40_000, 1_000) == 1.0
    assert look(40_000, 40_000) is None
    assert look(0, -5) is None
    assert next_look({}, {KEY: Near(5, ())}, seconds=5.0, took=0.01) is None


def test_looking_never_takes_more_than_a_fifth_of_the_time() -> None:
    assert look(40_000, 1_000, took=0.5) == 2.5
    assert look(40_000, 1_000, took=1.5) is None
