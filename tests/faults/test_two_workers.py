"""Two workers on one interface, and an outsider with a hand of his own (issue: must show 6)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.faults.invariants import assert_all
from tests.faults.world import Caller, World, percentile
from tests.live.conftest import Figure
from tests.make import make_public_key
from tests.stack.processes import run

pytestmark = [pytest.mark.stack, pytest.mark.wg]

HEALED_WITHIN = 15.0


@pytest.fixture(scope="module", autouse=True)
def second_worker(world: World) -> Iterator[None]:
    """Another gateway worker on the same queue, as a mistaken unit file would start it."""
    world.start("gateway2")
    world.wait_until(
        lambda: "ready" in world.log("gateway2"), "the second worker works", seconds=40
    )
    yield
    world.stop("gateway2")


class Outsider:
    """`wg set` by hand in a loop: takes addresses away, removes peers, adds one of his own."""

    def __init__(self, world: World, victims: list[str]) -> None:
        self.acts = 0
        self._world = world
        self._victims = victims
        self._stray = make_public_key()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._end.set()
            self._thread.join()

    def _run(self) -> None:
        interface = self._world.interface
        while not self._end.wait(0.1):
            victim = self._victims[self.acts % len(self._victims)]
            words = (
                ("peer", victim, "remove"),
                ("peer", victim, "allowed-ips", ""),
                ("peer", victim, "persistent-keepalive", "7"),
                ("peer", self._stray, "allowed-ips", "10.252.200.200/32"),
            )[self.acts % 4]
            with suppress(AssertionError):  # the interface may be stopped by another test
                run("ip", "netns", "exec", self._world.netns, "wg", "set", interface, *words)
            self.acts += 1


def stop_in_lock(caller: Caller) -> int:
    """A worker stopped between its `wg set` and the record of it, lock in hand; its group."""
    shim = caller.world.shim
    shim.arm("set*", "hang")
    caller.add_some(1)
    group, _ = shim.hanging_worker()
    os.killpg(group, signal.SIGSTOP)
    shim.release()
    return group


def change_through(caller: Caller, *, seconds: float) -> list[float]:
    """Add, update and remove for so long; every call must be accepted. Seconds of each call."""
    times: list[float] = []
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        times += [answer.seconds for answer in caller.add_some(2)]
        keys = [key for key in caller.added if key not in caller.removed]
        _, updated = caller.add(keys[0], persistent_keepalive=20 + len(times) % 10)
        removed = caller.remove(keys[1])
        assert (updated.status, removed.status) == (202, 202)
        times += [updated.seconds, removed.seconds]
        time.sleep(0.1)
    return times


def meddle(caller: Caller, figure: Figure, *, turns: int, seconds: float) -> None:
    """Turns of: one worker stopped in the lock, changes and an outsider, the worker woken."""
    world = caller.world
    times: list[float] = []
    healed: list[float] = []
    acts = 0
    for _ in range(turns):
        caller.add_some(4)
        caller.wait_until_live(seconds=HEALED_WITHIN)
        outsider = Outsider(world, [key for key in caller.added if key not in caller.removed][-3:])
        group = stop_in_lock(caller)
        try:
            with outsider.at_work():
                times += change_through(caller, seconds=seconds)
                os.killpg(group, signal.SIGCONT)
                times += change_through(caller, seconds=seconds)
        finally:
            os.killpg(group, signal.SIGCONT)
        world.shim.disarm()
        healed.append(assert_all(caller, seconds=HEALED_WITHIN))
        acts += outsider.acts
    figure("two_workers_turns", turns)
    figure("two_workers_calls", len(times))
    figure("two_workers_call_p99_ms", percentile(times, 0.99) * 1000)
    figure("outsider_acts", acts)
    figure("two_workers_healed_max_s", max(healed))
    assert caller.tiers() <= {1}


def test_no_update_is_lost_and_drift_is_healed(caller: Caller, figure: Figure) -> None:
    meddle(caller, figure, turns=1, seconds=4)


@pytest.mark.proof
def test_no_update_is_lost_in_ten_turns(caller: Caller, figure: Figure) -> None:
    meddle(caller, figure, turns=10, seconds=8)


def test_a_worker_stopped_in_the_lock_keeps_the_other_out(caller: Caller) -> None:
    """The lock is not broken: the stopped one may be in the middle of a write."""
    world = caller.world
    group = stop_in_lock(caller)
    known = len(world.shim.calls())
    try:
        caller.add_some(5)
        time.sleep(3)
        assert not [call for call in world.shim.calls()[known:] if call.startswith("set")]
        assert caller.missing()
    finally:
        os.killpg(group, signal.SIGCONT)
    world.shim.disarm()
    caller.wait_until_live()
    assert_all(caller)


def test_two_workers_share_200_changes(caller: Caller, figure: Figure) -> None:
    """Adds and removals in quick succession: each happens once, none gets lost."""
    world = caller.world
    for _ in range(50):
        caller.add_some(3)
        caller.remove(next(key for key in caller.added if key not in caller.removed))

    figure("two_workers_200_changes_live_s", caller.wait_until_live())
    assert_all(caller)
    served = [name for name in ("gateway", "gateway2") if not world.died(name)]
    assert served == ["gateway", "gateway2"]
