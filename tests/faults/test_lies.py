"""A `wg` that hangs, refuses, lies or tells half: what vwg believes, and by which tier it acts."""

from __future__ import annotations

import time

import pytest

from tests.faults.invariants import assert_all
from tests.faults.world import Caller, World
from tests.live.conftest import Figure
from tests.stack.processes import run

pytestmark = [pytest.mark.stack, pytest.mark.wg]

BARE_REFUSAL = "Unable_to_modify_interface:_Unknown_error_524"


def heals(world: World) -> int:
    return int(world.books.one("SELECT count(*) FROM gateways_job WHERE kind = 'heal'"))


def link_index(world: World) -> str:
    """Another number would be another interface: a restart."""
    return run("ip", "-n", world.netns, "-o", "link", "show", world.interface).split(":")[0]


def test_rc_0_is_not_believed_the_next_dump_finds_the_lie(caller: Caller, figure: Figure) -> None:
    world = caller.world
    before = heals(world)
    world.shim.arm("set*", "lie")

    caller.add_some(1)
    world.wait_until(lambda: world.shim.struck, "the fault happened")

    figure("lie_healed_s", caller.wait_until_live())
    assert_all(caller)
    assert heals(world) == before + 1
    assert caller.tiers() <= {1}


def test_a_bare_refusal_goes_to_tier_2_and_no_further(caller: Caller) -> None:
    world = caller.world
    link = link_index(world)
    world.shim.arm("set*", "fail", BARE_REFUSAL)

    answer = caller.add_some(1)[0]
    caller.wait_until_live()
    assert_all(caller)

    job = caller.job(answer)
    assert job["tier"] == 2
    assert job["status"] == "succeeded"
    assert "Applied by synchronising the whole interface" in job["message"]
    assert link_index(world) == link


def test_a_passing_error_is_retried_and_never_escalated(caller: Caller, figure: Figure) -> None:
    """The change arrived and was reported as failed: sent again, it changes nothing."""
    world = caller.world
    world.shim.arm("set*", "eio")

    answer = caller.add_some(1)[0]
    world.wait_until(lambda: world.shim.struck, "the fault happened")

    figure("eio_settled_s", assert_all(caller))
    assert caller.job(answer)["tier"] == 1
    assert caller.tiers() <= {1}


def test_a_call_that_hangs_is_ended_with_all_it_started(caller: Caller, figure: Figure) -> None:
    world = caller.world
    world.shim.arm("set*", "hang")

    caller.add_some(1)
    world.shim.hanging_worker()
    live = caller.wait_until_live()  # nobody released it

    figure("hang_live_after_s", live)
    assert_all(caller)
    assert caller.tiers() <= {1}


def test_a_truncated_dump_is_refused_whole(caller: Caller) -> None:
    """Nobody is taken for missing, and nothing is repaired, however long it lasts."""
    world = caller.world
    caller.add_some(3)
    caller.wait_until_live()
    assert_all(caller)
    before, known = heals(world), len(world.shim.calls())
    world.shim.arm("show*dump", "trunc", "40", always=True)
    try:
        world.wait_until(
            lambda: sum("dump" in call for call in world.shim.calls()[known:]) >= 3,
            "three truncated dumps were read",
            seconds=30,
        )
        time.sleep(1)
        answer = caller.add_some(1)[0]  # additions need no dump
        caller.wait_until_live()
        assert caller.job(answer)["tier"] == 1
    finally:
        world.shim.disarm()
    assert heals(world) == before
    assert not [call for call in world.shim.calls()[known:] if call.startswith("syncconf")]
    assert_all(caller)
