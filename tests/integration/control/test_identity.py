"""Keys that change, devices that move and come back: what the interfaces have afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gateways.models import Job
from peers.models import Client, Peer
from peers.services.changes import Changed
from peers.services.due import close_due_holds
from peers.services.moving import move_client
from peers.services.removal import delete_client, restore_client
from peers.services.rotation import rotate_keys
from peers.services.switching import kick_client
from tests.integration.control.conftest import Gateway
from tests.make import make_interface

pytestmark = pytest.mark.django_db


def succeeded(changed: Changed) -> bool:
    job = Job.objects.get(pk=changed.job.pk)
    return (job.status, job.failed) == ("succeeded", 0)


def other(gateway: Gateway) -> Gateway:
    interface = make_interface(
        name="wg1",
        addresses=["10.9.0.1/24"],
        listen_port=51821,
        is_default=False,
        stamp="0b8f7f4e-0000-4000-8000-000000000002",
    )
    return Gateway(interface, gateway.caller)


def test_a_rotated_key_takes_the_old_ones_place(gateway: Gateway) -> None:
    made, bystander = gateway.add(), gateway.add("Ali")
    gateway.apply()
    old = made.peer.public_key
    gateway.driver.report(old, rx_bytes=10, tx_bytes=20, endpoint="192.0.2.7:1000")
    changed = rotate_keys(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    gateway.apply()
    new = Peer.objects.get(pk=made.peer.pk).public_key
    assert gateway.peers() == {
        new: ("10.252.0.2/32", "fd52:7677:6721::2/128"),
        bystander.peer.public_key: ("10.252.0.3/32", "fd52:7677:6721::3/128"),
    }
    assert succeeded(changed)
    found = gateway.observe()
    assert found is not None
    assert not found.drift


def test_twice_rotated_before_an_apply(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    for _ in range(2):
        rotate_keys(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    gateway.apply()
    assert set(gateway.peers()) == {Peer.objects.get(pk=made.peer.pk).public_key}


@pytest.mark.parametrize("applied_before", [True, False])
@pytest.mark.parametrize("old_first", [True, False])
def test_a_moved_device_leaves_one_interface_for_the_other(
    gateway: Gateway, applied_before: bool, old_first: bool
) -> None:
    there, made = other(gateway), gateway.add()
    if applied_before:
        gateway.apply()
        gateway.driver.report(made.peer.public_key, rx_bytes=10, tx_bytes=20)
    changed = move_client(
        caller=gateway.caller,
        client_id=made.client.uuid,
        interface=there.interface,
        at=timezone.now(),
    )
    for one in (gateway, there) if old_first else (there, gateway):
        one.apply()
    assert gateway.peers() == {}
    assert there.peers() == {made.peer.public_key: ("10.9.0.2/32",)}
    assert succeeded(changed)
    assert not Job.objects.filter(finished_at=None).exists()
    for one in (gateway, there):
        found = one.observe()
        assert found is not None
        assert not found.drift
    grave = Peer.objects.get(deleted_at__isnull=False)
    assert (grave.applied_key, grave.upload_bytes) == ("", 10 if applied_before else 0)
    moved = Peer.objects.get(pk=made.peer.pk)
    assert moved.verified_generation == moved.generation


def test_there_and_back_again(gateway: Gateway) -> None:
    there, made = other(gateway), gateway.add()
    gateway.apply()
    for interface in (there.interface, gateway.interface):
        move_client(
            caller=gateway.caller,
            client_id=made.client.uuid,
            interface=interface,
            at=timezone.now(),
        )
    gateway.apply()
    there.apply()
    assert set(gateway.peers()) == {made.peer.public_key}
    assert there.peers() == {}


@pytest.mark.parametrize("gone", [True, False])
def test_a_restored_client_is_on_the_interface(gateway: Gateway, gone: bool) -> None:
    made = gateway.add()
    gateway.apply()
    delete_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    if gone:
        gateway.apply()
        assert gateway.peers() == {}
    changed = restore_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    gateway.apply()
    assert gateway.peers() == {made.peer.public_key: ("10.252.0.2/32", "fd52:7677:6721::2/128")}
    assert succeeded(changed)


def test_a_kicked_client_is_off_for_a_moment(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    at = timezone.now() - timedelta(seconds=10)
    kick_client(caller=gateway.caller, client_id=made.client.uuid, at=at, seconds=5)
    gateway.apply()
    assert gateway.peers() == {made.peer.public_key: ()}
    close_due_holds(at=at + timedelta(seconds=5))
    gateway.apply()
    assert gateway.peers()[made.peer.public_key]
    assert Client.objects.get().version == 3
