"""Named faults against the ledger in the database, each beside what a naive build makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from control import escalation, harvest, metering, meters, observe, tier1
from control.auditing import audit
from gateways.drivers import station
from gateways.models import Gateway as Host
from gateways.models import Interface
from peers.models import Client, Peer
from peers.services.clients import delete_client, disable_client, enable_client
from peers.services.due import purge_due
from peers.services.removal import restore_client
from peers.services.rotation import rotate_keys
from peers.services.transfer import transfer_client
from quotas.metering import Flag
from quotas.models import LedgerSegment, Meter, TenantUsage, Usage
from tenants.models import Tenant
from tests.integration.control.conftest import Gateway
from tests.make import make_public_key, make_tenant
from wireguard.errors import DriverRejected
from wireguard.plan import PeerChange, Plan

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """kill -9, as far as a test can do it in its own process."""


@pytest.fixture
def made(gateway: Gateway) -> Any:
    """A device that has counted 1000 and 2000."""
    made = gateway.add()
    gateway.apply()
    count(gateway, made, 1000, 2000)
    gateway.observe()
    return made


def count(gateway: Gateway, made: Any, rx: int, tx: int) -> None:
    key = Peer.objects.get(pk=made.peer.pk).applied_key or made.peer.public_key
    gateway.driver.report(key, rx_bytes=rx, tx_bytes=tx)


def crash(gateway: Gateway) -> None:
    """Somebody kills the interface; it is found gone, and brought back."""
    gateway.link.bring_down()
    gateway.driver.exists = False
    gateway.observe()
    gateway.driver.exists = True
    gateway.apply()


def used(made: Any) -> tuple[int, int]:
    usage = Usage.objects.get(client=made.client.pk)
    return usage.raw_up, usage.raw_down


def billed(made: Any) -> tuple[int, int]:
    usage = Usage.objects.get(client=made.client.pk)
    return usage.billed_up, usage.billed_down


def fresh(gateway: Gateway) -> Interface:
    return Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)


def told(gateway: Gateway, made: Any) -> dict[str, Any]:
    return {"caller": gateway.caller, "client_id": made.client.uuid, "at": timezone.now()}


def flags() -> list[Flag]:
    return [
        Flag(one) for one in LedgerSegment.objects.order_by("pk").values_list("flags", flat=True)
    ]


def assert_right() -> None:
    assert [check for check in audit() if check.violations] == []


def test_a_stale_dump_that_is_fed_again_adds_nothing(gateway: Gateway, made: Any) -> None:
    post = station(fresh(gateway))
    old = observe.read(fresh(gateway), post)  # F17: 1000 and 2000
    count(gateway, made, 5000, 6000)
    gateway.observe()
    for _ in range(2):
        observe.keep_books(fresh(gateway), post, old)
    assert used(made) == (5000, 6000)  # naive, "smaller is a reset": 6000 and 8000
    gateway.observe()
    assert used(made) == (5000, 6000)  # naive: 10000 and 12000
    assert_right()


def test_what_a_crash_took_is_flagged_and_nothing_is_counted_twice(
    gateway: Gateway, made: Any
) -> None:
    count(gateway, made, 1500, 2500)  # never read
    crash(gateway)  # F21
    count(gateway, made, 10, 20)
    gateway.observe()
    assert used(made) == (1010, 2020)
    assert flags() == [Flag.BEGAN, Flag.RESTARTED | Flag.GAP]
    assert_right()


def test_counters_that_overtook_after_a_restart_are_counted_from_0(
    gateway: Gateway, made: Any
) -> None:
    crash(gateway)  # F22
    count(gateway, made, 3000, 7000)
    gateway.observe()
    assert used(made) == (4000, 9000)  # by the counters alone: 3000 and 7000
    assert_right()


def test_a_planned_restart_loses_nothing_and_nothing_is_in_doubt(
    gateway: Gateway, made: Any
) -> None:
    count(gateway, made, 1500, 2500)
    escalation.restart(fresh(gateway), station(fresh(gateway)))
    count(gateway, made, 3000, 7000)
    gateway.observe()
    assert used(made) == (4500, 9500)
    assert flags() == [Flag.BEGAN, Flag.BEGAN]
    assert_right()


def test_a_peer_that_an_outsider_added_again_is_counted_from_0(gateway: Gateway, made: Any) -> None:
    peer = Peer.objects.get(pk=made.peer.pk)
    ips = gateway.peers()[peer.public_key]
    gateway.driver.apply(Plan(removals=[peer.public_key]))  # F23
    gateway.driver.apply(Plan(changes=[PeerChange(peer.public_key, ips, is_new=True)]))
    count(gateway, made, 900, 5000)
    gateway.observe()
    assert used(made) == (1900, 7000)
    assert flags()[-1] == Flag.FELL | Flag.GAP
    assert_right()


def test_a_peer_added_again_and_read_before_it_counted_anything(
    gateway: Gateway, made: Any
) -> None:
    peer = Peer.objects.get(pk=made.peer.pk)
    ips = gateway.peers()[peer.public_key]
    gateway.driver.apply(Plan(removals=[peer.public_key]))
    gateway.driver.apply(Plan(changes=[PeerChange(peer.public_key, ips, is_new=True)]))
    gateway.observe()
    count(gateway, made, 3000, 7000)
    gateway.observe()
    assert used(made) == (4000, 9000)
    assert_right()


def test_bytes_between_the_last_poll_and_a_removal(gateway: Gateway, made: Any) -> None:
    count(gateway, made, 190_000, 380_000)  # F25; naive: 1000 and 2000
    delete_client(**told(gateway, made))
    gateway.apply()
    assert used(made) == (190_000, 380_000)
    assert_right()


def test_no_byte_passes_between_the_last_reading_and_the_removal(
    gateway: Gateway, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gateway.driver.apply

    def last_moment(plan: Plan) -> None:
        if plan.removals and gateway.peers()[made.peer.public_key]:
            count(gateway, made, 300_000, 400_000)  # F25: it passed, and nobody ever reads it
        real(plan)

    monkeypatch.setattr(gateway.driver, "apply", last_moment)
    count(gateway, made, 190_000, 380_000)
    delete_client(**told(gateway, made))
    passed = [(190_000, 380_000)]
    monkeypatch.setattr(gateway.driver, "report", lambda *_, **__: passed.append((0, 0)))
    gateway.apply()
    assert gateway.peers() == {}
    assert passed == [(190_000, 380_000)]
    assert used(made) == passed[0]
    assert_right()


@pytest.mark.parametrize("build", ["ours", "naive"])
def test_killed_between_the_commit_of_a_reading_and_the_removal(
    gateway: Gateway, made: Any, monkeypatch: pytest.MonkeyPatch, build: str
) -> None:
    """F02. A build that closes its meter with the last reading counts it twice."""
    real = metering.account

    def closes_too_soon(*args: Any) -> int:
        done = real(*args)
        meters.close([made.peer.pk])
        return done

    def killed(*args: Any) -> int:
        (closes_too_soon if build == "naive" else real)(*args)
        raise Killed

    count(gateway, made, 5000, 6000)
    delete_client(**told(gateway, made))
    with monkeypatch.context() as patch:
        patch.setattr(harvest, "account", killed)
        with pytest.raises(Killed):
            gateway.apply()
    assert gateway.peers() == {made.peer.public_key: ()}
    assert used(made) == (5000, 6000)
    count(gateway, made, 5900, 6000)  # what a frozen peer sends in vain
    gateway.apply()
    assert gateway.peers() == {}
    assert used(made) == ((5900, 6000) if build == "ours" else (10_900, 12_000))
    assert billed(made) == ((5000, 6000) if build == "ours" else (10_900, 12_000))


def test_removed_and_killed_before_it_is_written_down_and_restored(
    gateway: Gateway, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Killed

    delete_client(**told(gateway, made))
    with monkeypatch.context() as patch:
        patch.setattr(tier1, "write", die)
        with pytest.raises(Killed):
            gateway.apply()
    gateway.observe()  # it is missing
    restore_client(**told(gateway, made))
    gateway.apply()
    count(gateway, made, 1500, 2500)
    gateway.observe()
    assert used(made) == (2500, 4500)
    assert_right()


def test_who_is_off_is_counted_and_not_billed(gateway: Gateway, made: Any) -> None:
    count(gateway, made, 1100, 2200)
    disable_client(**told(gateway, made), note="")
    gateway.apply()  # what passed before is billed
    assert billed(made) == (1100, 2200)
    count(gateway, made, 1400, 2200)
    gateway.observe()
    count(gateway, made, 1500, 2200)
    enable_client(**told(gateway, made))
    gateway.apply()  # and what it sent in vain is not
    assert (used(made), billed(made)) == ((1500, 2200), (1100, 2200))
    count(gateway, made, 1501, 2202)
    gateway.observe()
    assert (used(made), billed(made)) == ((1501, 2202), (1101, 2202))
    assert Flag.OFF in flags()[-1]
    assert_right()


def test_only_what_must_be_read_is_read(gateway: Gateway, made: Any) -> None:
    """A dump of 10,000 peers takes longer than all the rest of a change."""

    def calls(act: Any) -> list[str]:
        act()
        gateway.driver.calls.clear()
        gateway.apply()
        return gateway.driver.calls

    assert calls(lambda: gateway.add("another")) == ["apply"]
    changed = Peer.objects.filter(pk=made.peer.pk)
    assert "read" not in calls(lambda: changed.update(persistent_keepalive=7, generation=2))
    assert calls(lambda: disable_client(**told(gateway, made), note="")) == ["apply", "read"]
    assert calls(lambda: enable_client(**told(gateway, made))) == ["read", "apply"]
    assert calls(lambda: delete_client(**told(gateway, made))) == ["read", "apply", "read", "apply"]
    assert calls(lambda: restore_client(**told(gateway, made))) == ["apply"]


def test_a_key_that_goes_over_to_another_client_takes_no_bytes_along(
    gateway: Gateway, made: Any
) -> None:
    count(gateway, made, 5000, 6000)
    delete_client(**told(gateway, made))
    heir = gateway.add("heir", public_key=made.peer.public_key)
    gateway.apply()
    assert used(made) == (5000, 6000)
    gateway.driver.report(made.peer.public_key, rx_bytes=5007, tx_bytes=6008)
    gateway.observe()
    assert (used(made), used(heir)) == ((5000, 6000), (7, 8))
    assert_right()


def refuse(*_: object) -> None:
    """So that a change is made by the whole text (tier 2)."""
    raise DriverRejected("Unable to modify interface", explained=False)


def test_who_is_blocked_by_the_whole_text_is_not_billed_from_then_on(
    gateway: Gateway, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    disable_client(**told(gateway, made), note="")
    monkeypatch.setattr(gateway.driver, "apply", refuse)
    gateway.apply()
    assert gateway.peers() == {made.peer.public_key: ()}
    count(gateway, made, 1500, 2000)
    gateway.observe()
    assert (used(made), billed(made)) == ((1500, 2000), (1000, 2000))
    assert_right()


def test_what_passes_before_the_whole_text_removes_somebody(
    gateway: Gateway, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gateway.driver.sync

    def late(*args: Any) -> None:
        if gateway.peers()[made.peer.public_key]:
            count(gateway, made, 5000, 6000)
        real(*args)

    monkeypatch.setattr(gateway.driver, "sync", late)
    delete_client(**told(gateway, made))
    monkeypatch.setattr(gateway.driver, "apply", refuse)
    gateway.apply()
    assert gateway.peers() == {}
    assert (used(made), billed(made)) == ((5000, 6000), (5000, 6000))
    assert_right()


@pytest.mark.parametrize("applied", [True, False])
def test_a_stale_dump_says_nothing_of_the_next_client_with_the_same_key(
    gateway: Gateway, made: Any, applied: bool
) -> None:
    old = observe.read(fresh(gateway), station(fresh(gateway)))
    delete_client(**told(gateway, made))
    gateway.apply()
    heir = gateway.add("heir", public_key=made.peer.public_key)
    if applied:
        gateway.apply()
    observe.keep_books(fresh(gateway), station(fresh(gateway)), old)
    gateway.apply()
    count(gateway, made, 7, 8)
    gateway.observe()
    assert (used(made), used(heir)) == ((1000, 2000), (7, 8))
    assert_right()


def test_a_stale_dump_says_nothing_of_who_had_the_key_before(gateway: Gateway, made: Any) -> None:
    """It shows a key that was an heir's then and is nobody's now."""
    key = gateway.add("first").peer.public_key
    first = Client.objects.get(name="first")
    delete_client(caller=gateway.caller, client_id=first.uuid, at=timezone.now())
    heir = gateway.add("heir", public_key=key)
    gateway.apply()
    gateway.observe()
    gateway.driver.report(key, rx_bytes=7, tx_bytes=8)
    old = observe.read(fresh(gateway), station(fresh(gateway)))
    rotate_keys(caller=gateway.caller, client_id=heir.client.uuid, at=timezone.now())
    gateway.apply()
    for _ in range(2):  # and does not believe that the key runs still
        observe.keep_books(fresh(gateway), station(fresh(gateway)), old)
        old = replace(old, number=old.number + 1)
    assert used(heir) == (7, 8)
    assert not Usage.objects.filter(client=first).exists()
    assert_right()


@pytest.mark.parametrize("metered", [True, False])
def test_a_dump_from_before_an_adoption_adds_nothing_twice(
    gateway: Gateway, acme: Tenant, metered: bool
) -> None:
    """The link lost its alias, and an operator adopts it: its counters go on."""
    made = gateway.add()
    gateway.apply()
    count(gateway, made, 1000, 2000)
    if metered:
        gateway.observe()
    old = observe.read(fresh(gateway), station(fresh(gateway)))
    gateway.link.stamp_text = ""
    call_command("adopt", interface=gateway.interface.name, tenant=acme.slug)
    observe.keep_books(fresh(gateway), station(fresh(gateway)), old)
    count(gateway, made, 1300, 2300)
    gateway.observe()
    assert used(made) == (1300, 2300)
    assert_right()


def test_a_usage_factor_bills_more_or_less(gateway: Gateway, made: Any) -> None:
    Host.objects.update(usage_percent=50)
    for rx in (1001, 1002, 1003):
        count(gateway, made, rx, 2000)
        gateway.observe()
    assert (used(made), billed(made)) == ((1003, 2000), (1001, 2000))
    Host.objects.update(usage_percent=300)
    count(gateway, made, 1003, 2010)
    gateway.observe()
    assert billed(made) == (1001, 2030)


def test_bytes_stay_in_the_books_of_the_tenant_that_sold_them(
    gateway: Gateway, made: Any, acme: Tenant
) -> None:
    other = make_tenant("other")
    for tenant, rx in ((other, 1500), (acme, 1700)):
        before = Client.objects.get(pk=made.client.pk).tenant
        caller = gateway.caller.__class__(
            tenant=before, operator="full", scopes=frozenset({"*"}), actor=gateway.caller.actor
        )
        transfer_client(caller=caller, client_id=made.client.uuid, tenant=tenant, at=timezone.now())
        count(gateway, made, rx, 2000)
        gateway.observe()
    assert dict(TenantUsage.objects.values_list("tenant__slug", "raw_up")) == {
        acme.slug: 1200, "other": 500,
    }  # fmt: skip
    assert used(made) == (1700, 2000)
    assert_right()


def test_a_purged_client_stays_in_the_books_by_the_name_it_had_last(
    gateway: Gateway, made: Any
) -> None:
    Client.objects.filter(pk=made.client.pk).update(name="Sara K.", external_id="order-7")
    delete_client(**told(gateway, made))
    gateway.apply()
    Client.objects.update(purge_at=timezone.now())
    purge_due(at=timezone.now())
    meter = Meter.objects.get()
    assert (meter.peer, meter.client, meter.client_name, meter.external_id) == (
        None, None, "Sara K.", "order-7",
    )  # fmt: skip
    assert (meter.raw_up, TenantUsage.objects.get().raw_up) == (1000, 1000)
    assert_right()


def test_a_quarter_that_is_rolled_up_is_not_written_any_more(gateway: Gateway, made: Any) -> None:
    LedgerSegment.objects.update(rolled_up=True)
    count(gateway, made, 1300, 2000)
    gateway.observe()
    first, second = LedgerSegment.objects.order_by("pk")
    assert (first.to_rx, second.from_rx, second.to_rx) == (1000, 1000, 1300)
    assert second.quarter > first.quarter
    assert used(made) == (1300, 2000)


def test_an_adopted_peer_begins_with_what_comes_from_now_on(gateway: Gateway, acme: Tenant) -> None:
    key = make_public_key()
    gateway.driver.apply(Plan(changes=[PeerChange(key, ("10.252.7.7/32",), is_new=True)]))
    gateway.driver.report(key, rx_bytes=10**9, tx_bytes=10**10)
    call_command("adopt", interface=gateway.interface.name, tenant=acme.slug)
    gateway.driver.report(key, rx_bytes=10**9 + 5, tx_bytes=10**10 + 6)
    gateway.observe()
    usage = Usage.objects.get()
    assert (usage.raw_up, usage.raw_down) == (5, 6)
    assert_right()


WRONG: dict[str, Callable[[], object]] = {
    "torn": lambda: LedgerSegment.objects.update(from_rx=1, from_tx=1),
    "ahead": lambda: LedgerSegment.objects.update(to_rx=1001),
    "lost": lambda: Meter.objects.update(raw_up=1001, billed_up=1001),
    "twice": lambda: Usage.objects.update(billed_down=4000),
    "gone": lambda: TenantUsage.objects.all().delete(),
    "billed": lambda: LedgerSegment.objects.update(billed_up=1001),
    "behind": lambda: Meter.objects.update(rx=999),
}


@pytest.mark.parametrize("fault", WRONG)
def test_the_audit_finds_what_is_wrong(
    gateway: Gateway, made: Any, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    count(gateway, made, 1200, 2000)
    LedgerSegment.objects.update(rolled_up=True)  # so that there are two
    gateway.observe()
    LedgerSegment.objects.update(rolled_up=False)
    call_command("audit_ledger")
    assert "the ledger is right" in capsys.readouterr().out
    WRONG[fault]()
    with pytest.raises(SystemExit):
        call_command("audit_ledger")
    assert "WRONG" in capsys.readouterr().out


def test_the_audit_reads_the_interface(gateway: Gateway, made: Any) -> None:
    count(gateway, made, 900, 2000)
    with pytest.raises(SystemExit):
        call_command("audit_ledger")
