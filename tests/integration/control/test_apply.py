"""An apply brings the interface to the rows, by tier 1, and touches nobody else."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Interface, Job, JobItem
from gateways.outbox import Wish, enqueue
from peers.models import Peer
from peers.services.clients import delete_client, disable_client, enable_client
from tests.integration.control.conftest import Gateway
from tests.make import make_public_key
from wireguard.errors import DriverForbidden, DriverRejected, DriverUnavailable
from wireguard.types import Secret

pytestmark = pytest.mark.django_db


def job_of(created: Any) -> Job:
    return Job.objects.get(pk=created.job.pk)


def test_a_new_client_is_on_the_interface_and_its_job_has_succeeded(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    key = made.peer.public_key
    assert gateway.peers()[key] == ("10.252.0.2/32", "fd52:7677:6721::2/128")
    peer = Peer.objects.get(pk=made.peer.pk)
    assert (peer.applied_key, peer.applied_generation) == (key, peer.generation)
    job = job_of(made)
    assert (job.status, job.done, job.failed, job.tier) == ("succeeded", 1, 0, 1)
    assert job.message == (
        "Applied server config successfully without disrupting active connections"
    )


def test_the_log_speaks_as_the_founding_document_says(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.add()
    gateway.add("Ali")
    with caplog.at_level(logging.INFO, logger="WireGuard"):
        gateway.apply()
    assert f"Successfully added 2 new peers to interface {gateway.interface.name}" in caplog.text
    assert "Configuration applied successfully without disrupting active connections" in caplog.text


def test_a_disabled_client_keeps_its_peer_without_addresses_and_comes_back(
    gateway: Gateway,
) -> None:
    made = gateway.add()
    gateway.apply()
    key = made.peer.public_key
    gateway.driver.report(key, rx_bytes=7, tx_bytes=8, endpoint="192.0.2.7:1000")
    disable_client(
        caller=gateway.caller, client_id=made.client.uuid, note="test", at=timezone.now()
    )
    gateway.apply()
    assert gateway.peers() == {key: ()}
    enable_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    gateway.apply()
    assert gateway.peers() == {key: ("10.252.0.2/32", "fd52:7677:6721::2/128")}
    status = gateway.driver.read().peers[key]
    assert (status.rx_bytes, status.tx_bytes, status.endpoint) == (7, 8, "192.0.2.7:1000")


def test_a_deleted_client_is_frozen_read_and_removed(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    gateway.driver.report(made.peer.public_key, rx_bytes=1000, tx_bytes=2000)
    delete_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    gateway.apply()
    assert gateway.peers() == {}
    peer = Peer.objects.get(pk=made.peer.pk)
    assert (peer.upload_bytes, peer.download_bytes, peer.applied_key) == (1000, 2000, "")


def test_a_device_made_again_with_the_same_key_stays(gateway: Gateway) -> None:
    key = make_public_key()
    first = gateway.add(public_key=key)
    gateway.apply()
    delete_client(caller=gateway.caller, client_id=first.client.uuid, at=timezone.now())
    second = gateway.add(public_key=key)
    gateway.apply()
    address = second.peer.addresses.get(family=4).address
    assert gateway.peers()[key][0] == f"{address}/32"
    assert Peer.objects.get(pk=first.peer.pk).applied_key == ""
    assert Peer.objects.get(pk=second.peer.pk).applied_key == key
    assert not JobItem.objects.filter(status="open").exists()


def test_a_new_key_replaces_the_old_one(gateway: Gateway) -> None:
    made = gateway.add(public_key=make_public_key())
    gateway.apply()
    new = make_public_key()
    Peer.objects.filter(pk=made.peer.pk).update(public_key=new, generation=2)
    enqueue(
        kind="update",
        tenant_id=made.client.tenant_id,
        actor_name="test",
        wishes=[Wish(gateway.interface.pk, made.peer.pk, new)],
        at=timezone.now(),
    )
    gateway.apply()
    assert set(gateway.peers()) == {new}


def test_a_time_out_leaves_the_item_open_and_never_goes_up_a_tier(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.driver.fail_next(DriverUnavailable("wg did not answer within 5 s"))
    gateway.apply()
    job = job_of(made)
    assert (job.status, job.done) == ("pending", 0)
    assert "did not answer" in job.message
    item = job.items.get()
    assert (item.status, item.attempts) == ("open", 1)
    assert item.due_at > timezone.now()
    assert Peer.objects.get(pk=made.peer.pk).applied_unknown
    JobItem.objects.update(due_at=timezone.now())
    gateway.apply()
    assert job_of(made).status == "succeeded"
    assert job_of(made).tier == 1


def test_missing_rights_are_named_and_nothing_is_lost(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    made = gateway.add()
    gateway.driver.fail_next(DriverForbidden("wg: rights are missing, CAP_NET_ADMIN is needed"))
    gateway.apply()
    assert "CAP_NET_ADMIN" in job_of(made).message
    assert "CAP_NET_ADMIN" in caplog.text
    assert JobItem.objects.get().status == "open"


def test_one_bad_peer_is_quarantined_and_the_others_are_live(gateway: Gateway) -> None:
    good = [gateway.add(f"good {number}") for number in range(4)]
    bad = gateway.add("bad")
    gateway.driver.refuse_keys.add(bad.peer.public_key)
    gateway.apply()
    assert set(gateway.peers()) == {made.peer.public_key for made in good}
    assert job_of(bad).status == "failed"
    assert Peer.objects.get(pk=bad.peer.pk).quarantine_reason
    assert all(job_of(made).status == "succeeded" for made in good)
    assert not gateway.link.outages


def test_the_servers_own_key_is_refused_before_it_is_sent(gateway: Gateway) -> None:
    made = gateway.add(public_key=make_public_key())
    Interface.objects.filter(pk=gateway.interface.pk).update(public_key=made.peer.public_key)
    gateway.apply()
    assert gateway.peers() == {}
    assert "server's own" in job_of(made).message


def test_a_bare_refusal_of_everything_goes_to_tier_2(gateway: Gateway) -> None:
    first = gateway.add()
    gateway.apply()
    made = gateway.add("second")
    gateway.driver.fail_next(DriverRejected("Unable to modify interface", explained=False))
    gateway.apply()
    assert set(gateway.peers()) == {first.peer.public_key, made.peer.public_key}
    assert job_of(made).tier == 2
    assert not gateway.link.outages


def test_tier_2_names_blocked_peers_too(gateway: Gateway) -> None:
    first = gateway.add()
    gateway.apply()
    disable_client(caller=gateway.caller, client_id=first.client.uuid, note="", at=timezone.now())
    gateway.apply()
    gateway.add("second")
    gateway.driver.fail_next(DriverRejected("Unable to modify interface", explained=False))
    gateway.apply()
    assert gateway.peers()[first.peer.public_key] == ()


class TestWhenTier2FailsToo:
    def refuse(self, gateway: Gateway) -> Any:
        made = gateway.add("second")
        for _ in ("tier 1", "tier 2"):
            gateway.driver.fail_next(DriverRejected("Unable to modify interface", explained=False))
        return made

    def test_an_idle_interface_is_restarted(
        self, gateway: Gateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = gateway.add()
        gateway.apply()
        made = self.refuse(gateway)
        gateway.apply()
        assert gateway.link.outages == 1
        assert job_of(made).tier == 3
        assert "Runtime configuration failed, falling back to service restart" in caplog.text
        assert set(gateway.peers()) == {first.peer.public_key, made.peer.public_key}

    def test_one_that_carries_traffic_waits_for_the_operator(self, gateway: Gateway) -> None:
        first = gateway.add()
        gateway.apply()
        now = int(timezone.now().timestamp())
        gateway.driver.report(first.peer.public_key, latest_handshake=now)
        made = self.refuse(gateway)
        gateway.apply()
        assert gateway.link.outages == 0
        assert job_of(made).status == "pending"
        assert "link_restart" in job_of(made).message


def test_a_dead_interface_is_brought_up_with_everyone(gateway: Gateway) -> None:
    made = [gateway.add(f"client {number}") for number in range(3)]
    gateway.apply()
    gateway.link.bring_down()
    late = gateway.add("late")
    gateway.apply()
    wanted = {one.peer.public_key for one in (*made, late)}
    assert set(gateway.peers()) == wanted
    assert job_of(late).tier == 3


def test_a_link_that_was_set_down_is_set_up_and_gets_exactly_the_difference(
    gateway: Gateway,
) -> None:
    first = gateway.add("first")
    gateway.apply()
    gateway.link.up = False
    late = gateway.add("late")
    gateway.apply()
    assert gateway.link.up
    assert set(gateway.peers()) == {first.peer.public_key, late.peer.public_key}
    assert job_of(late).tier == 1


def test_the_policy_never_leaves_a_dead_interface_to_the_operator(gateway: Gateway) -> None:
    Interface.objects.update(restart_policy="never")
    gateway.link.bring_down()
    made = gateway.add()
    gateway.apply()
    assert not gateway.link.exists
    assert "never" in job_of(made).message


def test_a_foreign_interface_is_not_written_to(gateway: Gateway) -> None:
    gateway.link.stamp_text = ""
    made = gateway.add()
    gateway.apply()
    assert gateway.peers() == {}
    assert job_of(made).status == "failed"
    assert "adopt" in job_of(made).message
    assert Interface.objects.get(pk=gateway.interface.pk).state == "foreign"


def test_secrets_are_not_in_the_rows_that_people_see(gateway: Gateway) -> None:
    psk = "3FBb0X9Mfn1KeVvS5hGqV2kWv2QCwD3Ppj4dX5R9pXU="
    made = gateway.add(preshared_key=psk)
    gateway.apply()
    status = gateway.driver.read().peers[made.peer.public_key]
    assert status.preshared_key == Secret(psk)
    row = Peer.objects.get(pk=made.peer.pk)
    assert psk not in repr(row.__dict__)


def test_claims_of_many_clients_cost_a_constant_number_of_queries(
    gateway: Gateway, django_assert_max_num_queries: Any
) -> None:
    gateway.add("first")
    gateway.apply()
    for number in range(100):
        gateway.add(f"client {number}")
    Job.objects.all()
    with django_assert_max_num_queries(30 + 100):  # each of 100 jobs is closed by one update
        gateway.apply()
    assert len(gateway.peers()) == 101
