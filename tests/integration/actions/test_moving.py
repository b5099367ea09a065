"""To another interface, and to another tenant."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface, Job
from peers.models import Client, Peer, PeerAddress, PeerNetwork, ShareLink
from quotas.models import CounterRun, Hold, Meter
from tenants.models import Tenant
from tests.integration.actions.conftest import URL, Shop, events, snapshot
from tests.make import (
    make_client,
    make_gateway,
    make_interface,
    make_meter,
    make_peer,
    make_plan,
    make_simulated,
)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.fixture
def other(interface: Interface) -> Interface:
    """wg1 of the same gateway."""
    return make_interface(
        name="wg1", addresses=["10.9.0.1/24"], listen_port=51821, is_default=False
    )


@pytest.fixture
def twin() -> Interface:
    """wg7 of another gateway, with the same networks as wg0 of the first."""
    return make_interface(gateway=make_gateway("far"), name="wg7", is_default=False)


# -- Move -----------------------------------------------------------------------------------------


def test_a_moved_device_has_new_addresses_and_all_else_as_it_was(
    shop: Shop, interface: Interface, other: Interface
) -> None:
    made = shop.create(networks=["192.168.7.0/24"], mtu=1400, dns_servers=["9.9.9.9"])
    Peer.objects.update(applied_key=made["devices"][0]["public_key"])
    meter = make_meter(Peer.objects.get(), up=7)
    run = CounterRun.objects.create(interface=interface, began_at=Peer.objects.get().created_at)
    Meter.objects.update(run=run, rx=7, incarnation=1, seq=3)
    body = shop.done(made, "move", interface="wg1")
    old, new = made["devices"][0], body["devices"][0]
    assert (new["interface"], new["addresses"]) == ("wg1", ["10.9.0.2/32"])
    for name in ("id", "public_key", "networks", "mtu", "dns_servers", "preshared_key_set"):
        assert new[name] == old[name]
    peer = Peer.objects.get(uuid=new["id"])
    assert (peer.applied_key, peer.applied_generation) == ("", 0)
    meter.refresh_from_db()
    assert (meter.peer, meter.interface, meter.run, meter.rx, meter.raw_up) == (
        peer, other, None, 0, 7,
    )  # fmt: skip
    grave = Peer.objects.get(deleted_at__isnull=False)
    assert (grave.interface, grave.applied_key) == (interface, old["public_key"])
    left = grave.meter
    assert (left.interface, left.run, left.rx, left.incarnation, left.raw_up) == (
        interface, run, 7, 1, 0,
    )  # fmt: skip
    assert (grave.public_key, grave.preshared_key) == (old["public_key"], "")
    assert PeerAddress.objects.filter(peer__isnull=True, address="10.252.0.2").exists()
    job = Job.objects.get(uuid=body["job"]["id"])
    assert {(item.peer, item.interface) for item in job.items.all()} == {
        (grave, interface),
        (peer, other),
    }
    assert job.kind == "move"
    assert events(made) == ["client.created", "client.moved"]
    assert shop.read(made)["devices"] == [new]


def test_addresses_stay_where_they_can(shop: Shop, twin: Interface) -> None:
    made = shop.create()
    body = shop.done(made, "move", interface=str(twin.uuid))
    assert body["devices"][0]["addresses"] == made["devices"][0]["addresses"]


def test_an_address_that_somebody_has_there_is_not_taken_from_him(
    shop: Shop, twin: Interface, evil: Tenant
) -> None:
    made = shop.create()
    victim = make_peer(make_client(evil), twin)
    body = shop.done(made, "move", interface="wg7")
    assert body["devices"][0]["addresses"] == ["10.252.0.3/32", "fd52:7677:6721::3/128"]
    assert victim.addresses.count() == 2


def test_moving_there_and_back_is_the_old_address_again(
    shop: Shop, interface: Interface, twin: Interface
) -> None:
    made = shop.create()
    shop.done(made, "move", interface="wg7")
    body = shop.done(made, "move", interface="wg0")
    assert body["devices"][0]["addresses"] == made["devices"][0]["addresses"]


def test_the_file_that_was_handed_out_is_outdated(shop: Shop, other: Interface) -> None:
    made = shop.create()
    Peer.objects.update(delivered_generation=900)
    shop.done(made, "move", interface="wg1")
    peer = Peer.objects.select_related("interface__gateway").get(deleted_at=None)
    others = 1 + peer.interface.config_generation + peer.interface.gateway.config_generation
    assert peer.file_generation + others > 900


def test_all_devices_move_and_those_that_are_there_stay(
    shop: Shop, interface: Interface, other: Interface
) -> None:
    made = shop.create()
    there = make_peer(Client.objects.get(), other)
    body = shop.done(made, "move", interface="wg1")
    assert [one["interface"] for one in body["devices"]] == ["wg1", "wg1"]
    there.refresh_from_db()
    assert there.generation == 1
    before = snapshot()
    assert shop.done(made, "move", interface="wg1")["job"]["status"] == "succeeded"
    assert snapshot() == before


def test_what_stands_against_a_move(
    shop: Shop, acme: Tenant, other: Interface, mallory_api: APIClient
) -> None:
    made = shop.create(networks=["192.168.7.0/24"])
    key = made["devices"][0]["public_key"]
    mine = {"name": "m", "public_key": key, "interface": "wg1"}
    assert mallory_api.post(URL, mine).status_code == 201
    before = snapshot()
    assert code_of(shop.act(made, "move", interface="wg1")) == (409, "key_taken")
    assert code_of(shop.act(made, "move", interface="wg9")) == (400, "interface_unknown")
    make_simulated()
    assert code_of(shop.act(made, "move", interface="sim0")) == (400, "interface_unknown")
    assert code_of(shop.act(made, "move")) == (400, "required")
    assert code_of(shop.act(made, "move", interface=7)) == (400, "not_text")
    acme.limits_interfaces = True
    acme.save()
    assert code_of(shop.act(made, "move", interface="wg1")) == (400, "interface_unknown")
    assert snapshot() == before
    assert PeerAddress.objects.filter(peer__client__uuid=made["id"]).count() == 2


def test_a_blocked_device_stays_blocked(shop: Shop, other: Interface) -> None:
    made = shop.create()
    shop.done(made, "suspend")
    shop.done(made, "move", interface="wg1")
    assert list(Peer.objects.values_list("blocked", flat=True)) == [True, True]


# -- Change of plan -------------------------------------------------------------------------------


def test_another_plan(shop: Shop, acme: Tenant, evil: Tenant) -> None:
    made, plan = shop.create(), make_plan(acme, total_bytes=7)
    body = shop.done(made, "change-plan", plan=str(plan.uuid), expires_at="2099-01-01T00:00:00Z")
    assert (body["plan"], body["quota_bytes"]) == (str(plan.uuid), 7)
    assert body["expires_at"] == "2099-01-01T00:00:00Z"
    before = snapshot()
    foreign = str(make_plan(evil).uuid)
    assert code_of(shop.act(made, "change-plan", plan=foreign)) == (400, "plan_unknown")
    assert code_of(shop.act(made, "change-plan")) == (400, "required")
    assert shop.done(made, "change-plan", plan=str(plan.uuid))["job"]["status"] == "succeeded"
    assert snapshot() == before
    assert shop.done(made, "change-plan", plan=None)["plan"] is None


# -- Transfer -------------------------------------------------------------------------------------


def transfer(api: APIClient, client: dict[str, Any], **body: Any) -> Any:
    return api.post(
        f"{URL}/{client['id']}/transfer",
        {"tenant": "evil", **body},
        headers={"X-VWG-Tenant": "acme"},
    )


def test_a_client_goes_over_with_all_it_has(
    shop: Shop, operator_api: APIClient, mallory_api: APIClient, evil: Tenant, acme: Tenant
) -> None:
    plan = make_plan(acme, total_bytes=7)
    made = shop.create(external_id="order-1", networks=["192.168.7.0/24"], plan=str(plan.uuid))
    shop.done(made, "suspend", reason="unpaid")
    peer = Peer.objects.get()
    link = ShareLink.objects.create(tenant=acme, peer=peer, digest="d" * 64)
    answer = transfer(operator_api, made)
    assert answer.status_code == 200, answer.content
    assert shop.api.get(f"{URL}/{made['id']}").status_code == 404
    theirs = mallory_api.get(f"{URL}/{made['id']}").json()
    assert (theirs["external_id"], theirs["plan"], theirs["quota_bytes"]) == ("order-1", None, 7)
    assert [hold["note"] for hold in theirs["holds"]] == ["unpaid"]
    device = dict(made["devices"][0])
    for name in ("id", "public_key", "addresses", "networks"):
        assert theirs["devices"][0][name] == device[name]
    for model in (Peer, PeerAddress, PeerNetwork, Hold, ShareLink):
        assert set(model._default_manager.values_list("tenant", flat=True)) == {evil.pk}
    link.refresh_from_db()
    assert link.revoked_at is not None
    peer.refresh_from_db()
    assert peer.generation == 2  # of the suspension: WireGuard need not learn of a transfer
    event = AuditEvent.objects.get(action="client.transferred")
    assert (event.tenant, event.after["tenant"]) == (acme, str(evil.uuid))
    assert (event.before["plan"], event.by_operator) == (str(plan.uuid), True)


def test_it_can_get_a_plan_of_the_new_tenant(
    shop: Shop, operator_api: APIClient, acme: Tenant, evil: Tenant
) -> None:
    made, theirs, ours = shop.create(), make_plan(evil), make_plan(acme)
    assert code_of(transfer(operator_api, made, plan=str(ours.uuid))) == (400, "plan_unknown")
    assert transfer(operator_api, made, plan=str(theirs.uuid)).json()["plan"] == str(theirs.uuid)


def test_its_holds_follow_the_new_tenants_status(
    shop: Shop, operator_api: APIClient, evil: Tenant
) -> None:
    made = shop.create()
    evil.status = Tenant.Status.SUSPENDED
    evil.save()
    body = transfer(operator_api, made, tenant=str(evil.uuid)).json()
    assert [hold["reason"] for hold in body["holds"]] == ["tenant-suspended"]
    assert (Peer.objects.get().blocked, body["job"]["status"]) == (True, "pending")


def test_what_stands_against_a_transfer(
    shop: Shop, operator_api: APIClient, evil: Tenant, acme: Tenant, mallory_api: APIClient
) -> None:
    made = shop.create(external_id="order-1")
    assert mallory_api.post(URL, {"name": "m", "external_id": "order-1"}).status_code == 201
    before = snapshot()

    def refusal(**fields: Any) -> tuple[int, str]:
        for name, value in fields.items():
            setattr(evil, name, value)
        evil.save()
        return code_of(transfer(operator_api, made))

    assert refusal() == (409, "external_id_taken")
    Client.objects.filter(tenant=evil).update(external_id=None)
    assert refusal(max_clients=1) == (409, "limit_clients")
    assert refusal(max_clients=None, max_devices_per_client=0) == (409, "limit_devices")
    assert refusal(max_devices_per_client=None, limits_interfaces=True) == (409, "not_sellable")
    assert refusal(limits_interfaces=False, limits_pools=True) == (409, "not_sellable")
    assert refusal(limits_pools=False, sandbox_of=acme) == (409, "not_sellable")
    assert refusal(sandbox_of=None, status="closed") == (409, "already_closed")
    assert code_of(transfer(operator_api, made, tenant="nobody")) == (400, "tenant_unknown")
    assert snapshot() == before
    assert transfer(operator_api, made, tenant="acme").json()["job"]["status"] == "succeeded"
    assert snapshot() == before


def test_only_a_full_operator_transfers(
    shop: Shop, alice_api: APIClient, auditor: Any, mallory_api: APIClient
) -> None:
    made = shop.create()
    before = snapshot()
    url = f"{URL}/{made['id']}/transfer"
    assert alice_api.post(url, {"tenant": "evil"}).status_code == 403
    assert mallory_api.post(url, {"tenant": "evil"}).status_code == 403
    auditor_api = APIClient()
    auditor_api.force_login(auditor)
    auditor_api.default_format = "json"
    answer = auditor_api.post(url, {"tenant": "evil"}, headers={"X-VWG-Tenant": "acme"})
    assert answer.status_code == 403
    assert snapshot() == before


def test_a_tombstone_goes_along(
    shop: Shop, operator_api: APIClient, evil: Tenant, other: Interface
) -> None:
    made = shop.create()
    shop.done(made, "move", interface="wg1")
    assert transfer(operator_api, made).status_code == 200
    assert set(Peer.objects.values_list("tenant", flat=True)) == {evil.pk}
    assert Peer.objects.count() == 2
