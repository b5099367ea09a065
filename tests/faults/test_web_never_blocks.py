"""No fault of the gateway, the workers or the broker is felt by a request (issue: must show 4)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.invariants import assert_all
from tests.faults.world import Caller, World, continue_process, percentile, stop_process
from tests.live.conftest import Figure

pytestmark = [pytest.mark.stack, pytest.mark.wg, pytest.mark.alone]

POST_P99 = 0.1
WORKERS = ("control", "gateway")


@contextmanager
def wireguard_stopped(world: World) -> Iterator[None]:
    """SIGSTOP of this interface's wireguard-go: every `wg` hangs."""
    pid = world.daemon()
    stop_process(pid)
    try:
        yield
    finally:
        continue_process(pid)


@contextmanager
def workers_killed(world: World) -> Iterator[None]:
    """kill -9 of every worker with all its children."""
    for name in WORKERS:
        world.kill(name)
    try:
        yield
    finally:
        for name in WORKERS:
            world.start(name)


@contextmanager
def redis_killed(world: World) -> Iterator[None]:
    """kill -9 of Redis: nobody listens on its socket."""
    world.kill("redis")
    try:
        yield
    finally:
        world.start("redis")


@contextmanager
def redis_stopped(world: World) -> Iterator[None]:
    """SIGSTOP of Redis: it accepts connections and answers nothing."""
    world.signal_group("redis", signal.SIGSTOP)
    try:
        yield
    finally:
        world.signal_group("redis", signal.SIGCONT)


FAULTS = {
    "wireguard-go stopped": wireguard_stopped,
    "workers killed": workers_killed,
    "redis killed": redis_killed,
    "redis stopped": redis_stopped,
}


def post_through(
    name: str, caller: Caller, figure: Figure, *, posts: int, bound: float, seconds: float = 0.0
) -> None:
    """POST during the fault (at least ``seconds`` long), then judge what came of it.

    ``bound`` is for 99 of 100 requests, in seconds; the first has a bound of its own.
    """
    begin = time.monotonic()
    with FAULTS[name](caller.world):
        answers = caller.add_some(posts)
        while time.monotonic() - begin < seconds:
            time.sleep(0.5)
            answers += caller.add_some(1)
    live = caller.wait_until_live()
    times = [answer.seconds for answer in answers]
    tag = name.replace(" ", "_")
    figure(f"{tag}_posts", len(times))
    figure(f"{tag}_first_post_ms", times[0] * 1000)
    figure(f"{tag}_post_p50_ms", percentile(times, 0.5) * 1000)
    figure(f"{tag}_post_p99_ms", percentile(times, 0.99) * 1000)
    figure(f"{tag}_post_max_ms", max(times) * 1000)
    figure(f"{tag}_live_after_s", live)
    assert times[0] <= 1.0
    assert percentile(times[1:], 0.99) <= bound
    assert_all(caller)
    assert caller.tiers() <= {1}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_not_felt_by_a_post_and_ends_without_a_human(
    name: str, caller: Caller, figure: Figure
) -> None:
    """`make test` may share its processors: the bound follows what a POST costs there anyway."""
    healthy = [answer.seconds for answer in caller.add_some(30)]
    caller.wait_until_live()
    figure("no_fault_post_max_ms", max(healthy) * 1000)
    post_through(name, caller, figure, posts=30, bound=max(POST_P99, 3 * max(healthy)))


@pytest.mark.proof
@pytest.mark.parametrize("name", FAULTS)
def test_75_seconds_of_a_fault_is_not_felt_by_200_posts(
    name: str, caller: Caller, figure: Figure
) -> None:
    post_through(name, caller, figure, posts=200, bound=POST_P99, seconds=75)


def test_hints_flow_again_after_redis_died(caller: Caller, figure: Figure) -> None:
    """Without beat there is no sweep: only a hint can bring these peers up."""
    world = caller.world
    world.kill("beat")
    try:
        with redis_killed(world):
            for _ in range(6):  # both web processes have a publisher of their own
                caller.reconnect()
                caller.add_some(1)
        figure("hints_kept_while_redis_was_dead_live_after_s", caller.wait_until_live())
        for _ in range(6):
            caller.reconnect()
            caller.add_some(1)
        figure("hints_live_after_s", caller.wait_until_live(seconds=3))
    finally:
        world.start("beat")


def test_the_web_ends_in_time_while_redis_hangs(caller: Caller, figure: Figure) -> None:
    """The publisher's thread waits for Redis and must not hold its process back."""
    world = caller.world
    try:
        with redis_stopped(world):
            caller.add_some(4)
            caller.reconnect()  # a connection kept open may be waited for, Redis or not
            begin = time.monotonic()
            os.kill(world.pid("web"), signal.SIGTERM)
            world.wait_until(lambda: world.died("web"), "the web ended", seconds=7)
            figure("web_ended_while_redis_hangs_s", time.monotonic() - begin)
    finally:
        world.kill("web")
        world.start("web")
    world.wait_until(world.is_ready, "the web is back", seconds=30)
    caller.wait_until_live()
    assert_all(caller)


def test_ready_says_503_without_workers_and_200_with_them(world: World, figure: Figure) -> None:
    """A minute of silence is made by setting the last signs of life back."""
    assert world.is_ready()
    with workers_killed(world):
        assert world.is_ready()  # a restart is no alarm
        silence(world)
        assert not world.is_ready()
    back = world.wait_until(world.is_ready, "ready again")
    figure("ready_after_workers_s", back)


def silence(world: World) -> None:
    """Set every sign of life back by a minute and a bit."""
    if world.books.file:
        moment = "strftime('%Y-%m-%d %H:%M:%f', seen_at, '-61 seconds')"
    else:
        moment = "seen_at - interval '61 seconds'"
    world.books.write(f"UPDATE gateways_heartbeat SET seen_at = {moment}")  # noqa: S608


@pytest.mark.proof
@pytest.mark.parametrize("name", ["workers killed", "redis killed", "redis stopped"])
def test_ready_turns_503_within_90_seconds_and_back(
    name: str, world: World, figure: Figure
) -> None:
    tag = name.replace(" ", "_")
    with FAULTS[name](world):
        said = world.wait_until(lambda: not world.is_ready(), "not ready is said", seconds=90)
        figure(f"{tag}_not_ready_after_s", said)
    back = world.wait_until(world.is_ready, "ready again", seconds=30)
    figure(f"{tag}_ready_again_after_s", back)
    assert back <= 15
