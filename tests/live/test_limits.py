"""Limits on a running vwg: who crosses one is stopped, who is reset is back, and nobody notices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import cycle, islice, product
from random import random
from statistics import median

import pytest

from tests.live.conftest import Figure
from tests.live.crossing import Shop, tell
from tests.live.site import Site, Witness, control_run
from tests.live.test_zero_loss import judge
from tests.stack.conftest import short_path

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone]

MB = 1_000_000
INTERVAL_S = 5.0
#: Where to, which way, and over what.
WAYS = list(product(("beyond", "gateway"), (True, False), (True, False)))
RUNS = [2, pytest.param(20, marks=[pytest.mark.proof, pytest.mark.timeout(900)])]


@pytest.fixture(scope="module")
def shop(site: Site) -> Shop:
    return Shop(site)


@pytest.fixture
def slow_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A vwg whose kernel cuts nobody off."""
    with Site(short_path(tmp_path_factory), VWG_CUTOFF="off") as site:
        yield Shop(site)


@pytest.mark.parametrize("runs", RUNS)
def test_at_full_speed_nothing_passes_beyond_what_was_sold(
    shop: Shop, figure: Figure, runs: int
) -> None:
    quota = 50 * MB
    found = []
    for number, (where, up, udp) in enumerate(islice(cycle(WAYS), runs)):
        buyer = shop.sell(f"fast {number}", quota)
        found.append(shop.cross(buyer, quota, where, up=up, udp=udp))
        figure(f"limits.fast.{'udp' if udp else 'tcp'}.{'up' if up else 'down'}.{where}", found[-1])
    tell(figure, "limits.fast", found)
    assert max(one.inner for one in found) <= 1500


@pytest.mark.proof
@pytest.mark.parametrize("runs", RUNS)
def test_who_does_not_stop_sending_is_held_before_it_is_billed_for_much(
    shop: Shop, figure: Figure, runs: int
) -> None:
    """Over UDP: WireGuard counts what the kernel drops. Fast from nothing, and for long before."""
    billed, mbit = [], []
    for number, quota in zip(range(runs), cycle((50 * MB, 300 * MB)), strict=False):
        buyer = shop.sell(f"deaf {number}", quota)
        time.sleep(random() * INTERVAL_S)
        mbit.append(shop.cross(buyer, quota, "beyond", up=True, udp=True).mbit)
        billed.append(shop.used(buyer) - quota)
        figure(f"limits.deaf.{quota // MB}_mb.billed_beyond", billed[-1])
    for rank, value in (("p50", median(billed)), ("max", max(billed))):
        figure(f"limits.deaf.billed_beyond.{rank}", round(value))
        figure(f"limits.deaf.billed_beyond.{rank}_s", value * 8 / MB / median(mbit))
    figure("limits.deaf.mbit", median(mbit))
    figure("limits.deaf.runs", runs)
    assert max(billed) <= 3 * median(mbit) / 8 * MB  # a sweep, and to carry it out


@pytest.mark.proof
@pytest.mark.parametrize("runs", RUNS)
def test_without_the_kernel_it_is_the_ledger_that_stops(
    slow_shop: Shop, figure: Figure, runs: int
) -> None:
    quota = 150 * MB
    found = []
    for number, (where, up, udp) in enumerate(islice(cycle(WAYS), runs)):
        buyer = slow_shop.sell(f"fast {number}", quota)
        found.append(slow_shop.cross(buyer, quota, where, up=up, udp=udp))
    tell(figure, "limits.fast_without_kernel", found)
    assert max(one.after_s for one in found) <= INTERVAL_S + 5


@pytest.mark.parametrize("runs", RUNS)
def test_the_last_byte_comes_at_most_an_interval_and_five_seconds_late(
    shop: Shop, figure: Figure, runs: int
) -> None:
    """F47: a client at 20 Mbit/s."""
    quota = 15 * MB
    found = [
        shop.cross(shop.sell(f"slow {n}", quota), quota, "beyond", up=False, udp=True, mbit=20)
        for n in range(runs)
    ]
    tell(figure, "limits.f47", found)
    assert max(one.after_s + one.off_after_s for one in found) <= INTERVAL_S + 5


@pytest.mark.proof
@pytest.mark.parametrize("runs", RUNS)
def test_without_the_kernel_too(slow_shop: Shop, figure: Figure, runs: int) -> None:
    """F47 where there is no nft."""
    quota = 15 * MB
    found = [
        slow_shop.cross(
            slow_shop.sell(f"slow {n}", quota), quota, "beyond", up=False, udp=True, mbit=20
        )
        for n in range(runs)
    ]
    tell(figure, "limits.f47_without_kernel", found)
    assert max(one.after_s for one in found) <= INTERVAL_S + 5
    assert max(one.inner for one in found) <= 20 / 8 * MB * (INTERVAL_S + 5)


def test_a_client_is_stopped_and_comes_back_and_nobody_notices(
    site: Site, shop: Shop, figure: Figure
) -> None:
    """Stopped at its limit under traffic; back within a second of the reset, in its session."""
    bystanders = [site.connect("Ava's console")]
    buyer = shop.sell("Kian", 20 * MB)
    control = control_run(site, bystanders, 3.0)
    handshakes = buyer.device.handshakes()
    back = []
    with Witness(site, bystanders) as witness:
        for word in ("reset-usage", "top-up"):
            body = {"bytes": 100 * MB} if word == "top-up" else {}
            fresh = word == "reset-usage"
            shop.cross(buyer, 20 * MB, "gateway", up=False, udp=True, mbit=40, fresh=fresh)
            assert buyer.device.ping(site.address(), count=3, wait=0.2) == 0
            begin = time.monotonic()
            site.act("POST", f"/api/v1/clients/{buyer.id}/{word}", body)
            buyer.device.wait_until_reaches(site.address(), within_s=5)
            back.append(time.monotonic() - begin)
            assert not shop.is_held(buyer)
    figure("limits.back_after_s", max(back))
    assert max(back) <= 1.0
    assert buyer.device.handshakes() == handshakes
    judge(site, "limits.stop_and_reset", witness, control, figure)
