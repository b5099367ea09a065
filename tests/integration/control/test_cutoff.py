"""Who is armed in the kernel, with how much, and what becomes of it: from the ledger, each tick."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db.models import F
from django.utils import timezone

from control import armed, findings, nearing, tasks
from control import cutoff as controlled
from control.clock import database_now
from gateways.drivers import Station, station
from gateways.models import Interface
from peers.models import Client, Peer
from peers.services.switching import disable_client, enable_client
from quotas.models import Usage
from tests.integration.control.conftest import Gateway
from tests.make import make_interface
from tests.nftables import Kernel
from wireguard.cutoff import Key, Way, allowance, render

pytestmark = pytest.mark.django_db

MB = 1_000_000


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, settings: LazySettings) -> Kernel:
    """A kernel behind every station of this test, and a host of its own."""
    settings.VWG_STATE_DIR = tmp_path
    found = Kernel()

    def with_kernel(interface: Interface) -> Station:
        return replace(station(interface), nft=found)

    for user in ("control.observe.station", "control.apply.station", "control.tasks.station"):
        monkeypatch.setattr(user, with_kernel)
    monkeypatch.setattr("control.findings.station", with_kernel)
    monkeypatch.setattr("control.cutoff.lock_dir", lambda: tmp_path / "locks")
    return found


class Sold:
    """A client of the gateway whose usage the test decides."""

    def __init__(self, gateway: Gateway, left: int, **fields: Any) -> None:
        made = gateway.add("Sara")
        self.peer, self.client = made.peer, made.peer.client
        self.set(**({"quota_bytes": 1000 * MB} | fields))
        self.usage = Usage.objects.create(
            client=self.client, tenant=self.client.tenant, billed_up=300 * MB, base_up=300 * MB
        )
        self.use(1000 * MB - left)
        gateway.apply()

    def set(self, **fields: Any) -> None:
        Client.objects.filter(pk=self.client.pk).update(**fields)

    def use(self, down: int, up: int = 0) -> None:
        Usage.objects.filter(pk=self.client.pk).update(
            billed_down=F("billed_down") + down, billed_up=F("billed_up") + up
        )

    @property
    def name(self) -> str:
        return f"b{self.client.pk}"

    @property
    def addresses(self) -> list[str]:
        text = Peer.objects.get(pk=self.peer.pk).applied_allowed_ips
        return [network.partition("/")[0] for network in text.split(",")]


def allowed(left: int) -> int:
    return allowance(left, percent=100, mtu=1420)


def told(gateway: Gateway) -> dict[str, Any]:
    return dict(Interface.objects.get(pk=gateway.interface.pk).cutoff)


def test_nobody_near_a_limit_is_no_table_and_no_call(gateway: Gateway, kernel: Kernel) -> None:
    Sold(gateway, left=MB, quota_bytes=None)
    gateway.observe()
    assert kernel.texts == []
    assert kernel.listings == 0
    assert told(gateway)["armed"] == 0


def test_a_client_near_its_limit_is_armed_with_what_is_left(
    gateway: Gateway, kernel: Kernel, settings: LazySettings
) -> None:
    settings.VWG_CUTOFF_MBIT = 8  # 15 MB in three observations
    near, far = Sold(gateway, left=14 * MB), Sold(gateway, left=16 * MB)
    gateway.observe()
    assert kernel.limits == {near.name: allowed(14 * MB)}
    assert kernel.maps == {
        "b4": {near.addresses[0]: near.name},
        "b6": {near.addresses[1]: near.name},
    }
    assert told(gateway)["armed"] == 1
    assert told(gateway)["why_not"] == ""
    assert told(gateway)["since"]
    far.use(2 * MB)
    gateway.observe()
    assert kernel.limits == {near.name: allowed(14 * MB), far.name: allowed(14 * MB)}


def test_a_client_without_a_row_of_usage_has_used_nothing(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=0, quota_bytes=5 * MB)
    Usage.objects.all().delete()
    gateway.observe()
    assert kernel.limits == {sold.name: allowed(5 * MB)}


def test_each_way_apart_and_together(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=900 * MB, upload_quota_bytes=90 * MB, download_quota_bytes=190 * MB)
    sold.use(0, up=30 * MB)
    Usage.objects.update(extra_bytes=MB)
    gateway.observe()
    number = sold.client.pk
    assert kernel.limits == {
        f"b{number}": allowed(871 * MB),
        f"u{number}": allowed(60 * MB),
        f"d{number}": allowed(90 * MB),
    }
    assert set(kernel.maps) == {"b4", "b6", "u4", "u6", "d4", "d6"}
    assert not kernel.passes(sold.addresses[0], 61 * MB + 3000 * 500, up=True)
    assert kernel.passes(sold.addresses[1], 80 * MB, up=False)


def test_of_several_limits_those_that_are_near_are_armed(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=MB, upload_quota_bytes=10**13)
    gateway.observe()
    assert list(kernel.limits) == [sold.name]


def test_a_new_client_is_armed_before_it_can_send(gateway: Gateway, kernel: Kernel) -> None:
    sold, other = Sold(gateway, left=MB), Sold(gateway, left=2 * MB)
    assert kernel.limits == {sold.name: allowed(MB), other.name: allowed(2 * MB)}
    assert len(kernel.texts) == 2
    Sold(gateway, left=MB, quota_bytes=None)
    assert len(kernel.texts) == 2


def test_the_largest_quota_of_all_with_a_top_up_stops_no_other(
    gateway: Gateway, kernel: Kernel
) -> None:
    """The two together are more than a number of the database's holds."""
    huge, close = Sold(gateway, left=0, quota_bytes=2**63 - 1), Sold(gateway, left=5 * MB)
    Usage.objects.filter(pk=huge.client.pk).update(extra_bytes=2**63 - 1)
    gateway.observe()
    assert kernel.limits == {close.name: allowed(5 * MB)}


def test_devices_of_a_client_share_its_quota(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=MB)
    other = gateway.add("second").peer
    Peer.objects.filter(pk=other.pk).update(client=sold.client)
    gateway.apply()
    gateway.observe()
    assert len(kernel.maps["b4"]) == 2
    assert set(kernel.maps["b4"].values()) == {sold.name}


def test_a_network_behind_a_device_counts_too(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=MB)
    peer = Peer.objects.get(pk=sold.peer.pk)
    peer.applied_allowed_ips += ",192.168.7.0/24"
    peer.save(update_fields=["applied_allowed_ips"])
    interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
    assert "192.168.7.0/24" in nearing.near(interface)[Key(sold.client.pk, Way.BOTH)].networks


@pytest.mark.parametrize(
    "fields",
    [
        {"at_limit": "throttle", "throttle_kbit": 64},
        {"quota_bytes": None},
        {"quota_bytes": 10**13},
    ],
)
def test_who_is_not_cut_off_at_the_limit_is_not_armed(
    gateway: Gateway, kernel: Kernel, fields: dict[str, Any]
) -> None:
    Sold(gateway, left=MB, **fields)
    gateway.observe()
    assert kernel.limits == {}


def test_a_gateway_that_is_free_arms_nobody_and_a_dear_one_less(
    gateway: Gateway, kernel: Kernel
) -> None:
    sold = Sold(gateway, left=MB)
    over = Sold(gateway, left=-MB)
    gateway.interface.gateway.usage_percent = 0
    gateway.interface.gateway.save()
    gateway.observe()
    assert kernel.limits == {}
    over.set(deleted_at=timezone.now(), quota_bytes=None)
    gateway.interface.gateway.usage_percent = 200
    gateway.interface.gateway.save()
    gateway.observe()
    assert kernel.limits == {sold.name: allowance(MB, percent=200, mtu=1420)}


def test_other_interfaces_have_tables_of_their_own(gateway: Gateway, kernel: Kernel) -> None:
    Sold(gateway, left=MB)
    other = make_interface(
        gateway=gateway.interface.gateway, name="wg1", addresses=[], listen_port=5, is_default=False
    )
    assert nearing.near(other) == {}


def test_each_tick_takes_the_difference_between_bill_and_kernel_in(
    gateway: Gateway, kernel: Kernel
) -> None:
    sold = Sold(gateway, left=100 * MB)
    gateway.observe()
    assert kernel.passes(sold.addresses[0], 40 * MB, up=False)
    sold.use(50 * MB)  # small packets: the bill is 10 MB ahead
    gateway.observe()
    assert kernel.limits == {sold.name: 40 * MB + allowed(50 * MB)}
    assert kernel.quotas[sold.name].used == 40 * MB  # it was never made anew
    gateway.observe()
    assert len(kernel.texts) == 2  # nothing moved, nothing is written


def test_a_client_that_was_cut_below_its_limit_goes_on_with_the_rest(
    gateway: Gateway, kernel: Kernel
) -> None:
    sold = Sold(gateway, left=10 * MB)
    gateway.observe()
    assert not kernel.passes(sold.addresses[0], 11 * MB, up=False)  # lost behind the kernel
    assert not kernel.passes(sold.addresses[1], 100, up=True)
    gateway.observe()
    assert kernel.quotas[sold.name].used == 0
    assert kernel.limits == {sold.name: allowed(10 * MB)}
    assert kernel.passes(sold.addresses[1], 100, up=True)


def test_who_has_nothing_left_gets_nothing_through_until_it_is_blocked(
    gateway: Gateway, kernel: Kernel
) -> None:
    sold = Sold(gateway, left=MB)
    gateway.observe()
    sold.use(2 * MB)
    gateway.observe()
    assert kernel.limits == {sold.name: 1}
    assert not kernel.passes(sold.addresses[0], 40, up=True)
    disable_client(caller=gateway.caller, client_id=sold.client.uuid, at=timezone.now())
    gateway.apply()
    gateway.observe()
    assert kernel.there is False
    assert told(gateway)["armed"] == 0


def test_a_reset_lets_go_with_the_change_that_unblocks(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=-MB)
    gateway.observe()
    disable_client(caller=gateway.caller, client_id=sold.client.uuid, at=timezone.now())
    gateway.apply()
    assert kernel.limits == {sold.name: 1}  # until the next observation
    Usage.objects.update(base_down=F("billed_down"), base_up=F("billed_up"))
    enable_client(caller=gateway.caller, client_id=sold.client.uuid, at=timezone.now())
    gateway.apply()
    assert kernel.limits == {sold.name: allowed(1000 * MB)}
    assert kernel.passes(sold.addresses[0], 1500, up=True)


def test_a_top_up_lets_go_at_once(gateway: Gateway, kernel: Kernel) -> None:
    sold, other = Sold(gateway, left=MB), Sold(gateway, left=MB)
    gateway.observe()
    assert kernel.passes(other.addresses[0], 5000, up=True)
    assert not kernel.passes(sold.addresses[0], 2 * MB, up=True)
    Usage.objects.filter(pk=sold.client.pk).update(extra_bytes=5 * MB)
    tasks.relax_cutoff(interface_id=gateway.interface.pk)
    assert kernel.passes(sold.addresses[0], 5 * MB, up=True)
    assert kernel.quotas[other.name].used == 5000
    Usage.objects.filter(pk=sold.client.pk).update(extra_bytes=10**12)
    tasks.relax_cutoff(interface_id=gateway.interface.pk)
    assert list(kernel.limits) == [other.name]


def test_who_is_let_go_between_reading_and_arming_is_no_change_by_a_stranger(
    gateway: Gateway, kernel: Kernel
) -> None:
    sold, other = Sold(gateway, left=MB), Sold(gateway, left=MB)
    gateway.observe()
    interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
    post = replace(station(interface), nft=kernel)
    assert kernel.passes(other.addresses[0], 5000, up=True)
    number = interface.observed_seq + 1
    seen = controlled.look(interface, post, number=number)
    Usage.objects.filter(pk=sold.client.pk).update(extra_bytes=10**12)
    controlled.relax(interface, post)
    controlled.follow(interface, post, seen, number=number, taken_at=timezone.now())
    assert kernel.quotas[other.name].used == 5000


def test_relaxing_costs_nothing_where_nobody_is_armed(
    gateway: Gateway, kernel: Kernel, django_assert_num_queries: Any
) -> None:
    post = replace(station(gateway.interface), nft=kernel)
    with django_assert_num_queries(0):
        controlled.relax(gateway.interface, post)
    assert kernel.texts == []


@pytest.mark.parametrize("how", ["flush", "a rule", "a quota", "unread"])
def test_a_table_that_somebody_changed_is_made_anew(
    gateway: Gateway, kernel: Kernel, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold = Sold(gateway, left=MB)
    gateway.observe()
    if how == "a rule":
        kernel.rules -= 1
    elif how == "a quota":
        kernel.quotas[sold.name].limit = 10**15
    else:
        kernel.flush()
    if how == "unread":  # a long table, nobody close: it is only touched
        monkeypatch.setattr(controlled, "look", lambda *_, **__: controlled.Look())
    gateway.observe()
    assert kernel.limits == {sold.name: allowed(MB)}
    assert kernel.maps["b4"] == {sold.addresses[0]: sold.name}
    assert kernel.texts[-1].count("chain forward") == 1


def test_a_long_table_is_read_seldom_until_somebody_is_close(
    gateway: Gateway, kernel: Kernel, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    monkeypatch.setattr(controlled, "_LONG", 0)
    settings.VWG_CUTOFF_MBIT = 8  # near below 15 MB, close below 10
    sold = Sold(gateway, left=14 * MB)
    for _ in range(12):
        gateway.observe()
    assert kernel.listings == 2
    sold.use(5 * MB)
    for _ in range(3):
        gateway.observe()
    assert kernel.listings >= 4


def test_an_older_dump_is_passed_over(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=MB)
    gateway.observe()
    interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
    post = replace(station(interface), nft=kernel)
    sold.use(-100 * MB)
    controlled.follow(
        interface, post, controlled.Look(), number=interface.observed_seq, taken_at=timezone.now()
    )
    assert kernel.limits == {sold.name: allowed(MB)}


def test_a_dump_of_a_restored_database_is_followed(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=MB)
    gateway.observe()
    armed.write(gateway.interface, replace(armed.read(gateway.interface), number=5000))
    sold.use(MB)
    gateway.observe()
    assert kernel.limits == {sold.name: 1}


def test_after_a_reboot_everything_is_armed_anew(
    gateway: Gateway, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold = Sold(gateway, left=MB)
    gateway.observe()
    armed.write(gateway.interface, replace(armed.read(gateway.interface), number=50))
    monkeypatch.setattr(armed, "boot_id", lambda: "another")
    kernel.flush()
    gateway.observe()
    assert kernel.limits == {sold.name: allowed(MB)}


def test_without_nft_it_says_so_and_looks_more_often(
    gateway: Gateway, kernel: Kernel, settings: LazySettings
) -> None:
    kernel.missing = True
    sold = Sold(gateway, left=30 * MB)
    gateway.observe()
    assert told(gateway)["armed"] == 0
    assert "nft is not installed" in told(gateway)["why_not"]
    assert told(gateway)["look_at"] is None  # nobody knows yet how fast it goes
    sold.use(20 * MB)
    gateway.observe()
    at = database_now()
    later = at + timedelta(seconds=settings.VWG_OBSERVE_SECONDS)
    assert told(gateway)["look_at"] is not None
    assert nearing.due(at=at).looks == []
    assert nearing.due(at=later).looks == [gateway.interface.pk]
    assert nearing.due(at=later).looks == []


def test_with_nft_too_it_looks_again_when_somebody_will_be_there(
    gateway: Gateway, kernel: Kernel, settings: LazySettings
) -> None:
    """What is sent after the cut is billed until the hold."""
    sold = Sold(gateway, left=30 * MB)
    gateway.observe()
    assert told(gateway)["look_at"] is None
    sold.use(20 * MB)
    gateway.observe()
    later = database_now() + timedelta(seconds=settings.VWG_OBSERVE_SECONDS)
    assert nearing.due(at=later) == ([gateway.interface.pk], [])


def watched(gateway: Gateway) -> bool:
    return gateway.interface.pk in nearing.due(at=database_now()).watches


def test_a_kernel_is_watched_while_somebody_is_close(
    gateway: Gateway, kernel: Kernel, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VWG_CUTOFF_MBIT = 8  # near below 15 MB, close below 10
    sold = Sold(gateway, left=14 * MB)
    gateway.observe()
    assert kernel.limits
    assert not watched(gateway)
    sold.use(5 * MB)
    gateway.observe()
    assert watched(gateway)
    monkeypatch.setattr(controlled, "_LONG", 0)  # a table that takes long to read
    gateway.observe()
    assert not watched(gateway)


def test_who_is_new_and_close_is_watched_at_once(gateway: Gateway, kernel: Kernel) -> None:
    Sold(gateway, left=MB)
    assert watched(gateway)
    Interface.objects.update(enabled=False)
    assert not watched(gateway)


def test_whom_the_kernel_cuts_the_ledger_holds_at_once(gateway: Gateway, kernel: Kernel) -> None:
    sold = Sold(gateway, left=1000 * MB)
    Usage.objects.all().delete()
    gateway.observe()
    key = Peer.objects.get(pk=sold.peer.pk).applied_key
    gateway.driver.report(key, rx_bytes=400 * MB, tx_bytes=0)
    assert kernel.passes(sold.addresses[0], 390 * MB, up=True)
    number = Interface.objects.get(pk=gateway.interface.pk).observed_seq
    tasks.watch(interface_id=gateway.interface.pk)
    assert Interface.objects.get(pk=gateway.interface.pk).observed_seq == number  # not yet
    gateway.driver.report(key, rx_bytes=1050 * MB, tx_bytes=0)
    assert not kernel.passes(sold.addresses[0], 640 * MB, up=True)
    tasks.watch(interface_id=gateway.interface.pk)
    assert sold.client.holds.filter(closed_at=None, reason="quota").exists()
    number += 1
    tasks.watch(interface_id=gateway.interface.pk)  # it is known
    assert Interface.objects.get(pk=gateway.interface.pk).observed_seq == number
    gateway.apply()
    assert gateway.peers() == {key: ()}


@pytest.mark.parametrize("how", ["missing", "flushed", "strange"])
def test_a_kernel_that_shows_nothing_has_cut_nobody(
    gateway: Gateway, kernel: Kernel, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    Sold(gateway, left=MB)
    gateway.observe()
    if how == "strange":
        monkeypatch.setattr(kernel, "list_table", lambda name: '{"nftables": [{"quota": {}}]}')
    elif how == "flushed":
        kernel.flush()
    else:
        kernel.missing = True
    post = replace(station(gateway.interface), nft=kernel)
    assert controlled.has_cut(gateway.interface, post) is False


def test_switched_off_it_takes_its_table_away(
    gateway: Gateway, kernel: Kernel, settings: LazySettings
) -> None:
    Sold(gateway, left=MB)
    gateway.observe()
    assert kernel.limits
    settings.VWG_CUTOFF = False
    gateway.observe()
    assert kernel.there is False
    assert "VWG_CUTOFF" in told(gateway)["why_not"]


def test_an_interface_that_is_switched_off_leaves_no_table(
    gateway: Gateway, kernel: Kernel
) -> None:
    Sold(gateway, left=MB)
    gateway.observe()
    post = replace(station(gateway.interface), nft=kernel)
    controlled.forget(gateway.interface, post)
    assert kernel.there is False
    assert armed.read(gateway.interface).table == {}


def test_a_failure_of_nft_does_not_disturb_the_books(
    gateway: Gateway, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Sold(gateway, left=MB)
    monkeypatch.setattr(kernel, "list_table", lambda name: '{"nftables": [{"quota": {}}]}')
    gateway.observe()
    gateway.observe()
    assert Peer.objects.get(pk=made.peer.pk).verified_generation > 0


@pytest.mark.parametrize(
    ("missing", "switch", "says"),
    [
        (False, True, "ready"),
        (True, True, "off, nft is not installed"),
        (False, False, "VWG_CUTOFF"),
    ],
)
def test_the_doctor_says_it(
    gateway: Gateway,
    kernel: Kernel,
    settings: LazySettings,
    missing: bool,
    switch: bool,
    says: str,
) -> None:
    kernel.missing, settings.VWG_CUTOFF = missing, switch
    (finding,) = findings.cut_off(gateway.interface)
    assert says in finding.text
    assert ("reads more often" in finding.text) == (missing or not switch)
    assert ("apt-get install" in finding.mend) == missing


def test_render_is_what_was_loaded_first(gateway: Gateway, kernel: Kernel) -> None:
    Sold(gateway, left=MB)
    gateway.observe()
    assert kernel.texts == [render(gateway.interface.name, armed.read(gateway.interface).table)]
