"""An operator's edit of an interface reaches its link, and no peer."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.events import SYSTEM
from gateways.models import GlobalSetting, Interface, Job, JobItem
from gateways.outbox import Wish, enqueue
from gateways.sealing import seal_interface_key
from gateways.services.changes import Edited
from gateways.services.interfaces import rotate_key, update_interface
from gateways.services.settings import update_settings
from tests.integration.control.conftest import Gateway
from wireguard.keys import generate_private_key, public_key_of


def edit(gateway: Gateway, **changes: object) -> Edited:
    return update_interface(
        actor=SYSTEM, interface_id=gateway.interface.uuid, changes=changes, at=timezone.now()
    )


@pytest.fixture(autouse=True)
def _someone(gateway: Gateway) -> None:
    """A device that must notice nothing."""
    gateway.add()
    gateway.apply()
    gateway.driver.calls.clear()


def test_a_new_port_and_mark_are_sent_and_nothing_else(gateway: Gateway) -> None:
    peers = gateway.driver.read().peers
    gateway.driver.calls.clear()
    job = edit(gateway, listen_port=51900, firewall_mark=7).job
    gateway.apply()
    status = gateway.driver.read().interface
    assert (status.listen_port, status.fwmark) == (51900, 7)
    assert gateway.driver.read().peers == peers
    assert "apply" not in gateway.driver.calls
    assert "sync" not in gateway.driver.calls
    assert gateway.driver.calls.count("set_interface") == 1
    assert gateway.link.outages == 0
    assert job is not None
    job.refresh_from_db()
    assert (job.status, job.tier) == ("succeeded", 1)
    assert job.items.get().message == "The interface matches its records"


def test_a_mark_is_taken_away_again(gateway: Gateway) -> None:
    edit(gateway, firewall_mark=7)
    gateway.apply()
    edit(gateway, firewall_mark=None)
    gateway.apply()
    assert gateway.driver.read().interface.fwmark is None


def test_a_mark_is_inherited_from_the_settings(gateway: Gateway) -> None:
    update_settings(actor=SYSTEM, changes={"firewall_mark": 9}, at=timezone.now())
    gateway.apply()
    assert gateway.driver.read().interface.fwmark == 9
    assert GlobalSetting.objects.get(pk=1).version == 2


def test_the_links_own_settings_are_refreshed_without_a_word_to_wireguard(
    gateway: Gateway,
) -> None:
    edit(gateway, mtu=1380, nat=False)
    gateway.apply()
    (spec,) = gateway.link.refreshed
    assert (spec.device.interface.mtu, spec.nat, len(spec.device.peers)) == (1380, False, 1)
    assert set(gateway.driver.calls) == {"read"}


def test_of_an_adopted_interface_the_mtu_alone_is_set(gateway: Gateway) -> None:
    Interface.objects.update(wg_quick=True)
    edit(gateway, mtu=1380)
    gateway.apply()
    assert (gateway.link.refreshed, gateway.link.mtu) == ([], 1380)


def test_another_port_on_the_link_is_found_and_healed(gateway: Gateway) -> None:
    gateway.driver.set_interface(listen_port=1234)
    gateway.observe()
    gateway.interface.refresh_from_db()
    assert gateway.interface.drift == {"link": 1}
    gateway.observe()
    job = Job.objects.get(kind="heal")  # one, however often it is seen
    gateway.apply()
    assert gateway.driver.read().interface.listen_port == 51820
    assert gateway.link.refreshed == []
    job.refresh_from_db()
    assert job.status == "succeeded"
    gateway.observe()
    gateway.interface.refresh_from_db()
    assert gateway.interface.drift == {}


def test_a_rotated_key_reaches_the_link(gateway: Gateway) -> None:
    rotate_key(actor=SYSTEM, interface_id=gateway.interface.uuid, at=timezone.now())
    gateway.apply()
    gateway.interface.refresh_from_db()
    assert gateway.driver.read().interface.public_key == gateway.interface.public_key
    assert len(gateway.peers()) == 1


def test_another_key_is_shown_and_never_healed_by_itself(gateway: Gateway) -> None:
    """It would cut everybody off, and the rows may be the older ones (a restored backup)."""
    running = gateway.driver.read().interface.public_key
    key, row = generate_private_key(), gateway.interface
    sealed = seal_interface_key(row.uuid, key)
    Interface.objects.update(public_key=public_key_of(key), private_key=sealed)
    gateway.observe()
    edit(gateway, label="x", mtu=1400)
    enqueue(
        kind=Job.Kind.APPLY, tenant_id=None, actor_name="x", at=timezone.now(),
        wishes=[Wish(row.pk, action=JobItem.Action.CHECK)],
    )  # fmt: skip
    gateway.apply()
    assert gateway.driver.read().interface.public_key == running
    row.refresh_from_db()
    assert row.drift == {"link": 1}


def test_switched_off_it_is_taken_down_and_switched_on_brought_up(gateway: Gateway) -> None:
    edit(gateway, enabled=False)
    gateway.apply()
    gateway.interface.refresh_from_db()
    assert (gateway.link.exists, gateway.interface.state) == (False, "down")
    Interface.objects.update(restart_policy="never")  # the operator's wish goes before it
    edit(gateway, enabled=True)
    gateway.apply()
    assert gateway.link.exists
    assert len(gateway.peers()) == 1


def test_a_check_does_not_take_down_what_is_only_marked_off(gateway: Gateway) -> None:
    Interface.objects.update(enabled=False)
    enqueue(
        kind=Job.Kind.APPLY, tenant_id=None, actor_name="x", at=timezone.now(),
        wishes=[Wish(gateway.interface.pk, action=JobItem.Action.CHECK)],
    )  # fmt: skip
    gateway.apply()
    assert gateway.link.exists
