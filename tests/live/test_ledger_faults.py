"""No byte is lost between a reading and a removal, nor by a worker that is killed, under traffic.

The observer on the wire sees every message that the gateway sent to a device. WireGuard counts
exactly those, so the ledger must say the same of the download, to the byte. Of the upload it may
say more than what was delivered: wireguard-go counts what a frozen peer sends in vain.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.faults.test_killed import is_gone
from tests.faults.world import World
from tests.live.conftest import Figure
from tests.live.lab import Client, Lab
from tests.live.site import Site
from tests.live.test_ledger import USAGE, Wire, data
from tests.stack.conftest import short_path

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone]


class FaultySite(Site):
    """A site whose gateway worker reaches WireGuard through the shim."""

    def __init__(self, state: Path, **settings: str) -> None:
        self.stack: World = World(state, settings=settings)
        self.lab = Lab("vzf", self.stack.netns)
        self._idle = []
        self._is_guest, self._old_jobs = False, set()

    def ledger(self, client_id: str) -> list[int]:
        self.observe()
        found: dict[str, list[int]] = json.loads(self.python(USAGE).splitlines()[-1])
        return found.get(client_id, [0, 0, 0, 0])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySite]:
    """Polled every 60 s by itself: what is found was not found by the next poll."""
    with FaultySite(short_path(tmp_path_factory), VWG_OBSERVE_SECONDS="60") as running:
        running.act("PATCH", "/api/v1/settings", {"persistent_keepalive": 0}, wait=0)
        yield running


@pytest.fixture
def wire(site: FaultySite, tmp_path: Path) -> Iterator[Wire]:
    observer = Wire(site, tmp_path / "wire")
    yield observer
    observer.close()


def sent_to(wire: Wire, device: Client) -> int:
    """Bytes that the gateway sent to a device, by the wire."""
    messages = wire.messages()
    return sum(m.length for m in messages if m.address == device.underlay_ip and not m.inward)


def heard_from(wire: Wire, device: Client) -> int:
    return sum(m.length for m in wire.messages() if m.address == device.underlay_ip and m.inward)


@contextmanager
def traffic(site: Site, devices: Sequence[Client], interval: str) -> Iterator[None]:
    """Pings of 1,228 bytes, answered as long as it can be."""
    address = site.address()
    words = ["ping", "-n", "-q", "-i", interval, "-s", "1200", address]
    pings = [
        subprocess.Popen(["ip", "netns", "exec", one.netns, *words], stdout=subprocess.DEVNULL)
        for one in devices
    ]
    time.sleep(0.5)
    try:
        yield
    finally:
        for ping in pings:
            ping.kill()
            ping.wait()
        time.sleep(0.3)


def joined(site: FaultySite, name: str) -> tuple[str, str, Client]:
    """A client's id, its key, and its device."""
    made = site.add_client(name, client_keepalive=0)
    device = site.lab.add_client(site.config_of(made))
    device.wait_until_reaches(site.address())
    return made["id"], made["devices"][0]["public_key"], device


def test_bytes_between_the_last_poll_and_a_removal(
    site: FaultySite, wire: Wire, figure: Figure
) -> None:
    client, key, device = joined(site, "leaves in the middle of it")
    with traffic(site, [device], "0.001"):
        time.sleep(1)
        polled = site.peers()[key]
        time.sleep(0.3)
        site.act("DELETE", f"/api/v1/clients/{client}")
        assert key not in site.peers()
    truth = sent_to(wire, device)
    raw_up, raw_down, *_ = site.ledger(client)
    figure("harvest.bytes", truth)
    figure("harvest.lost", truth - raw_down)
    figure("harvest.poll_then_remove_loses", truth - polled.tx)  # the naive build
    assert raw_down == truth
    assert raw_up >= raw_down - 92  # each reply had a request; a response is 92 and its cause 148
    assert truth - polled.tx > 100_000


def test_killed_between_the_last_reading_and_the_removal(
    site: FaultySite, wire: Wire, figure: Figure
) -> None:
    world = site.stack
    client, key, device = joined(site, "leaves, and the worker dies")
    with traffic(site, [device], "0.002"):
        world.shim.arm("set*remove", "kill_before", "all")
        site.act("DELETE", f"/api/v1/clients/{client}", wait=0)
        world.wait_until(lambda: is_gone(world.shim.caller()), "the worker was killed")
        time.sleep(1)
        assert key in site.peers()
        world.revive("gateway")
        world.wait_until(lambda: key not in site.peers(), "the peer is removed", seconds=60)
    raw_up, raw_down, billed_up, billed_down = site.ledger(client)
    truth = sent_to(wire, device)
    figure("killed_at_removal.lost", truth - raw_down)
    figure("killed_at_removal.in_vain", raw_up - raw_down)
    figure("killed_at_removal.in_vain_and_billed", billed_up - billed_down)
    assert raw_down == truth == billed_down
    assert raw_up <= heard_from(wire, device)
    # What came between freezing and reading, some milliseconds: 500 packets a second.
    assert billed_up - billed_down < 50 * data(1228)


def storm(site: FaultySite, wire: Wire, seconds: float, figure: Figure, name: str) -> None:
    """Kill the gateway's worker again and again, while everybody plays and a shop is at work."""
    chance, end = Random(7), time.monotonic() + seconds
    people = [joined(site, f"{name} {number}") for number in range(3)]
    stop, acts, kills = threading.Event(), [0], 0

    def shop() -> None:
        busy = Random(8)
        while not stop.is_set():
            client, _, _ = busy.choice(people[1:])
            for act in busy.choice([("suspend", "unsuspend"), ("terminate", "restore")]):
                assert site.call("POST", f"/api/v1/clients/{client}/{act}", {}).status < 300
                acts[0] += 1
                time.sleep(busy.uniform(0, 1.5))

    thread = threading.Thread(target=shop)
    with traffic(site, [device for _, _, device in people], "0.01"):
        thread.start()
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.2, 4))
            site.stack.kill("gateway")
            kills += 1
            site.stack.start("gateway")
            if chance.random() < 0.3:
                site.observe()  # a second collector, beside the worker
        stop.set()
        thread.join()
    site.stack.wait_until(
        lambda: all(job["status"] in ("succeeded", "failed") for job in site.jobs()),
        "every job is finished", seconds=90,
    )  # fmt: skip
    differences = []
    for client, _, device in people:
        raw_up, raw_down, billed_up, billed_down = site.ledger(client)
        differences.append(sent_to(wire, device) - raw_down)
        assert raw_up <= heard_from(wire, device)
        assert (billed_up <= raw_up, billed_down <= raw_down) == (True, True)
    figure(f"{name}.kills", kills)
    figure(f"{name}.acts", acts[0])
    figure(f"{name}.bytes", sum(sent_to(wire, device) for _, _, device in people))
    figure(f"{name}.lost", max(differences))
    figure(f"{name}.over", -min(differences))
    said = site.stack.manage("audit_ledger")
    assert "the ledger is right" in said, said
    assert set(differences) == {0}


@pytest.mark.proof
def test_a_worker_that_is_killed_again_and_again(
    site: FaultySite, wire: Wire, figure: Figure
) -> None:
    storm(site, wire, 20, figure, "killed_often")


@pytest.mark.proof
@pytest.mark.timeout(1500)
def test_a_worker_that_is_killed_for_ten_minutes(
    site: FaultySite, wire: Wire, figure: Figure
) -> None:
    storm(site, wire, 600, figure, "killed_for_10_min")
