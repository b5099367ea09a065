"""Speeds follow their rows: before a first packet, with every observation, after losses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from control import findings, link, shaping
from gateways.drivers import station
from gateways.models import Interface
from peers.models import Client, Peer
from peers.services.clients import Created
from quotas.models import Shape, Usage
from tenants.models import Tenant
from tests.integration.control.conftest import Gateway
from wireguard.drivers.memory import MemoryDriver
from wireguard.drivers.memory_speeds import MemorySpeeds
from wireguard.errors import DriverForbidden, DriverRejected
from wireguard.plan import Plan
from wireguard.shaper import Speed

pytestmark = pytest.mark.django_db


@pytest.fixture
def speeds(gateway: Gateway) -> MemorySpeeds:
    return gateway.link.speeds


def sell(made: Created, **fields: Any) -> None:
    Client.objects.filter(pk=made.client.pk).update(**fields)


def add(gateway: Gateway, name: str = "Sara", **fields: Any) -> Created:
    made = gateway.add(name)
    sell(made, **fields)
    return made


def another(gateway: Gateway) -> Interface:
    """Another interface of the same host."""
    return Interface.objects.create(
        gateway=gateway.interface.gateway, name="wg9", private_key="x", public_key="y",
        listen_port=51999,
    )  # fmt: skip


def told(gateway: Gateway) -> dict[str, Any]:
    shaping: dict[str, Any] = Interface.objects.get(pk=gateway.interface.pk).shaping
    return shaping


def rates(speeds: MemorySpeeds) -> list[tuple[int | None, int | None]]:
    return [(speed.up_kbit, speed.down_kbit) for _, speed in sorted(speeds.set.items())]


def test_nothing_is_done_where_nobody_has_a_speed(gateway: Gateway, speeds: MemorySpeeds) -> None:
    gateway.add()
    gateway.apply()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        shaping.follow(gateway.interface, station(gateway.interface))
    assert len(captured) == 1
    assert (speeds.remakes, speeds.changes, told(gateway)) == (0, 0, {})


def test_a_new_device_is_limited_before_it_is_on_the_interface(
    gateway: Gateway, speeds: MemorySpeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    send = MemoryDriver.apply

    def watch(self: MemoryDriver, plan: Plan) -> None:
        seen.append(rates(speeds))
        send(self, plan)

    monkeypatch.setattr(MemoryDriver, "apply", watch)
    made = add(gateway, upload_kbit=5000, download_kbit=20000)
    gateway.apply()
    assert seen[0] == [(5000, 20000)]
    shape = Shape.objects.get()
    assert shape.peer_id == made.peer.pk
    assert (shape.minor, shape.up_kbit, shape.down_kbit) == (16, 5000, 20000)
    assert set(shape.addresses.split(",")) == set(gateway.peers()[made.peer.public_key])
    assert {"set": 1, "by": "htb"}.items() <= told(gateway).items()


@pytest.mark.parametrize(
    ("sold", "most", "throttle", "wanted"),
    [
        (50_000, None, None, (50_000, 50_000)),
        (50_000, 30_000, None, (30_000, 30_000)),
        (None, 30_000, None, (30_000, 30_000)),
        (50_000, 30_000, 1000, (1000, 1000)),
        (500, None, 1000, (500, 500)),
        (None, None, 1000, (1000, 1000)),
    ],
)
def test_the_least_of_all_limits_counts(
    gateway: Gateway,
    acme: Tenant,
    speeds: MemorySpeeds,
    sold: int | None,
    most: int | None,
    throttle: int | None,
    wanted: tuple[int, int],
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_speed_kbit=most)
    made = add(gateway, upload_kbit=sold, download_kbit=sold)
    if throttle:
        sell(made, at_limit="throttle", throttle_kbit=throttle)
        Usage.objects.update_or_create(
            client=made.client, defaults={"tenant": acme, "throttled_since": timezone.now()}
        )
    gateway.apply()
    assert rates(speeds) == [wanted]


def test_a_throttle_counts_only_at_the_limit(
    gateway: Gateway, acme: Tenant, speeds: MemorySpeeds
) -> None:
    made = add(gateway, at_limit="throttle", throttle_kbit=1000)
    gateway.apply()
    assert rates(speeds) == []
    Usage.objects.update_or_create(
        client=made.client, defaults={"tenant": acme, "throttled_since": timezone.now()}
    )
    gateway.observe()
    assert rates(speeds) == [(1000, 1000)]
    Usage.objects.update(throttled_since=None)
    gateway.observe()
    assert rates(speeds) == []
    assert told(gateway) == {}
    assert not Shape.objects.exists()
    assert not speeds.there  # no device stays for nobody


def test_each_device_has_a_number_of_its_own(gateway: Gateway, speeds: MemorySpeeds) -> None:
    add(gateway, "one", upload_kbit=1000)
    gateway.apply()
    remakes = speeds.remakes
    add(gateway, "two", upload_kbit=2000)
    gateway.apply()
    assert sorted(speeds.set) == [16, 17]
    assert speeds.remakes == remakes


def test_a_device_that_comes_from_another_interface_is_limited_here(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    add(gateway, "one", upload_kbit=1000)
    gateway.apply()
    other = another(gateway)
    made = add(gateway, "two", upload_kbit=2000)
    Shape.objects.create(
        peer=made.peer, tenant=made.peer.tenant, interface=other, minor=16, up_kbit=2000,
        addresses="10.1.1.1/32", applied_at=timezone.now(),
    )  # fmt: skip
    gateway.apply()
    assert rates(speeds) == [(1000, None), (2000, None)]
    assert Shape.objects.get(peer=made.peer).interface_id == gateway.interface.pk


def test_a_changed_speed_is_sent_alone_with_the_next_observation(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    one = add(gateway, "one", upload_kbit=1000)
    add(gateway, "two", upload_kbit=2000)
    gateway.apply()
    before = speeds.remakes
    sell(one, upload_kbit=None, download_kbit=7000)
    gateway.observe()
    assert rates(speeds) == [(None, 7000), (2000, None)]
    changes = speeds.changes
    gateway.observe()
    assert (speeds.remakes, speeds.changes) == (before, changes)


def test_who_is_blocked_or_deleted_has_no_speed_and_gives_its_number_back(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    one = add(gateway, "one", upload_kbit=1000)
    add(gateway, "two", upload_kbit=2000)
    gateway.apply()
    Peer.objects.filter(pk=one.peer.pk).update(blocked=True)
    gateway.observe()
    assert rates(speeds) == [(2000, None)]
    add(gateway, "three", upload_kbit=3000)
    gateway.apply()
    assert rates(speeds) == [(3000, None), (2000, None)]
    Peer.objects.filter(client__name="three").update(deleted_at=timezone.now())
    gateway.observe()
    assert rates(speeds) == [(2000, None)]
    assert told(gateway)["set"] == 1


def test_another_address_is_limited_as_the_old_one_was(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    made = add(gateway, upload_kbit=1000)
    gateway.apply()
    made.peer.addresses.filter(family=4).update(address="10.77.0.9")
    interface = Interface.objects.get(pk=gateway.interface.pk)
    shaping.precede(interface, station(interface), [made.peer.pk])
    assert "10.77.0.9/32" in speeds.set[16].addresses


def test_what_was_flushed_by_others_comes_back(gateway: Gateway, speeds: MemorySpeeds) -> None:
    add(gateway, upload_kbit=1000)
    gateway.apply()
    set_before = dict(speeds.set)
    speeds.clear()
    gateway.observe()
    assert speeds.set == set_before


def test_another_link_gets_its_speeds_anew(gateway: Gateway, speeds: MemorySpeeds) -> None:
    add(gateway, upload_kbit=1000)
    gateway.apply()
    set_before = dict(speeds.set)
    gateway.link.bring_down()
    speeds.clear()
    link.bring_up(gateway.interface, station(gateway.interface))
    assert speeds.set == set_before
    assert told(gateway)["stamp"] == Interface.objects.get(pk=gateway.interface.pk).stamp


def test_a_link_that_others_stamped_anew_is_noticed_without_a_look(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    add(gateway, upload_kbit=1000)
    gateway.apply()
    remakes = speeds.remakes
    stamp = "0b8f7f4e-0000-4000-8000-000000000002"
    Interface.objects.filter(pk=gateway.interface.pk).update(stamp=stamp)
    gateway.link.stamp_text = stamp
    gateway.observe()
    assert speeds.remakes == remakes + 1


def test_what_differs_from_the_books_is_made_anew(gateway: Gateway, speeds: MemorySpeeds) -> None:
    one = add(gateway, "one", upload_kbit=1000)
    gateway.apply()
    speeds.set[16] = Speed(16, 999, None, ("10.1.1.1/32",))
    sell(one, upload_kbit=1500)
    gateway.observe()
    assert rates(speeds) == [(1500, None)]


def test_a_kernel_without_speeds_keeps_nobody_out_and_is_told_of(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    speeds.error = DriverRejected("speeds: unknown kind", explained=False)
    made = add(gateway, upload_kbit=1000)
    gateway.apply()
    assert made.peer.public_key in gateway.peers()
    assert {"set": 0, "by": "", "reason": "speeds: unknown kind"}.items() <= told(gateway).items()
    assert not Shape.objects.exists()
    speeds.error = None
    gateway.observe()  # not at once again ...
    assert rates(speeds) == []
    then = timezone.now() - timedelta(minutes=2)
    Interface.objects.update(shaping={**told(gateway), "at": then.isoformat()})
    gateway.observe()  # ... but a minute later
    assert rates(speeds) == [(1000, None)]


def test_a_refusal_is_forgotten_when_nobody_has_a_speed_any_more(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    speeds.error = DriverRejected("speeds: unknown kind", explained=False)
    made = add(gateway, upload_kbit=1000)
    gateway.apply()
    sell(made, upload_kbit=None)
    then = timezone.now() - timedelta(minutes=2)
    Interface.objects.update(shaping={**told(gateway), "at": then.isoformat()})
    gateway.observe()
    assert told(gateway) == {}


def test_a_device_that_moved_away_leaves_no_speed_behind(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    made = add(gateway, upload_kbit=1000)
    add(gateway, "stays", upload_kbit=2000)
    gateway.apply()
    other = another(gateway)
    Peer.objects.filter(pk=made.peer.pk).update(interface=other)
    gateway.observe()
    assert rates(speeds) == [(2000, None)]
    assert Shape.objects.count() == 1


def test_an_interface_that_goes_down_takes_its_speeds_along(
    gateway: Gateway, speeds: MemorySpeeds
) -> None:
    add(gateway, upload_kbit=1000)
    gateway.apply()
    interface = Interface.objects.get(pk=gateway.interface.pk)
    shaping.forget(interface, station(interface))
    assert (speeds.set, speeds.there, told(gateway)) == ({}, False, {})
    assert not Shape.objects.exists()


def test_the_doctor_says_that_rights_for_speeds_are_missing_before_somebody_has_one(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(runner: Any, prefix: Any) -> Any:
        raise DriverForbidden("speeds: ip was not permitted")

    monkeypatch.setattr(findings, "missing_modules", forbidden)
    (finding,) = findings.speeds(gateway.interface)
    assert (finding.ok, finding.mend) == (False, "speeds: ip was not permitted")
    assert "not enforced" in finding.text


@pytest.mark.parametrize(
    ("missing", "shaping_row", "says", "mend"),
    [
        ((), {"set": 3, "by": "htb"}, "ready; 3 are set", ""),
        ((), {}, "ready; 0 are set", ""),
        (("ifb",), {}, "not enforced", "modprobe ifb"),
        (
            ("ifb", "sch_htb"),
            {"set": 3, "by": "limit"},
            "no queues",
            "modprobe ifb sch_htb; nft delete table netdev vwgs_wg0 makes them anew",
        ),
        ((), {"set": 3, "by": "limit", "reason": "an ingress"}, "no queues", "an ingress"),
        ((), {"set": 0, "by": "", "reason": "refused"}, "not enforced", "refused"),
    ],
)
def test_the_doctor_says_what_speeds_are_set_by(
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    missing: tuple[str, ...],
    shaping_row: dict[str, Any],
    says: str,
    mend: str,
) -> None:
    monkeypatch.setattr(findings, "missing_modules", lambda runner, prefix: missing)
    gateway.interface.shaping = shaping_row
    (finding,) = findings.speeds(gateway.interface)
    assert says in finding.text
    assert finding.mend == mend
