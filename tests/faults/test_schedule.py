"""The schedule and its gateways through faults: a gateway cut off, no beat, and two of all.

F28, F19 and F18: tunnels stay, every byte is counted once, who must go goes, and somebody sees it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.books import Books
from tests.faults.far import FarStack
from tests.live.conftest import Figure
from tests.live.lab import Client
from tests.live.site import Site
from tests.stack.conftest import CLUSTER_URL, short_path
from tests.stack.databases import own_cluster

pytestmark = [pytest.mark.stack, pytest.mark.wg]

#: A reconcile interval and the time to apply (reliability: the common bar).
BACK_WITHIN_S = 15.0
SEEN_WITHIN_S = 90.0
OBSERVE_S = 5.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A portal, a gateway on a host of its own, and customers around it."""
    state, cluster = short_path(tmp_path_factory), CLUSTER_URL or own_cluster()
    stack = FarStack(state, cluster_url=cluster, settings={"VWG_CANARY_SECONDS": "2"})
    with Site(state, stack=stack) as running:
        yield running


@pytest.fixture
def stack(site: Site) -> FarStack:
    assert isinstance(site.stack, FarStack)
    return site.stack


@pytest.fixture(scope="module")
def customer(site: Site) -> Client:
    return site.connect("bystander")


def counted(site: Site, key: str) -> tuple[int, int]:
    """Bytes that the ledger has of a device: buckets, and segments that stand in none."""
    books = Books(url=site.stack.env["DATABASE_URL"])
    sql = (
        "SELECT coalesce(sum(up), 0)::bigint, coalesce(sum(down), 0)::bigint FROM ("
        " SELECT meter_id, to_rx - from_rx AS up, to_tx - from_tx AS down"
        " FROM quotas_ledgersegment WHERE NOT rolled_up UNION ALL"
        " SELECT meter_id, raw_up, raw_down FROM quotas_usagebucket) AS parts"
        " JOIN quotas_meter m ON m.id = meter_id JOIN peers_peer p ON p.id = m.peer_id"
        " WHERE p.public_key = ?"
    )
    ((up, down),) = books.rows(sql, key)
    return int(up), int(down)


def truth(site: Site, key: str) -> tuple[int, int]:
    """The interface's own counters, which never began anew here."""
    shown = site.peers()[key]
    return shown.rx, shown.tx


def wait_until_counted(site: Site, key: str, *, seconds: float = BACK_WITHIN_S) -> float:
    """Until the ledger is the truth, to the byte; it may never say more."""

    def equal() -> bool:
        ledger, real = counted(site, key), truth(site, key)
        assert all(one <= other for one, other in zip(ledger, real, strict=True)), "over"
        return ledger == real

    return site.stack.wait_until(equal, "every byte is in the ledger", seconds=seconds)


def late(site: Site) -> set[str]:
    """What the schedule's list says is late."""
    rows = site.call("GET", "/api/v1/scheduled-jobs?late=true").body["results"]
    return {row["name"] for row in rows}


def runs(site: Site) -> dict[str, int]:
    rows = site.call("GET", "/api/v1/scheduled-jobs?limit=100").body["results"]
    return {row["name"]: row["runs"] for row in rows}


def wait_until_quiet(site: Site) -> None:
    site.stack.wait_until(lambda: not late(site), "nothing is late", seconds=30)


def wait_until_off(
    site: Site,
    key: str,
    *,
    seconds: float = BACK_WITHIN_S,
    meanwhile: Callable[[], None] = lambda: None,
) -> float:
    """Until a device has no addresses on the interface."""

    def is_off() -> bool:
        meanwhile()
        return site.peers()[key].allowed_ips == "(none)"

    return site.stack.wait_until(is_off, "the device is off", seconds=seconds)


# -- F28: a gateway is cut off ------------------------------------------------------------------


def be_cut_off(
    site: Site, stack: FarStack, customer: Client, figure: Figure, *, fate: str, seconds: float
) -> None:
    """Cut the gateway off under traffic, revoke somebody meanwhile, and let it come back."""
    revoked: Any = site.add_client(f"revoked {fate}")
    (device,) = site.call("GET", f"/api/v1/clients/{revoked['id']}/peers").body["results"]
    key = device["public_key"]
    wait_until_quiet(site)
    ping = customer.start_ping(site.address(), interval=0.02)
    began = time.monotonic()
    with stack.cut_off(fate):
        off = f"/api/v1/clients/{revoked['id']}/disable"
        assert site.call("POST", off, {}).status in (200, 202)
        name = f"observe:local/{site.interface}"
        seen = stack.wait_until(lambda: name in late(site), "the alarm", seconds=SEEN_WITHIN_S)
        figure(f"gateway_{fate}_alarm_s", seen)
        if seconds >= SEEN_WITHIN_S:
            stack.wait_until(lambda: unreachable(site), "unreachable since", seconds=SEEN_WITHIN_S)
            figure(f"gateway_{fate}_unreachable_seen_s", time.monotonic() - began)
            assert time.monotonic() - began <= SEEN_WITHIN_S
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        before = counted(site, customer.public_key)
        assert site.peers()[key].allowed_ips != "(none)"
    back = wait_until_off(site, key, meanwhile=lambda: stack.keep_up("gateway"))
    figure(f"gateway_{fate}_revoked_s", back)
    figure(f"gateway_{fate}_worker_restarts", stack.restarts)
    sent = ping.stop()
    assert sent.sent - sent.received <= 1, "the tunnel did not keep"
    figure(f"gateway_{fate}_counted_s", wait_until_counted(site, customer.public_key))
    assert counted(site, customer.public_key) > before
    wait_until_quiet(site)
    assert not unreachable(site)


def unreachable(site: Site) -> bool:
    (gateway,) = site.call("GET", "/api/v1/gateways").body["results"]
    return gateway["unreachable_since"] is not None


@pytest.mark.parametrize("fate", ["dropped", "refused"])
def test_a_gateway_that_was_cut_off_catches_up(
    site: Site, stack: FarStack, customer: Client, figure: Figure, fate: str
) -> None:
    be_cut_off(site, stack, customer, figure, fate=fate, seconds=25)


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fate", ["dropped", "refused"])
def test_a_gateway_that_was_cut_off_for_long_catches_up(
    site: Site, stack: FarStack, customer: Client, figure: Figure, fate: str
) -> None:
    be_cut_off(site, stack, customer, figure, fate=fate, seconds=600)


# -- F19: no beat -------------------------------------------------------------------------------


def go_without_beat(site: Site, customer: Client, figure: Figure, *, seconds: float) -> None:
    """Kill beat under traffic, let somebody cross a quota meanwhile, and start it again."""
    stack = site.stack
    quota = 50_000
    over = site.connect(f"over {time.monotonic()}", quota_bytes=quota)
    wait_until_quiet(site)
    began = time.monotonic()
    stack.kill("beat")
    ping = customer.start_ping(site.address(), interval=0.02)
    for name, interval in (("sweep", 1.0), ("observe", OBSERVE_S)):
        stack.wait_until(
            lambda name=name: name in late(site),  # type: ignore[misc]
            f"{name} is late",
            seconds=3 * interval + 5,
        )
        figure(f"no_beat_{name}_alarm_s", time.monotonic() - began)
    crowd = over.start_ping(site.address(), interval=0.005)
    time.sleep(max(4.0, seconds - (time.monotonic() - began)))
    crowd.stop()
    used = sum(truth(site, over.public_key))
    stack.start("beat")
    # One cycle, after a process has started on a busy machine and an apply is through.
    figure("no_beat_enforced_s", wait_until_off(site, over.public_key, seconds=OBSERVE_S + 10))
    figure("no_beat_overshoot_bytes", max(0, used - quota))
    sent = ping.stop()
    assert sent.sent - sent.received <= 1
    for key in (customer.public_key, over.public_key):
        wait_until_counted(site, key)
    wait_until_quiet(site)


def test_without_beat_an_alarm_and_nothing_lost(
    site: Site, customer: Client, figure: Figure
) -> None:
    go_without_beat(site, customer, figure, seconds=20)


@pytest.mark.proof
@pytest.mark.timeout(2400)
def test_without_beat_for_half_an_hour(site: Site, customer: Client, figure: Figure) -> None:
    go_without_beat(site, customer, figure, seconds=1800)


# -- F18: two of all ----------------------------------------------------------------------------


def run_twice(site: Site, customer: Client, figure: Figure, *, seconds: float) -> None:
    """A second beat, and second workers of both queues, as mistaken units would start them."""
    stack = site.stack
    for name in ("beat", "control", "gateway"):
        stack.commands[f"second {name}"] = [
            word.replace(f"{name}.local@", "second.local@").replace("control@", "second@")
            for word in stack.commands[name]
        ]
    names = ("beat", "control", "gateway")
    try:
        for name in names:
            stack.start(f"second {name}")
        before, began = runs(site), time.monotonic()
        ping = customer.start_ping(site.address(), interval=0.01)
        while time.monotonic() - began < seconds:
            ledger, real = counted(site, customer.public_key), truth(site, customer.public_key)
            assert all(one <= other for one, other in zip(ledger, real, strict=True)), "over"
            time.sleep(0.5)
        ping.stop()
        took, after = time.monotonic() - began, runs(site)
        for name, interval in (("sweep", 1.0), ("observe", OBSERVE_S)):
            figure(f"two_beats_{name}_per_interval", (after[name] - before[name]) * interval / took)
        assert after["observe"] - before["observe"] > took / OBSERVE_S
    finally:
        for name in names:
            stack.stop(f"second {name}")
    wait_until_counted(site, customer.public_key)


def test_two_of_all_count_every_byte_once(site: Site, customer: Client, figure: Figure) -> None:
    run_twice(site, customer, figure, seconds=20)


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_two_of_all_for_ten_minutes(site: Site, customer: Client, figure: Figure) -> None:
    run_twice(site, customer, figure, seconds=600)
