"""kill -9 of the worker at every step of a change: it converges (issue: must show 5).

A `child` is the process of Celery's pool that works; `all` is the worker with its children, which
the supervisor starts again. "Before settle" needs no product code: while every writer of the
database has to wait, a worker that has sent its change stands exactly there.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.invariants import assert_all
from tests.faults.world import Caller, percentile
from tests.live.conftest import Figure

pytestmark = [pytest.mark.stack, pytest.mark.wg]

ADDITION = "set*allowed-ips*"
FREEZING = "set*allowed-ips*"
REMOVAL = "set*remove"


def kill_in_call(caller: Caller, pattern: str, action: str, victim: str, change: str) -> None:
    """Arm the shim, make the change, and see the worker die."""
    world = caller.world
    doomed = caller.add()[0] if change == "remove" else ""
    if doomed:
        caller.wait_until_live()
    delay = f":{random.uniform(0, 0.02):.4f}" if action == "kill_soon" else ""
    world.shim.arm(pattern, action, victim + delay)
    answer = caller.remove(doomed) if doomed else caller.add()[1]
    assert answer.status == 202
    world.wait_until(lambda: is_gone(world.shim.caller()), "the worker was killed")
    if victim == "all":
        world.revive("gateway")


def is_gone(pid: int) -> bool:
    """Whether this process was and is no more; 0 is none."""
    return pid > 0 and not Path(f"/proc/{pid}").exists()


def kill_before_settle(caller: Caller, pattern: str, victim: str, change: str) -> None:
    """The change is on the interface, its record is not written; then kill -9."""
    world = caller.world
    doomed = caller.add()[0] if change == "remove" else ""
    if doomed:
        caller.wait_until_live()
    world.shim.arm(pattern, "hang")
    answer = caller.remove(doomed) if doomed else caller.add()[1]
    assert answer.status == 202
    parent, child = world.shim.hanging_worker()
    with world.books.no_writer():
        world.shim.release()
        world.wait_until(lambda: not caller.missing(), "the change is sent")
        time.sleep(0.05)
        if victim == "all":
            os.killpg(parent, signal.SIGKILL)
        else:
            os.kill(child, signal.SIGKILL)
    if victim == "all":
        world.revive("gateway")


STEPS = {
    "before an addition": ("add", ADDITION, "kill_before"),
    "after an addition": ("add", ADDITION, "kill_after"),
    "soon after an addition": ("add", ADDITION, "kill_soon"),
    "before an addition is settled": ("add", ADDITION, "settle"),
    "after the freezing of a removal": ("remove", FREEZING, "kill_after"),
    "before a removal": ("remove", REMOVAL, "kill_before"),
    "after a removal": ("remove", REMOVAL, "kill_after"),
    "before a removal is settled": ("remove", REMOVAL, "settle"),
}


def rounds(caller: Caller, figure: Figure, step: str, victim: str, number: int) -> None:
    """So many kills at one step; after each everything is as it should be."""
    change, pattern, action = STEPS[step]
    times = []
    for _ in range(number):
        if action == "settle":
            kill_before_settle(caller, pattern, victim, change)
        else:
            kill_in_call(caller, pattern, action, victim, change)
        caller.world.shim.disarm()
        times.append(assert_all(caller))
    tag = f"killed_{victim}_{step.replace(' ', '_')}"
    figure(f"{tag}_rounds", number)
    figure(f"{tag}_converged_p50_s", percentile(times, 0.5))
    figure(f"{tag}_converged_max_s", max(times))
    assert caller.tiers() <= {1}


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_child_costs_time_only(step: str, caller: Caller, figure: Figure) -> None:
    rounds(caller, figure, step, "child", 3)


@pytest.mark.parametrize("step", ["after an addition", "before a removal"])
def test_a_killed_worker_costs_time_only(step: str, caller: Caller, figure: Figure) -> None:
    rounds(caller, figure, step, "all", 1)


@pytest.mark.proof
@pytest.mark.parametrize("victim", ["all", "child"])
@pytest.mark.parametrize("step", STEPS)
def test_twenty_kills_at_every_step(step: str, victim: str, caller: Caller, figure: Figure) -> None:
    rounds(caller, figure, step, victim, 20)
