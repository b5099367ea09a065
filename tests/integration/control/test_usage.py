"""What a device has used goes on when the interface's counters begin at 0 again."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from control.observe import keep_books, read
from gateways.drivers import station
from gateways.models import Interface
from peers.models import Peer
from peers.services.clients import disable_client, enable_client
from peers.services.moving import move_client
from peers.services.rotation import rotate_keys
from tests.integration.control.conftest import Gateway
from tests.make import make_interface
from wireguard.plan import Plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(gateway: Gateway) -> Any:
    """A device whose interface counted 1000 and 2000."""
    made = gateway.add()
    gateway.apply()
    count(gateway, made, 1000, 2000)
    return made


def row(made: Any) -> Peer:
    return Peer.objects.get(pk=made.peer.pk)


def used(made: Any) -> tuple[int, int]:
    return row(made).upload_bytes, row(made).download_bytes


def count(gateway: Gateway, made: Any, rx: int, tx: int) -> None:
    gateway.driver.report(row(made).public_key, rx_bytes=rx, tx_bytes=tx)
    gateway.observe()


def told(gateway: Gateway, made: Any) -> dict[str, Any]:
    return {
        "caller": gateway.caller,
        "client_id": row(made).client.uuid,
        "at": timezone.now(),
    }


def test_another_key_takes_over(gateway: Gateway, made: Any) -> None:
    rotate_keys(**told(gateway, made))
    assert used(made) == (1000, 2000)
    gateway.observe()  # the old key is still there, and counts
    assert used(made) == (1000, 2000)
    gateway.apply()
    gateway.observe()
    assert used(made) == (1000, 2000)
    count(gateway, made, 5000, 6000)  # more than the old key had
    assert used(made) == (6000, 8000)
    gateway.observe()
    assert used(made) == (6000, 8000)


def test_a_dump_from_before_the_apply_is_not_the_new_keys(gateway: Gateway, made: Any) -> None:
    post = station(gateway.interface)
    with post.lock(timeout_s=2):
        before = read(Interface.objects.get(pk=gateway.interface.pk), post)
    rotate_keys(**told(gateway, made))
    gateway.apply()
    keep_books(Interface.objects.get(pk=gateway.interface.pk), post, before)
    assert used(made) == (1000, 2000)


def test_counters_that_restarted_go_on(gateway: Gateway, made: Any) -> None:
    count(gateway, made, 10, 2500)  # the one that is higher began at 0 too
    assert used(made) == (1010, 4500)
    count(gateway, made, 20, 2600)
    assert used(made) == (1020, 4600)


def test_a_peer_that_somebody_removed_comes_back_and_goes_on(gateway: Gateway, made: Any) -> None:
    gateway.driver.apply(Plan(removals=[row(made).public_key]))
    gateway.observe()
    assert used(made) == (1000, 2000)
    gateway.apply()
    count(gateway, made, 5000, 6000)
    assert used(made) == (6000, 8000)


def test_a_pause_keeps_it(gateway: Gateway, made: Any) -> None:
    disable_client(**told(gateway, made))
    gateway.apply()
    gateway.observe()
    enable_client(**told(gateway, made))
    gateway.apply()
    gateway.observe()
    assert used(made) == (1000, 2000)
    count(gateway, made, 10, 10)
    assert used(made) == (1010, 2010)


def test_it_moves_along(gateway: Gateway, made: Any) -> None:
    elsewhere = make_interface(
        name="wg7",
        gateway=gateway.interface.gateway,
        addresses=["10.9.0.1/24"],
        listen_port=51999,
        is_default=False,
    )
    move_client(interface=elsewhere, **told(gateway, made))
    assert used(made) == (1000, 2000)
    gateway.apply()
    assert used(made) == (1000, 2000)
    meter = row(made).meter
    assert (meter.run, meter.rx, meter.interface) == (None, 0, elsewhere)
