"""After a crash, a lost alias, a bad row: what is wanted comes about, and nobody else pays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.events import SYSTEM
from control import bootfile, observe, tier1
from control.adoption import adopt
from control.presence import load_known
from gateways.drivers import station
from gateways.models import Interface, Job, JobItem
from peers.models import Peer, PeerAddress
from peers.services.clients import Created, delete_client, disable_client
from tests.integration.control.conftest import Gateway

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """kill -9, as far as a test can do it in its own process."""


def killed_before_it_is_written_down(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(tier1, "write", die)
        with pytest.raises(Killed):
            gateway.apply()


def delete(gateway: Gateway, made: Created) -> None:
    delete_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())


def observe_and_apply(gateway: Gateway, times: int = 3) -> None:
    for _ in range(times):
        gateway.observe()
        gateway.apply()


def a_minute_later() -> None:
    JobItem.objects.exclude(status="open").update(settled_at=timezone.now() - timedelta(minutes=2))


def fresh(gateway: Gateway) -> Interface:
    return Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)


@pytest.mark.parametrize("number", [1, 6])
def test_who_is_deleted_after_a_send_that_was_never_written_down_is_gone(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    stays = gateway.add("stays")
    gateway.apply()
    made = [gateway.add(f"client {n}") for n in range(number)]
    killed_before_it_is_written_down(gateway, monkeypatch)
    assert len(gateway.peers()) == 1 + number
    for one in made:
        delete(gateway, one)
    gateway.apply()
    assert set(gateway.peers()) == {stays.peer.public_key}
    assert fresh(gateway).guard_keys == []


def test_a_deletion_that_failed_at_a_foreign_link_is_caught_up(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    stamp, gateway.link.stamp_text = gateway.link.stamp_text, ""
    delete(gateway, made)
    gateway.apply()
    gateway.link.stamp_text = stamp
    a_minute_later()
    observe_and_apply(gateway)
    assert gateway.peers() == {}


def test_what_failed_just_now_is_left_in_peace_for_a_minute(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    stamp, gateway.link.stamp_text = gateway.link.stamp_text, ""
    delete(gateway, made)
    gateway.apply()
    gateway.link.stamp_text = stamp
    jobs = Job.objects.count()
    gateway.observe()
    assert Job.objects.count() == jobs


def test_an_interface_that_is_off_but_up_still_gets_its_changes(gateway: Gateway) -> None:
    old = gateway.add("old")
    gateway.apply()
    Interface.objects.update(enabled=False)
    delete(gateway, old)
    new = gateway.add("new")
    gateway.apply()
    assert set(gateway.peers()) == {new.peer.public_key}


def test_a_client_whose_secret_is_lost_can_still_be_switched_off(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    Peer.objects.update(preshared_key="v1.gone.AAAA")
    disable_client(caller=gateway.caller, client_id=made.client.uuid, note="", at=timezone.now())
    gateway.apply()
    assert gateway.peers() == {made.peer.public_key: ()}


def test_a_client_whose_secret_is_lost_stays_on(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    before = gateway.peers()
    Peer.objects.update(preshared_key="v1.gone.AAAA", generation=2)
    a_minute_later()
    observe_and_apply(gateway)
    assert gateway.peers() == before
    assert Peer.objects.get(pk=made.peer.pk).quarantine_reason


def test_one_row_that_cannot_be_read_hurts_itself_only(gateway: Gateway) -> None:
    bad, good = gateway.add("bad"), gateway.add("good")
    PeerAddress.objects.filter(peer=bad.peer, family=4).update(address="10.252.0.300")
    gateway.apply()
    assert set(gateway.peers()) == {good.peer.public_key}
    assert Job.objects.get(pk=bad.job.pk).status == "failed"


def test_one_bad_row_is_left_out_of_the_boot_file(
    gateway: Gateway, settings: Any, tmp_path: Any
) -> None:
    settings.VWG_STATE_DIR = tmp_path
    bad, good = gateway.add("bad"), gateway.add("good")
    gateway.apply()
    Peer.objects.filter(pk=bad.peer.pk).update(endpoint="nonsense")
    bootfile.write(fresh(gateway))
    peers = bootfile.read(bootfile.path_of(fresh(gateway))).peers
    assert [peer.public_key for peer in peers] == [good.peer.public_key]


def test_an_interface_key_that_does_not_open_is_named_and_nothing_is_lost(
    gateway: Gateway,
) -> None:
    made = gateway.add()
    gateway.link.bring_down()
    Interface.objects.update(private_key="v1.gone.AAAA")
    gateway.apply()
    job = Job.objects.get(pk=made.job.pk)
    assert job.status == "pending"
    assert "not in the ring" in job.message


def test_what_waits_for_the_operator_is_not_tried_every_few_seconds(gateway: Gateway) -> None:
    Interface.objects.update(restart_policy="never")
    gateway.link.bring_down()
    gateway.add()
    gateway.apply()
    assert JobItem.objects.get().due_at > timezone.now() + timedelta(seconds=50)


def test_the_last_reading_of_a_removed_peer_is_not_overwritten_by_an_older_dump(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = gateway.add()
    gateway.apply()
    gateway.driver.report(made.peer.public_key, rx_bytes=100)
    post = station(fresh(gateway))
    reading = observe.read(fresh(gateway), post)
    gateway.driver.report(made.peer.public_key, rx_bytes=999)

    def load_then_remove(interface: Interface, *dump: Any) -> Any:
        found = load_known(interface, *dump)
        delete(gateway, made)
        gateway.apply()
        return found

    monkeypatch.setattr(observe, "load_known", load_then_remove)
    observe.keep_books(fresh(gateway), post, reading)
    assert Peer.objects.get(pk=made.peer.pk).upload_bytes == 999


def test_clients_deleted_between_dump_and_books_raise_no_alarm(gateway: Gateway) -> None:
    gateway.add("stays")
    made = [gateway.add(f"client {number}") for number in range(6)]
    gateway.apply()
    post = station(fresh(gateway))
    reading = observe.read(fresh(gateway), post)
    for one in made:
        delete(gateway, one)
    gateway.apply()
    assert observe.keep_books(fresh(gateway), post, reading).drift.counts() == {}


def test_our_own_interface_whose_alias_was_lost_is_adopted_with_its_clients(
    gateway: Gateway,
) -> None:
    made = gateway.add()
    gateway.apply()
    gateway.link.stamp_text = ""
    tenant = gateway.caller.tenant
    adopt(fresh(gateway), station(fresh(gateway)), tenant=tenant, actor=SYSTEM, at=timezone.now())
    late = gateway.add("late")
    gateway.apply()
    assert set(gateway.peers()) == {made.peer.public_key, late.peer.public_key}


def test_an_endpoint_that_nobody_asked_for_never_keeps_a_peer_off(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    key = made.peer.public_key
    gateway.driver.report(key, endpoint="[fe80::1%eth0]:5000", latest_handshake=5)
    gateway.observe()
    gateway.link.bring_down()
    gateway.apply()
    observe_and_apply(gateway)
    assert key in gateway.peers()
    assert Peer.objects.get(pk=made.peer.pk).quarantine_reason == ""


def test_a_bring_up_that_was_killed_is_made_anew(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.link.stamp_text, gateway.link.unfinished = "", fresh(gateway).stamp
    gateway.apply()
    assert set(gateway.peers()) == {made.peer.public_key}
    assert gateway.link.stamp_text == fresh(gateway).stamp
    assert fresh(gateway).state == "up"


def test_a_network_behind_a_device_is_routed_when_it_is_applied(gateway: Gateway) -> None:
    gateway.add("plain")
    gateway.apply()
    assert gateway.link.routes == ()
    gateway.add("site", networks=["192.168.7.0/24"])
    gateway.apply()
    assert "192.168.7.0/24" in gateway.link.routes


def test_the_observation_says_what_runs_the_link(gateway: Gateway) -> None:
    gateway.observe()
    assert fresh(gateway).observed_backend == "userspace"
