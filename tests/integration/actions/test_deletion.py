"""Deleting a client, undoing it, and the end of the undo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import GlobalSetting, Interface, Job
from peers.models import Client, Peer, PeerAddress, PeerKey, PeerNetwork
from peers.services.due import purge_due
from quotas.models import Hold
from tenants.models import Tenant
from tests.integration.actions.conftest import URL, Shop, events, snapshot
from tests.make import make_client, make_peer, make_public_key


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def taken_off(client: dict[str, Any]) -> None:
    """As the worker leaves the rows when the peer is off the interface."""
    for peer in Peer.objects.filter(client__uuid=client["id"]):
        peer.applied_generation = peer.generation
        peer.save()


def over() -> None:
    """The time of every undo is over, and the schedule was there."""
    purge_due(at=timezone.now() + timedelta(days=2))


def test_deleted_clients_keep_what_they_have_until_they_are_purged(shop: Shop) -> None:
    made = shop.create(networks=["192.168.7.0/24"])
    before = timezone.now()
    body = shop.done(made, "terminate")
    peer = Peer.objects.get()
    assert (body["state"], body["devices"][0]["id"]) == ("deleted", made["devices"][0]["id"])
    client = Client.objects.get()
    assert client.purge_at is not None
    assert before <= client.purge_at - timedelta(days=1) <= timezone.now()
    assert (peer.addresses.count(), peer.networks.count()) == (2, 1)
    assert (PeerKey.objects.count(), bool(peer.preshared_key)) == (1, True)
    taken_off(made)
    over()
    assert not PeerNetwork.objects.exists()
    assert (PeerKey.objects.count(), Peer.objects.exclude(preshared_key="").count()) == (0, 0)
    assert PeerAddress.objects.filter(peer__isnull=True).count() == 2
    assert events(made) == ["client.created", "client.deleted", "client.purged"]
    assert code_of(shop.act(made, "restore")) == (404, "not_found")
    assert code_of(shop.act(made, "terminate")) == (404, "not_found")


def test_without_an_undo_secrets_are_destroyed_at_once(shop: Shop) -> None:
    GlobalSetting.objects.update(undelete_seconds=0)
    made = shop.create(networks=["192.168.7.0/24"])
    assert shop.api.delete(f"{URL}/{made['id']}").status_code == 204
    peer = Peer.objects.get()
    assert (peer.addresses.count(), peer.networks.count()) == (0, 0)
    assert (PeerKey.objects.count(), peer.preshared_key) == (0, "")
    assert code_of(shop.act(made, "restore")) == (404, "not_found")


def test_a_client_comes_back_as_it_was(shop: Shop) -> None:
    made = shop.create(external_id="order-1", networks=["192.168.7.0/24"], tags=["gold"])
    config = shop.api.get(f"{URL}/{made['id']}/config").content
    assert shop.api.delete(f"{URL}/{made['id']}").status_code == 204
    assert shop.api.get(f"{URL}/{made['id']}").status_code == 404
    body = shop.done(made, "restore")
    assert (body["state"], body["version"], body["deleted_at"]) == ("pending", 3, None)
    for name in ("external_id", "tags", "name"):
        assert body[name] == made[name]
    for name in ("id", "public_key", "addresses", "networks", "preshared_key_set"):
        assert body["devices"][0][name] == made["devices"][0][name]
    assert shop.api.get(f"{URL}/{made['id']}/config").content == config
    peer = Peer.objects.get()
    assert (peer.deleted_at, peer.generation) == (None, 3)
    job = Job.objects.get(uuid=body["job"]["id"])
    assert (job.kind, job.items.get().peer) == ("restore", peer)
    assert events(made) == [
        "client.created",
        "config.revealed",
        "client.deleted",
        "client.restored",
        "config.revealed",
    ]


def test_terminate_again_is_the_same_answer(shop: Shop) -> None:
    made = shop.create(external_id="order-1")
    first = shop.done(made, "terminate")
    before = snapshot()
    again = shop.done(made, "terminate")
    assert (again["deleted_at"], again["job"]["status"]) == (first["deleted_at"], "succeeded")
    by_own_id = shop.api.post(f"{URL}/by-external-id/order-1/terminate")
    assert by_own_id.json()["id"] == made["id"]
    assert snapshot() == before


def test_an_own_id_names_the_living_before_the_dead(shop: Shop) -> None:
    old = shop.create(external_id="order-1")
    shop.done(old, "terminate")
    older_too = shop.create(external_id="order-1")
    shop.done(older_too, "terminate")
    url = f"{URL}/by-external-id/order-1/restore"
    assert shop.api.post(url).json()["id"] == older_too["id"]  # the one deleted last
    assert shop.api.post(url).json()["job"]["status"] == "succeeded"
    assert Client.objects.get(uuid=old["id"]).deleted_at is not None


def test_the_founding_call_deletes_with_an_undo_too(shop: Shop) -> None:
    made = shop.create()
    key = made["devices"][0]["public_key"]
    assert shop.api.post("/api/wg/remove-peer", {"public_key": key}).status_code == 202
    assert shop.done(made, "restore")["devices"][0]["public_key"] == key


# -- Where it no longer fits ---------------------------------------------------------------------


def test_not_when_another_has_its_external_id(shop: Shop) -> None:
    made = shop.create(external_id="order-1")
    shop.done(made, "terminate")
    shop.create(external_id="order-1")
    before = snapshot()
    assert code_of(shop.act(made, "restore")) == (409, "external_id_taken")
    assert snapshot() == before


def test_not_when_another_has_its_key(shop: Shop, mallory_api: APIClient) -> None:
    made = shop.create()
    key = made["devices"][0]["public_key"]
    shop.done(made, "terminate")
    assert mallory_api.post(URL, {"name": "m", "public_key": key}).status_code == 201
    before = snapshot()
    answer = shop.act(made, "restore")
    assert code_of(answer) == (409, "key_taken")
    assert "evil" not in answer.content.decode()
    assert snapshot() == before


def test_not_beyond_the_tenants_limits(shop: Shop, acme: Tenant) -> None:
    made = shop.create()
    shop.done(made, "terminate")
    acme.max_clients = 1
    acme.save()
    other = shop.create()
    assert code_of(shop.act(made, "restore")) == (409, "limit_clients")
    assert shop.api.delete(f"{URL}/{other['id']}").status_code == 204
    acme.max_devices_per_client = 0
    acme.save()
    assert code_of(shop.act(made, "restore")) == (409, "limit_devices")


def test_others_cannot_have_what_it_keeps(shop: Shop, mallory_api: APIClient) -> None:
    made = shop.create(addresses=["10.252.0.9"], networks=["192.168.7.0/24"])
    shop.done(made, "terminate")
    for wanted, code in (
        ({"addresses": ["10.252.0.9"]}, "address_taken"),
        ({"networks": ["192.168.7.128/25"]}, "network_taken"),
    ):
        assert code_of(mallory_api.post(URL, {"name": "m", **wanted})) == (409, code)
    shop.done(made, "restore")


@pytest.mark.parametrize(
    "wanted", [{"addresses": ["10.252.0.9"]}, {"networks": ["192.168.0.0/16"]}]
)
def test_its_own_tenant_can_and_that_ends_the_undo(shop: Shop, wanted: dict[str, Any]) -> None:
    """A peer that is removed and added again by an old script has its old address."""
    made = shop.create(addresses=["10.252.0.9"], networks=["192.168.7.0/24"])
    shop.done(made, "terminate")
    again = shop.create(**wanted)
    assert code_of(shop.act(made, "restore")) == (404, "not_found")
    assert shop.api.get(f"{URL}?deleted=true").json()["results"] == []
    assert shop.read(again)["id"] == again["id"]
    assert Client.objects.filter(uuid=made["id"], purge_at__lte=timezone.now()).exists()
    over()
    assert Peer.objects.get(deleted_at=None).addresses.exists()


def test_not_a_client_whose_secrets_are_gone_though_its_peer_still_runs(
    shop: Shop, interface: Interface
) -> None:
    """The purge waits with the row for a gateway that is away, and dates it anew."""
    made = shop.create()
    Peer.objects.update(applied_key=made["devices"][0]["public_key"])
    shop.done(made, "terminate")
    over()
    assert Client.objects.get().purge_at is not None
    assert code_of(shop.act(made, "restore")) == (404, "not_found")


# -- Holds meanwhile -----------------------------------------------------------------------------


def test_holds_that_opened_or_closed_meanwhile_count(shop: Shop, acme: Tenant) -> None:
    made = shop.create()
    shop.done(made, "kick")
    shop.done(made, "terminate")
    Hold.objects.update(closed_at=timezone.now(), closed_by="vwg")
    assert shop.done(made, "restore")["holds"] == []
    assert Peer.objects.get().blocked is False


def test_a_client_of_a_suspended_tenant_comes_back_held(
    shop: Shop, operator_api: APIClient, acme: Tenant
) -> None:
    made = shop.create()
    shop.done(made, "terminate")
    acme.status = "suspended"
    acme.save()
    answer = operator_api.post(f"{URL}/{made['id']}/restore", headers={"X-VWG-Tenant": acme.slug})
    assert [hold["reason"] for hold in answer.json()["holds"]] == ["tenant-suspended"]
    assert Peer.objects.get().blocked is True


# -- Lists ---------------------------------------------------------------------------------------


def test_deleted_clients_are_listed_on_demand(
    shop: Shop, evil: Tenant, interface: Interface
) -> None:
    alive, dead = shop.create(name="alive"), shop.create(name="dead")
    shop.done(dead, "terminate")
    foreign = make_client(evil, deleted_at=timezone.now())
    foreign.purge_at = timezone.now() + timedelta(days=1)
    foreign.save()
    make_peer(foreign, interface, public_key=make_public_key(), deleted_at=foreign.deleted_at)

    def names(query: str) -> list[str]:
        return [one["name"] for one in shop.api.get(f"{URL}{query}").json()["results"]]

    assert names("") == names("?deleted=false") == ["alive"]
    assert names("?deleted=true") == ["dead"]
    key = dead["devices"][0]["public_key"]
    assert names(f"?deleted=true&search={key.replace('+', '%2B')}") == ["dead"]
    assert names(f"?deleted=true&search={alive['id']}") == []
    assert shop.api.get(f"{URL}?deleted=yes").status_code == 400
    listed = shop.api.get(f"{URL}?deleted=true").json()["results"][0]
    assert (listed["state"], len(listed["devices"])) == ("deleted", 1)
