"""Faults F21 and F22 on real counters: somebody kills the interface, and the ledger goes on.

The observer on the wire sees every message that the gateway sent; the ledger's download is held
against it. Of what passed since the last reading nobody can know more than that it is missing: it
is told by a flag on the ledger's row.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotas.metering import Flag
from tests.live.conftest import Figure
from tests.live.lab import Client
from tests.live.site import Site
from tests.live.test_ledger import USAGE, Wire
from tests.live.test_ledger_faults import sent_to, traffic
from tests.stack.conftest import short_path

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone, pytest.mark.proof]

#: Of reliability.md: all peers are back, counted from when the link is there again.
BACK_WITHIN_S = 5.0
#: With the observation that finds it gone (5 s) and the common bar's rest.
CONVERGED_WITHIN_S = 15.0
MANY = """
from django.utils import timezone
from audit.events import SYSTEM
from peers.services.clients import create_client
from tenants.models import Tenant
from tenants.scoping import Caller

caller = Caller(Tenant.objects.get(slug='default'), 'full', frozenset({'*'}), SYSTEM)
for number in range(1000):
    create_client(caller=caller, name=f'c{number}', at=timezone.now())
"""
OBSERVE = """
from control.observe import observe_interface
observe_interface(interface_id=interface.pk)
"""
COUNTED = """
import json
from quotas.models import LedgerSegment, Meter
meter = Meter.objects.get(client__uuid='%s')
flags = LedgerSegment.objects.filter(meter=meter).values_list('flags', flat=True)
print(json.dumps([meter.raw_down, list(flags)]))
"""


@pytest.fixture
def quiet_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Nobody polls it by himself."""
    with Site(short_path(tmp_path_factory), VWG_OBSERVE_SECONDS="600") as running:
        running.act("PATCH", "/api/v1/settings", {"persistent_keepalive": 0}, wait=0)
        yield running


def join(site: Site, name: str) -> tuple[str, Client]:
    made = site.add_client(name, client_keepalive=0)
    device = site.lab.add_client(site.config_of(made))
    device.wait_until_reaches(site.address())
    return made["id"], device


def kill_daemon(site: Site) -> None:
    """kill -9 of the interface's wireguard-go, found by its exact command line."""
    wanted = ["wireguard-go", site.interface]
    pids = [
        pid
        for pid in site.lab.daemon_pids()
        if Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1] == wanted
    ]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    site.stack.wait_until(lambda: not site.link_exists(), "the link is gone", seconds=5)


def counted(site: Site, client: str) -> tuple[int, set[Flag]]:
    """What the ledger has of a client's download, and the flags of its rows."""
    down, flags = json.loads(site.python(COUNTED % client).splitlines()[-1])
    return down, {Flag(one) for one in flags}


def test_an_interface_with_a_thousand_peers_is_killed(
    own_site: Site, tmp_path: Path, figure: Figure
) -> None:
    """F21."""
    site = own_site
    client, device = join(site, "talks all the time")
    site.python(MANY)
    site.stack.wait_until(lambda: len(site.peers()) == 1001, "all are live", seconds=120)
    site.observe()
    wire, address = Wire(site, tmp_path / "wire"), site.address()
    first = site.peers()[device.public_key].tx
    try:
        with traffic(site, [device], "0.005"):
            time.sleep(7)
            before, _ = counted(site, client)
            kill_daemon(site)
            began = time.monotonic()
            unread = first + sent_to(wire, device) - before
            site.stack.wait_until(site.link_exists, "it is there again", seconds=30)
            there = time.monotonic()
            site.stack.wait_until(
                lambda: sum("/" in one.allowed_ips for one in site.peers().values()) == 1001,
                "all are back", seconds=30,
            )  # fmt: skip
            back = time.monotonic()
            device.wait_until_reaches(address, within_s=20)
            time.sleep(1)
        site.observe()
        ledger, flags = counted(site, client)
        truth = first + sent_to(wire, device)
    finally:
        wire.close()
    figure("crash.peers", 1001)
    figure("crash.back_after_the_kill_s", back - began)
    figure("crash.back_after_the_link_s", back - there)
    figure("crash.unread_at_the_kill", unread)
    figure("crash.lost", truth - ledger)
    assert 0 <= truth - ledger <= unread
    assert Flag.RESTARTED | Flag.GAP in flags
    assert back - there <= BACK_WITHIN_S
    assert back - began <= CONVERGED_WITHIN_S
    assert "the ledger is right" in site.stack.manage("audit_ledger")


def test_counters_that_overtake_their_last_reading_after_a_restart(
    quiet_site: Site, tmp_path: Path, figure: Figure
) -> None:
    """F22: read at 1 MB; killed; 3 MB; read. What is counted then are these 3 MB."""
    site = quiet_site
    client, device = join(site, "Sara")
    with traffic(site, [device], "0.001"):
        site.stack.wait_until(
            lambda: site.peers()[device.public_key].tx > 1_000_000, "1 MB", seconds=30
        )
    site.python(USAGE)
    before, _ = counted(site, client)
    assert before == site.peers()[device.public_key].tx
    address = site.address()
    kill_daemon(site)
    wire = Wire(site, tmp_path / "wire")
    try:
        site.python(OBSERVE)
        site.stack.wait_until(
            lambda: site.link_exists() and device.public_key in site.peers(), "it is back"
        )
        device.wait_until_reaches(address, within_s=20)
        with traffic(site, [device], "0.001"):
            site.stack.wait_until(
                lambda: site.peers()[device.public_key].tx > 3_000_000, "3 MB", seconds=60
            )
        site.python(USAGE)
        truth = sent_to(wire, device)
    finally:
        wire.close()
    ledger, flags = counted(site, client)
    figure("overtake.read_before", before)
    figure("overtake.passed_after", truth)
    figure("overtake.counted_after", ledger - before)
    assert ledger - before == truth
    assert truth > 3_000_000 > before
    assert Flag.RESTARTED | Flag.GAP in flags
    assert "the ledger is right" in site.stack.manage("audit_ledger")
