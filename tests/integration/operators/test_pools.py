"""/api/v1/pools: where devices' addresses come from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from gateways.models import AddressPool, Interface, Job
from peers.allocation import allocate
from peers.models import Peer, PeerAddress
from peers.networks import replace_networks
from tenants.models import Tenant
from tests.integration.operators.conftest import acts
from tests.make import make_client, make_peer

POOLS = "/api/v1/pools"


@pytest.fixture
def pool(interface: Interface) -> AddressPool:
    return interface.pools.get(family=4)


def url(pool: AddressPool) -> str:
    return f"{POOLS}/{pool.uuid}"


def test_pools_tell_how_far_they_are_given_out(
    operator_api: APIClient, alice_peer: Peer, pool: AddressPool
) -> None:
    make_peer(alice_peer.client, alice_peer.interface)
    released = PeerAddress.objects.filter(pool=pool).latest("pk")
    released.peer, released.free_at = None, timezone.now() + timedelta(hours=1)
    released.save(update_fields=["peer", "free_at"])
    body = operator_api.get(url(pool)).json()
    assert (body["network"], body["interface"], body["gateway"]) == (
        "10.252.0.0/16",
        "wg0",
        "local",
    )
    assert (body["size"], body["given"], body["held_back"]) == (65533, 1, 1)
    assert body["free"] == 65531
    released.free_at = timezone.now() - timedelta(hours=1)
    released.save(update_fields=["free_at"])
    body = operator_api.get(url(pool)).json()
    assert (body["held_back"], body["free"]) == (0, 65532)


def test_the_list_costs_the_same_for_many(
    operator_api: APIClient,
    interface: Interface,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(6):
        operator_api.post(
            POOLS, {"interface_id": str(interface.uuid), "network": f"10.{number}.0.0/24"}
        )
    with django_assert_max_num_queries(5):
        assert len(operator_api.get(POOLS).json()["results"]) == 8
    assert len(operator_api.get(f"{POOLS}?family=6").json()["results"]) == 1
    assert len(operator_api.get(f"{POOLS}?interface={interface.uuid}").json()["results"]) == 8


def test_a_pool_is_another_network_of_the_interface(
    operator_api: APIClient, interface: Interface, acme: Tenant
) -> None:
    made = operator_api.post(
        POOLS, {"interface_id": str(interface.uuid), "network": "10.90.0.0/24", "name": "more"}
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["name"], body["first"], body["last"]) == ("more", "10.90.0.2", "10.90.0.254")
    interface.refresh_from_db()
    assert interface.addresses[-1] == "10.90.0.1/24"
    assert Job.objects.get(uuid=body["job"]["id"]).items.get().interface == interface
    peer = Peer.objects.create(
        tenant=acme, client=make_client(acme), interface=interface,
        public_key="igzGiGWdVxB8aNW9qG2cubcr9XfvEYihWgmuYkwhZXY=",
    )  # fmt: skip
    allocate(peer=peer, interface=interface, at=timezone.now())
    assert peer.addresses.filter(address="10.90.0.2").exists()
    assert acts() == ["pool.created"]


@pytest.mark.parametrize(
    ("network", "status", "code"),
    [
        ("10.66.0.5/24", 400, "invalid"),
        ("010.66.0.0/24", 400, "invalid"),
        ("10.6", 400, "invalid"),
        ("10.66.0.0/24 ", 400, "invalid"),
        ("::ffff:10.66.0.0/120", 400, "invalid"),
        ("fe80::%eth0/64", 400, "invalid"),
        ("$(id)", 400, "invalid"),
        ("10.66.0.0/31", 400, "network_unusable"),
        ("0.0.0.0/0", 400, "network_unusable"),
        ("127.0.0.0/8", 400, "network_unusable"),
        ("224.0.0.0/4", 400, "network_unusable"),
        ("fe80::/64", 400, "network_unusable"),
        ("10.252.0.0/16", 409, "pool_overlaps"),
        ("10.252.5.0/24", 409, "pool_overlaps"),
        ("10.0.0.0/8", 409, "pool_overlaps"),
        ("192.168.5.0/24", 409, "pool_overlaps"),
    ],
)
def test_networks_that_cannot_be_a_pool(
    network: str, status: int, code: str, operator_api: APIClient, alice_peer: Peer
) -> None:
    interface = alice_peer.interface
    networks = ["192.168.0.0/16"]
    replace_networks(
        peer=alice_peer, interface=interface, networks=networks, at=timezone.now(), field="x"
    )
    answer = operator_api.post(POOLS, {"interface_id": str(interface.uuid), "network": network})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
    assert answer.json()["errors"][0]["field"] == "network"
    interface.refresh_from_db()
    assert (AddressPool.objects.count(), len(interface.addresses)) == (2, 2)
    assert (acts(), Job.objects.count()) == ([], 0)


def test_a_pool_has_a_name_of_its_own(operator_api: APIClient, pool: AddressPool) -> None:
    assert operator_api.patch(url(pool), {"name": "gold"}).json()["name"] == "gold"
    assert acts() == ["pool.updated"]
    taken = operator_api.patch(url(pool), {"name": "IPv6"})
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/pool-name-taken")
    for bad in ("", " ", "a\nb", "x" * 65, 7):
        assert operator_api.patch(url(pool), {"name": bad}).status_code == 400
    back = operator_api.patch(url(pool), operator_api.get(url(pool)).json())
    assert back.status_code == 200
    assert operator_api.patch(url(pool), {"size": 1}).status_code == 400


def test_a_pool_that_is_needed_stays(
    operator_api: APIClient, alice_peer: Peer, pool: AddressPool
) -> None:
    answer = operator_api.delete(url(pool))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/pool-in-use")


def test_an_interface_keeps_its_last_pool(operator_api: APIClient, pool: AddressPool) -> None:
    other = pool.interface.pools.get(family=6)
    assert operator_api.delete(url(other)).status_code == 204
    assert operator_api.delete(url(pool)).status_code == 409


def test_an_empty_pool_goes_with_the_servers_address(
    operator_api: APIClient, pool: AddressPool
) -> None:
    interface = pool.interface
    answer = operator_api.delete(url(pool))
    assert answer.status_code == 204
    assert Job.objects.get(uuid=answer["X-VWG-Job"]).items.get().interface == interface
    interface.refresh_from_db()
    assert interface.addresses == ["fd52:7677:6721::1/64"]
    assert operator_api.get(url(pool)).status_code == 404
    assert acts() == ["pool.deleted"]


def test_who_may(
    alice_api: APIClient, anonymous_api: APIClient, auditor_api: APIClient, pool: AddressPool
) -> None:
    wanted: dict[str, Any] = {"interface_id": str(pool.interface.uuid), "network": "10.9.0.0/24"}
    assert anonymous_api.get(POOLS).status_code == 401
    assert auditor_api.get(POOLS).status_code == 200
    assert alice_api.get(POOLS).status_code == 403
    assert alice_api.get(url(pool)).status_code == 403
    for api in (alice_api, auditor_api):
        assert api.post(POOLS, wanted).status_code == 403
        assert api.patch(url(pool), {"name": "x"}).status_code == 403
        assert api.delete(url(pool)).status_code == 403
