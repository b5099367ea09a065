"""Who was connected when, from where, and how much passed: told by handshakes and silences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control import sessions
from control.observe import keep_books, read
from control.presence import Shown
from gateways.drivers import station
from gateways.models import Interface
from peers.models import Peer
from peers.services.clients import Created, delete_client
from peers.services.switching import disable_client, enable_client
from quotas.models import Meter, Session
from tests.integration.control.conftest import Gateway

pytestmark = pytest.mark.django_db

SILENCE_S = 195


class Clock:
    """One clock for the database and for the gateway's host, which a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 12, tzinfo=UTC)

    @property
    def second(self) -> int:
        return int(self.now.timestamp())

    def go(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("control.reading.database_now", lambda: clock.now)
    monkeypatch.setattr(sessions, "_host_now", lambda: clock.now.timestamp())
    return clock


@pytest.fixture
def made(gateway: Gateway, clock: Clock) -> Created:
    """A device that is live, and never made a handshake."""
    made = gateway.add()
    gateway.apply()
    gateway.observe()
    return made


class Device:
    """What a device does, and what an observation then makes of it."""

    def __init__(self, gateway: Gateway, clock: Clock, made: Created) -> None:
        self.gateway, self.clock, self.made = gateway, clock, made
        self.rx = self.tx = 0

    def shake(self, *, rx: int = 0, tx: int = 0, endpoint: str = "203.0.113.9:4000") -> datetime:
        """A handshake now, and these bytes after it; read a moment later."""
        at = self.clock.now
        self.rx, self.tx = self.rx + rx, self.tx + tx
        self.gateway.driver.report(
            self.made.peer.public_key,
            rx_bytes=self.rx,
            tx_bytes=self.tx,
            latest_handshake=self.clock.second,
            endpoint=endpoint,
        )
        self.look(1)
        return at

    def pass_bytes(self, rx: int, tx: int) -> None:
        self.rx, self.tx = self.rx + rx, self.tx + tx
        key = self.made.peer.public_key
        self.gateway.driver.report(key, rx_bytes=self.rx, tx_bytes=self.tx)

    def look(self, after: float = 5) -> None:
        """An observation so many seconds later."""
        self.clock.go(after)
        self.gateway.observe()

    def be_silent(self, seconds: float) -> None:
        """Nothing happens for so long, and is seen every five seconds."""
        for _ in range(int(seconds / 5)):
            self.look()


@pytest.fixture
def device(gateway: Gateway, clock: Clock, made: Created) -> Device:
    return Device(gateway, clock, made)


def only() -> Session:
    return Session.objects.get()


def told() -> list[tuple[Any, ...]]:
    rows = Session.objects.order_by("began_at")
    return list(rows.values_list("began_at", "ended_at", "up", "down"))


def test_the_first_handshake_connects(device: Device) -> None:
    assert not Session.objects.exists()
    at = device.shake(rx=148, tx=92)
    session = only()
    assert (session.began_at, session.ended_at) == (at, None)
    assert session.endpoint == "203.0.113.9:4000"
    assert session.tenant_id == device.made.client.tenant_id
    assert (session.base_up, session.base_down) == (0, 0)


def test_handshakes_every_two_minutes_are_one_session(device: Device) -> None:
    at = device.shake()
    for _ in range(5):
        device.be_silent(115)
        device.shake(rx=100)
    assert told() == [(at, None, 0, 0)]


def test_a_silence_disconnects_once_with_its_bytes(device: Device) -> None:
    began = device.shake(rx=148, tx=92)
    device.pass_bytes(1000, 5000)
    device.look()
    last_byte = device.clock.now
    device.be_silent(SILENCE_S - 15)
    assert only().ended_at is None
    device.be_silent(15)
    assert told() == [(began, last_byte, 1148, 5092)]
    device.be_silent(600)
    assert told() == [(began, last_byte, 1148, 5092)]


def test_the_end_is_the_last_sign_of_life_while_the_key_was_good(device: Device) -> None:
    """Failed handshakes of a phone that lost its net are bytes, and no life."""
    began = device.shake(rx=148, tx=92)
    for _ in range(50):
        device.pass_bytes(148, 0)
        device.look()
    assert only().ended_at == began + timedelta(seconds=180)


def test_what_comes_after_a_silence_is_another_session(device: Device) -> None:
    device.shake(rx=10, tx=20)
    device.be_silent(300)
    at = device.shake(rx=7, tx=8, endpoint="198.51.100.1:9")
    second = Session.objects.order_by("began_at")[1]
    assert (second.began_at, second.endpoint, second.ended_at) == (at, "198.51.100.1:9", None)
    device.be_silent(300)
    assert [(up, down) for _, _, up, down in told()] == [(10, 20), (7, 8)]
    meter = Meter.objects.get()
    assert (meter.raw_up, meter.raw_down) == (17, 28)


def test_a_blocked_device_is_in_no_session(device: Device, gateway: Gateway, clock: Clock) -> None:
    """Its handshakes go on: wireguard-go answers them, and drops what it sends."""
    began = device.shake(rx=500)
    device.pass_bytes(20, 0)
    blocked_at = clock.go(2)
    disable_client(caller=gateway.caller, client_id=device.made.client.uuid, at=clock.now)
    gateway.apply()
    device.look(1)
    assert told() == [(began, blocked_at, 520, 0)]
    device.shake(rx=9000)
    device.be_silent(60)
    device.shake(rx=9000)
    assert Session.objects.count() == 1
    enable_client(caller=gateway.caller, client_id=device.made.client.uuid, at=clock.now)
    gateway.apply()
    device.be_silent(60)
    at = device.shake(rx=3)
    second = Session.objects.order_by("began_at")[1]
    assert (second.began_at, second.base_up) == (at, 18520)
    device.be_silent(300)
    assert [up for _, _, up, _ in told()] == [520, 3]


def test_a_restart_of_the_interface_ends_nothing(device: Device, gateway: Gateway) -> None:
    """Counters and handshakes begin at 0; the device is back within moments."""
    began = device.shake(rx=100)
    device.be_silent(60)
    device.rx = 0
    gateway.driver.report(device.made.peer.public_key, rx_bytes=0, tx_bytes=0, latest_handshake=0)
    device.look()
    device.shake(rx=7)
    device.be_silent(100)
    assert told() == [(began, None, 0, 0)]


def test_a_time_that_nobody_looked_is_no_silence(device: Device, clock: Clock) -> None:
    """A gateway that was cut off for an hour, whose device talked on."""
    began = device.shake(rx=100)
    device.be_silent(20)
    clock.go(3600)
    device.shake(rx=100)
    assert told() == [(began, None, 0, 0)]


def test_who_went_silent_while_nobody_looked_ends_then(device: Device, clock: Clock) -> None:
    began = device.shake(rx=100)
    device.be_silent(20)
    device.look(3600)
    assert told() == [(began, began + timedelta(seconds=1), 100, 0)]


def test_a_handshake_long_ago_begins_nothing(device: Device, gateway: Gateway) -> None:
    """An interface that is adopted, or seen again after long, shows old ones."""
    old = device.clock.second - SILENCE_S - 1
    gateway.driver.report(device.made.peer.public_key, latest_handshake=old)
    device.look()
    assert not Session.objects.exists()


def test_an_old_dump_changes_nothing(device: Device, gateway: Gateway) -> None:
    post = station(gateway.interface)
    interface = Interface.objects.select_related("gateway").get()
    old = read(interface, post)
    began = device.shake(rx=100)
    device.be_silent(200)
    device.shake(rx=100)
    before = told()
    keep_books(Interface.objects.select_related("gateway").get(), post, old)
    keep_books(interface, post, old)
    assert told() == before
    assert before[0][0] == began


def test_the_same_look_twice_is_once(device: Device, gateway: Gateway) -> None:
    """A worker that died before its books were kept: the handshake is new once more."""
    at = device.shake(rx=100)
    Peer.objects.update(last_handshake_at=None)
    device.look()
    assert told() == [(at, None, 0, 0)]


def test_a_deleted_device_is_not_connected(device: Device, gateway: Gateway, clock: Clock) -> None:
    device.shake(rx=100)
    device.look()
    delete_client(caller=gateway.caller, client_id=device.made.client.uuid, at=clock.now)
    gateway.apply()
    gateway.observe()
    sessions.end_forgotten()
    assert only().ended_at is not None
    assert only().up == 100


def test_forgotten_sessions_end_and_living_ones_stay(device: Device, gateway: Gateway) -> None:
    device.shake()
    other = Device(gateway, device.clock, gateway.add("Omid"))
    gateway.apply()
    other.shake()
    assert sessions.end_forgotten() == 0
    Peer.objects.filter(pk=other.made.peer.pk).update(
        last_handshake_at=device.clock.now - timedelta(hours=1)
    )
    assert sessions.end_forgotten() == 1
    assert only_open() == [device.made.peer.pk]
    assert sessions.end_forgotten() == 0


def only_open() -> list[int]:
    return list(Session.objects.filter(ended_at=None).values_list("peer_id", flat=True))


def test_a_gateway_that_is_cut_off_keeps_its_sessions(device: Device, clock: Clock) -> None:
    device.shake()
    clock.go(3600)
    assert sessions.end_forgotten() == 0


def test_rest_costs_no_query(
    device: Device, gateway: Gateway, clock: Clock, django_assert_num_queries: Any
) -> None:
    device.shake()
    device.look()
    interface = Interface.objects.get()
    shown = Shown(device.made.peer.pk, device.made.peer.public_key, True, "", clock.second, 0)
    with django_assert_num_queries(0):
        running = gateway.driver.read().peers
        assert sessions.follow(interface, running, [shown], at=clock.now) == (0, 0)
