"""An observation keeps presence and verified state, finds drift, and has it healed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from control import bootfile
from control.observe import keep_books, read
from gateways.drivers import station
from gateways.models import Interface, Job, JobItem
from gateways.outbox import Wish, enqueue
from peers.models import Client, Peer, PeerAddress
from peers.services.clients import delete_client
from tests.integration.control.conftest import Gateway
from tests.make import make_public_key
from wireguard.plan import PeerChange, Plan

pytestmark = pytest.mark.django_db


def outsider(gateway: Gateway, **change: Any) -> None:
    """Somebody types `wg set` on the gateway."""
    gateway.driver.apply(Plan(changes=[PeerChange(**change)]))


def row(made: Any) -> Peer:
    return Peer.objects.get(pk=made.peer.pk)


def move(gateway: Gateway, bytes_so_far: int) -> None:
    for key in gateway.peers():
        gateway.driver.report(key, rx_bytes=bytes_so_far)


def settle(gateway: Gateway) -> None:
    gateway.observe()
    gateway.apply()
    gateway.observe()


def test_an_applied_peer_is_verified_by_the_next_dump(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    assert row(made).verified_generation == 0
    gateway.observe()
    assert row(made).verified_generation == row(made).generation
    interface = Interface.objects.get(pk=gateway.interface.pk)
    assert (interface.state, interface.observed_peers, interface.drift) == ("up", 1, {})


def test_presence_is_what_the_dump_says(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    gateway.driver.report(
        made.peer.public_key,
        rx_bytes=11,
        tx_bytes=22,
        latest_handshake=1_790_000_000,
        endpoint="[2001:db8::7]:5000",
    )
    gateway.observe()
    peer = row(made)
    assert (peer.upload_bytes, peer.download_bytes) == (11, 22)
    assert (peer.observed_endpoint, peer.observed_present) == (
        "[2001:db8::7]:5000",
        True,
    )
    assert peer.last_handshake_at == datetime.fromtimestamp(1_790_000_000, UTC)


def test_rows_that_did_not_change_are_not_written(
    gateway: Gateway, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        gateway.add(f"client {number}")
    gateway.apply()
    gateway.observe()
    with django_assert_max_num_queries(13) as captured:
        gateway.observe()
    assert not any("UPDATE peers_" in query["sql"] for query in captured)
    assert not any("UPDATE quotas_" in query["sql"] for query in captured)


def test_bytes_alone_are_written_to_the_ledger_and_to_no_peer(
    gateway: Gateway, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        gateway.add(f"client {number}")
    gateway.apply()
    move(gateway, 5)
    gateway.observe()
    move(gateway, 6)
    with django_assert_max_num_queries(24) as captured:
        gateway.observe()
    written = [query["sql"] for query in captured]
    assert not any("UPDATE peers_peer" in sql for sql in written)
    assert sum("UPDATE quotas_meter" in sql for sql in written) in (1, 20)  # SQLite: each


def test_a_peer_that_somebody_removed_comes_back(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    gateway.driver.apply(Plan(removals=[made.peer.public_key]))
    settle(gateway)
    assert gateway.peers()[made.peer.public_key][0] == "10.252.0.2/32"
    assert Job.objects.filter(kind="heal", status="succeeded").count() == 1


def test_stolen_addresses_are_given_back(gateway: Gateway) -> None:
    victim, thief = gateway.add("victim"), gateway.add("thief")
    gateway.apply()
    outsider(gateway, public_key=thief.peer.public_key, allowed_ips=("10.252.0.2/32",))
    assert "10.252.0.2/32" not in gateway.peers()[victim.peer.public_key]
    settle(gateway)
    assert gateway.peers()[victim.peer.public_key] == ("10.252.0.2/32", "fd52:7677:6721::2/128")
    assert gateway.peers()[thief.peer.public_key] == ("10.252.0.3/32", "fd52:7677:6721::3/128")


def test_a_stray_peer_is_removed(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    outsider(gateway, public_key=make_public_key(), allowed_ips=("10.252.9.9/32",), is_new=True)
    settle(gateway)
    assert set(gateway.peers()) == {made.peer.public_key}


def test_a_deleted_peer_that_came_back_is_removed(gateway: Gateway) -> None:
    gateway.add("other")
    made = gateway.add()
    gateway.apply()
    delete_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    gateway.apply()
    outsider(gateway, public_key=made.peer.public_key, allowed_ips=("10.252.0.3/32",), is_new=True)
    settle(gateway)
    assert made.peer.public_key not in gateway.peers()


def test_an_emptied_table_removes_nobody(gateway: Gateway) -> None:
    for number in range(3):
        gateway.add(f"client {number}")
    gateway.apply()
    bootfile.write(Interface.objects.select_related("gateway").get(pk=gateway.interface.pk))
    before = gateway.peers()
    PeerAddress.objects.all().delete()
    JobItem.objects.all().delete()
    Peer.objects.all().delete()
    Client.objects.all().delete()
    settle(gateway)
    assert gateway.peers() == before
    interface = Interface.objects.get(pk=gateway.interface.pk)
    assert interface.guard_keys == sorted(before)


def test_many_strays_wait_for_the_operator(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    for number in range(4):
        outsider(
            gateway,
            public_key=make_public_key(),
            allowed_ips=(f"10.252.9.{number}/32",),
            is_new=True,
        )
    settle(gateway)
    assert len(gateway.peers()) == 5
    interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
    assert len(interface.guard_keys) == 4
    assert interface.drift == {"guarded": 4}
    assert made.peer.public_key in gateway.peers()


def test_an_apply_after_the_dump_is_not_drift(gateway: Gateway) -> None:
    gateway.add("first")
    gateway.apply()
    interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
    post = station(interface)
    reading = read(interface, post)
    late = gateway.add("late")
    gateway.apply()
    found = keep_books(interface, post, reading)
    assert not found.drift
    assert row(late).applied_key == late.peer.public_key


def test_an_older_dump_does_not_overwrite_newer_books(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
    post = station(interface)
    old = read(interface, post)
    gateway.driver.report(made.peer.public_key, rx_bytes=500)
    gateway.observe()
    keep_books(interface, post, old)
    assert row(made).upload_bytes == 500


def test_a_missing_interface_is_brought_back(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    gateway.link.bring_down()
    gateway.driver.exists = False
    gateway.observe()
    assert Interface.objects.get(pk=gateway.interface.pk).state == "down"
    gateway.driver.exists = True
    gateway.apply()
    gateway.observe()
    assert set(gateway.peers()) == {made.peer.public_key}
    assert Interface.objects.get(pk=gateway.interface.pk).state == "up"


def test_a_link_that_somebody_set_down_is_set_up_again(gateway: Gateway) -> None:
    gateway.add()
    gateway.apply()
    gateway.link.up = False
    gateway.observe()
    assert Interface.objects.get(pk=gateway.interface.pk).state == "down"
    gateway.apply()
    assert gateway.link.up
    gateway.observe()
    assert Interface.objects.get(pk=gateway.interface.pk).state == "up"


def test_a_check_heals_what_differs_before_it_ends(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    gateway.driver.apply(Plan(removals=[made.peer.public_key]))
    job = enqueue(
        kind="apply",
        tenant_id=None,
        actor_name="test",
        wishes=[Wish(gateway.interface.pk, action=JobItem.Action.CHECK)],
        at=timezone.now(),
    )
    gateway.apply()
    assert made.peer.public_key in gateway.peers()
    job.refresh_from_db()
    assert (job.status, job.tier) == ("succeeded", 1)
    assert job.message == (
        "Applied server config successfully without disrupting active connections"
    )
    assert not JobItem.objects.filter(status="open").exists()
