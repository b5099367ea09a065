"""Real packets that wake machines: on loopback, and out of a gateway's namespace."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.utils import timezone

from audit.events import SYSTEM
from audit.models import AuditEvent
from control.waking import wake_one
from gateways.models import Interface, Job, WakeHost
from gateways.services.wake import wake_host
from tests.live.lab import sh
from tests.make import make_wake_host
from wireguard.wake import wake

pytestmark = [pytest.mark.wg, pytest.mark.django_db]
MAC = "02:00:00:00:00:01"
PACKET = b"\xff" * 6 + bytes.fromhex("020000000001") * 16


@pytest.fixture
def host(interface: Interface) -> WakeHost:
    return make_wake_host(interface.gateway, broadcast="127.255.255.255", link="lo")


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Hears what is sent on loopback, at a port of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("", 0))
        heard.settimeout(3)
        monkeypatch.setattr("wireguard.wake.PORT", heard.getsockname()[1])
        yield heard


@pytest.fixture
def place() -> Iterator[tuple[str, str]]:
    """A namespace with a card, eth0, and what hears what leaves by it."""
    here, there = f"vwgw{secrets.token_hex(3)}", f"vwgw{secrets.token_hex(3)}"
    try:
        for one in (here, there):
            sh("ip", "netns", "add", one)
        sh("ip", "-n", here, "link", "add", "eth0", "type", "veth", "peer", "eth0", "netns", there)
        for one, address in ((here, "10.66.0.1/24"), (there, "10.66.0.2/24")):
            sh("ip", "-n", one, "address", "add", address, "brd", "+", "dev", "eth0")
            sh("ip", "-n", one, "link", "set", "eth0", "up")
        yield here, there
    finally:
        for one in (here, there):
            subprocess.run(["ip", "netns", "delete", one], check=False)


_HEAR = (
    "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 9));"
    " s.settimeout(8); print('ready', flush=True); print(s.recv(2000).hex(), flush=True)"
)


@pytest.mark.parametrize("broadcast", ["10.66.0.255", "255.255.255.255"])
def test_it_leaves_from_the_gateways_namespace(place: tuple[str, str], broadcast: str) -> None:
    here, there = place
    hearing = ["ip", "netns", "exec", there, sys.executable, "-c", _HEAR]
    with subprocess.Popen(hearing, stdout=subprocess.PIPE, text=True) as ear:
        assert ear.stdout is not None
        assert ear.stdout.readline() == "ready\n"
        wake(MAC, broadcast=broadcast, link="eth0", netns=here)
        assert bytes.fromhex(ear.stdout.readline()) == PACKET


def test_the_worker_sends_it_once_and_the_job_says_so(host: WakeHost, ear: socket.socket) -> None:
    job = wake_host(actor=SYSTEM, host_id=host.uuid)
    assert wake_one(host_id=host.pk, at=timezone.now())
    assert not wake_one(host_id=host.pk, at=timezone.now())
    assert ear.recv(2000) == PACKET
    ear.settimeout(0.05)
    with pytest.raises(TimeoutError):
        ear.recv(2000)
    job.refresh_from_db()
    assert (job.status, job.done, job.failed) == (Job.Status.SUCCEEDED, 1, 0)
    assert job.message == f"The packet for {MAC} went out by lo to 127.255.255.255"
    (event,) = AuditEvent.objects.filter(action="wake_host.woken")
    assert event.target_name == "nas"


def test_a_link_that_is_not_there_fails_with_the_kernels_words(host: WakeHost) -> None:
    WakeHost.objects.update(link="nowhere9")
    job = wake_host(actor=SYSTEM, host_id=host.uuid)
    assert not wake_one(host_id=host.pk, at=timezone.now())
    job.refresh_from_db()
    assert (job.status, job.failed) == (Job.Status.FAILED, 1)
    assert "No such device" in job.message
