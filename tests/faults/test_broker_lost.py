"""Redis forgets everything, and the workers go on without a human (kombu 1063, celery 8030)."""

from __future__ import annotations

import shutil

import pytest

from tests.faults.invariants import assert_all
from tests.faults.world import Caller, World
from tests.live.conftest import Figure
from tests.stack.processes import run

pytestmark = [pytest.mark.stack, pytest.mark.wg]

LONGEST = 30.0


def redis(world: World, *words: str) -> str:
    return run("redis-cli", "-s", str(world.state / "redis.sock"), *words)


def restart_empty(world: World) -> None:
    """kill -9, the append-only file gone, start: queues, bindings and messages are lost."""
    world.kill("redis")
    shutil.rmtree(world.state / "redis")
    (world.state / "redis").mkdir(mode=0o700)
    world.start("redis")


def flush(world: World) -> None:
    redis(world, "FLUSHALL")


def forget_bindings(world: World) -> None:
    """Only kombu's own table of queues."""
    bindings = redis(world, "KEYS", "_kombu.binding.*").split()
    assert bindings
    redis(world, "DEL", *bindings)


def reset_connections(world: World) -> None:
    """Five resets of every connection."""
    for _ in range(5):
        redis(world, "CLIENT", "KILL", "TYPE", "normal")


LOSSES = {
    "bindings gone": forget_bindings,  # first: a fresh Redis has them
    "restarted empty": restart_empty,
    "flushed": flush,
    "connections reset": reset_connections,
}


def beats(world: World) -> dict[str, str]:
    """Queue -> when its worker last answered the canary."""
    return {
        q: str(at) for q, at in world.books.rows("SELECT queue, seen_at FROM gateways_heartbeat")
    }


def wait_for_canaries(world: World, before: dict[str, str]) -> float:
    """Wait until every queue has answered another canary; the seconds it took."""
    return world.wait_until(
        lambda: all(beats(world)[queue] != at for queue, at in before.items()),
        "every queue answers a new canary",
        seconds=LONGEST,
    )


@pytest.mark.parametrize("name", LOSSES)
def test_workers_consume_again_by_themselves(name: str, caller: Caller, figure: Figure) -> None:
    world = caller.world
    caller.add_some(20)
    LOSSES[name](world)
    caller.add_some(20)

    live = caller.wait_until_live(seconds=LONGEST)
    canary = 0.0
    for _ in range(2):  # the first may have been under way before the loss
        before = beats(world)
        canary += wait_for_canaries(world, before)

    tag = name.replace(" ", "_")
    figure(f"redis_{tag}_live_after_s", live)
    figure(f"redis_{tag}_canary_after_s", live + canary)
    assert live + canary <= LONGEST
    assert_all(caller)
    assert caller.tiers() <= {1}
