"""/api/v1/peers: devices by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import Interface, Job
from peers.models import Client, Peer, PeerAddress, PeerKey
from tenants.models import Tenant
from tests.integration.actions.conftest import URL, Shop, events, snapshot
from tests.make import make_client, make_interface, make_peer, make_plan, make_public_key
from tests.tags import stateless, tag

PEERS = "/api/v1/peers"
NOBODY = "00000000-0000-4000-8000-000000000000"


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def add(shop: Shop, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = shop.api.post(f"{URL}/{client['id']}/peers", fields)
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


# -- One more -------------------------------------------------------------------------------------


def test_one_more_device(shop: Shop) -> None:
    made = shop.create(external_id="order-1")
    answer = shop.api.post(
        f"{URL}/{made['id']}/peers",
        {"name": "laptop", "mtu": 1400, "networks": ["192.168.7.0/24"]},
        headers={"If-Match": tag(made, 1)},
    )
    body = answer.json()
    assert (answer.status_code, stateless(answer["ETag"])) == (201, tag(made, 2))
    assert answer["Location"] == f"{PEERS}/{body['id']}"
    assert (body["client"], body["client_external_id"], body["version"]) == (
        made["id"],
        "order-1",
        2,
    )
    assert (body["name"], body["mtu"], body["networks"]) == ("laptop", 1400, ["192.168.7.0/24"])
    assert (body["private_key_known"], body["preshared_key_set"]) == (True, True)
    job = Job.objects.get(uuid=body["job"]["id"])
    assert (job.kind, job.items.get().public_key) == ("create", body["public_key"])
    assert events(made) == ["client.created", "client.device_added"]
    read = shop.api.get(answer["Location"])
    assert read["ETag"] == answer["ETag"]
    del body["job"]
    assert read.json() == body
    assert len(shop.read(made)["devices"]) == 2
    assert shop.api.get(f"{URL}/{made['id']}/config").status_code == 400  # which one?
    assert shop.api.get(f"{PEERS}/{body['id']}/config").status_code == 200


def test_a_device_of_a_client_that_is_off_is_off(shop: Shop) -> None:
    made = shop.create()
    shop.done(made, "disable")
    body = add(shop, made)
    assert Peer.objects.get(uuid=body["id"]).blocked is True


def test_not_more_than_plan_and_tenant_allow(shop: Shop, acme: Tenant) -> None:
    made = shop.create()
    acme.max_devices_per_client = 2
    acme.save()
    add(shop, made)
    before = snapshot()
    assert code_of(shop.api.post(f"{URL}/{made['id']}/peers", {})) == (409, "limit_devices")
    assert (snapshot(), Peer.objects.count()) == (before, 2)
    single = shop.create(plan=str(make_plan(acme).uuid))
    assert code_of(shop.api.post(f"{URL}/{single['id']}/peers", {})) == (409, "limit_devices")
    two = shop.create(plan=str(make_plan(acme, devices=2).uuid))
    add(shop, two)
    plan = str(make_plan(acme).uuid)
    assert code_of(shop.act(two, "change-plan", plan=plan)) == (409, "limit_devices")


def test_a_device_on_another_interface(shop: Shop, acme: Tenant) -> None:
    made = shop.create()
    make_interface(name="wg1", addresses=["10.9.0.1/24"], listen_port=51821, is_default=False)
    assert add(shop, made, interface="wg1")["addresses"] == ["10.9.0.2/32"]
    answer = shop.api.post(f"{URL}/{made['id']}/peers", {"interface": "wg9"})
    assert code_of(answer) == (400, "interface_unknown")


# -- Change and removal ---------------------------------------------------------------------------


def test_a_change_of_a_device(shop: Shop) -> None:
    made = shop.create()
    device = add(shop, made)
    url = f"{PEERS}/{device['id']}"
    answer = shop.api.patch(
        url,
        {
            "name": "tablet",
            "addresses": ["10.252.7.7"],
            "persistent_keepalive": 20,
            "dns_servers": ["9.9.9.9"],
            "routes": ["10.0.0.0/8"],
            "client_keepalive": 0,
            "endpoint": "192.0.2.9:51820",
            "endpoint_override": "relay.example.org:51820",
        },
    )
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["name"], body["addresses"]) == ("tablet", ["10.252.7.7/32"])
    assert (body["persistent_keepalive"], body["dns_servers"]) == (20, ["9.9.9.9"])
    assert stateless(answer["ETag"]) == tag(made, 3)
    assert (body["version"], body["job"]["status"]) == (3, "pending")
    assert Client.objects.get().name == "Sara"
    assert shop.api.patch(url, {"mtu": 1400}, headers={"If-Match": tag(made, 2)}).status_code == 412
    first = Peer.objects.get(uuid=made["devices"][0]["id"])
    assert first.generation == 1
    assert events(made)[-1] == "client.updated"


def test_what_was_read_can_be_sent_back(shop: Shop) -> None:
    device = add(shop, shop.create())
    url = f"{PEERS}/{device['id']}"
    read = shop.api.get(url).json()
    answer = shop.api.patch(url, {**read, "mtu": 1400})
    assert answer.status_code == 200, answer.content
    for name, value in (
        ("public_key", make_public_key()),
        ("interface", "wg1"),
        ("client", NOBODY),
        ("status", "verified"),
    ):
        refusal = shop.api.patch(url, {name: value})
        assert code_of(refusal) == (400, "read_only"), name
    assert code_of(shop.api.patch(url, {"private_key": "x"})) == (400, "unknown_field")


def test_a_removed_device_is_gone_for_good(shop: Shop) -> None:
    made = shop.create()
    device = add(shop, made)
    url = f"{PEERS}/{device['id']}"
    answer = shop.api.delete(url)
    assert answer.status_code == 204
    job = Job.objects.get(uuid=answer["X-VWG-Job"])
    assert (job.kind, job.items.get().public_key) == ("delete", device["public_key"])
    peer = Peer.objects.get(uuid=device["id"])
    assert peer.deleted_at is not None
    assert (peer.preshared_key, PeerKey.objects.filter(peer=peer).exists()) == ("", False)
    assert not PeerAddress.objects.filter(peer=peer).exists()
    assert shop.api.delete(url).status_code == shop.api.get(url).status_code == 404
    assert Job.objects.filter(kind="delete").count() == 1
    shop.done(made, "terminate")
    assert [one["id"] for one in shop.done(made, "restore")["devices"]] == [
        made["devices"][0]["id"]
    ]
    assert events(made)[2] == "client.device_removed"


def test_a_client_may_be_without_a_device_for_a_while(shop: Shop) -> None:
    made = shop.create()
    assert shop.api.delete(f"{PEERS}/{made['devices'][0]['id']}").status_code == 204
    assert shop.read(made)["devices"] == []
    assert shop.api.get(f"{URL}/{made['id']}/config").status_code == 404
    add(shop, made)
    shop.done(made, "terminate")
    assert len(shop.done(made, "restore")["devices"]) == 1


def test_new_keys_and_another_interface_for_one_of_several(shop: Shop) -> None:
    make_interface(name="wg1", addresses=["10.9.0.1/24"], listen_port=51821, is_default=False)
    made = shop.create()
    device = add(shop, made)
    url = f"{PEERS}/{device['id']}"
    answer = shop.api.post(f"{url}/rotate-keys", {}, headers={"If-Match": tag(made, 2)})
    assert answer.json()["public_key"] != device["public_key"]
    body = shop.api.post(f"{url}/move", {"interface": "wg1"}).json()
    assert (body["id"], body["interface"], body["version"]) == (device["id"], "wg1", 4)
    first = shop.read(made)["devices"][0]
    assert (first["interface"], first["public_key"]) == ("wg0", made["devices"][0]["public_key"])
    assert events(made)[-2:] == ["client.keys_rotated", "client.moved"]


# -- Who may --------------------------------------------------------------------------------------

CALLS = [
    ("get", ""),
    ("patch", ""),
    ("delete", ""),
    ("post", "/rotate-keys"),
    ("post", "/move"),
]


@pytest.mark.parametrize(("method", "tail"), CALLS)
def test_a_foreign_device_is_none(
    shop: Shop,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    viewer_api: APIClient,
    method: str,
    tail: str,
) -> None:
    device = shop.create()["devices"][0]
    before = snapshot()
    mine, none = (f"{PEERS}/{one}{tail}" for one in (device["id"], NOBODY))
    body = {"interface": "wg0"} if tail == "/move" else {}
    answers = [getattr(mallory_api, method)(url, body) for url in (mine, none)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert getattr(anonymous_api, method)(mine, body).status_code == 401
    assert getattr(viewer_api, method)(mine, body).status_code == (200 if method == "get" else 403)
    assert getattr(shop.api, method)(f"{mine}?x=1", body).status_code == 400
    assert snapshot() == before


def test_the_devices_of_a_foreign_client_are_none(
    shop: Shop, mallory_api: APIClient, viewer_api: APIClient, anonymous_api: APIClient
) -> None:
    made = shop.create(external_id="o/1")
    before = snapshot()
    for url, none in (
        (f"{URL}/{made['id']}/peers", f"{URL}/{NOBODY}/peers"),
        (f"{URL}/by-external-id/o/1/peers", f"{URL}/by-external-id/o/2/peers"),
    ):
        for method in ("get", "post"):
            answers = [getattr(mallory_api, method)(one, {}) for one in (url, none)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].content == answers[1].content
            assert getattr(anonymous_api, method)(url).status_code == 401
        assert viewer_api.post(url, {}).status_code == 403
        assert len(viewer_api.get(url).json()["results"]) == 1
    assert snapshot() == before
    assert mallory_api.get(PEERS).json()["results"] == []
    key = made["devices"][0]["public_key"].replace("+", "%2B")
    for query in (f"client={made['id']}", f"search={key}", "client_external_id=o/1"):
        assert mallory_api.get(f"{PEERS}?{query}").json()["results"] == []


# -- Lists ----------------------------------------------------------------------------------------


def test_filters(shop: Shop, interface: Interface) -> None:
    at = timezone.now()
    first = shop.create(name="a", external_id="order-1")
    laptop = add(shop, first, name="Laptop", addresses=["10.252.0.99"])
    second = shop.create(name="b")
    make_interface(name="wg1", addresses=["10.9.0.1/24"], listen_port=51821, is_default=False)
    third = shop.create(name="c", interface="wg1")
    Peer.objects.filter(uuid=laptop["id"]).update(
        observed_present=True,
        last_handshake_at=at - timedelta(seconds=10),
        applied_generation=1,
        verified_generation=1,
    )
    Peer.objects.filter(uuid=second["devices"][0]["id"]).update(quarantine_reason="bad")

    def found(query: str) -> set[str]:
        answer = shop.api.get(f"{PEERS}?{query}")
        assert answer.status_code == 200, answer.content
        return {one["id"] for one in answer.json()["results"]}

    everything = {one["id"] for body in (first, second, third) for one in body["devices"]}
    everything.add(laptop["id"])
    assert found("") == everything
    assert found(f"client={first['id']}") == {first["devices"][0]["id"], laptop["id"]}
    assert found("client_external_id=order-1") == {first["devices"][0]["id"], laptop["id"]}
    assert found("interface=wg1") == {third["devices"][0]["id"]}
    assert found("online=true") == {laptop["id"]}
    assert found("online=false") == everything - {laptop["id"]}
    assert found("status=verified") == {laptop["id"]}
    assert found("status=quarantined") == {second["devices"][0]["id"]}
    assert found("search=lapt") == found("search=10.252.0.99") == {laptop["id"]}
    key = laptop["public_key"].replace("+", "%2B")
    assert found(f"search={key}") == {laptop["id"]}
    for bad in ("status=x", "client=x", "online=1", "name=a", "search=%00", "ordering=tenant"):
        assert shop.api.get(f"{PEERS}?{bad}").status_code == 400


def test_pages_are_in_order_and_cost_the_same(
    shop: Shop, acme: Tenant, interface: Interface
) -> None:
    for number in range(6):
        make_peer(make_client(acme), interface, name=f"d{number}")

    def names(query: str) -> tuple[list[str], int]:
        with CaptureQueriesContext(connection) as captured:
            answer = shop.api.get(f"{PEERS}?{query}")
        return [one["name"] for one in answer.json()["results"]], len(captured)

    names("")  # the first use of a token is noted
    few, cost_of_few = names("limit=1")
    many, cost_of_many = names("limit=6")
    assert (few, many) == (["d5"], ["d5", "d4", "d3", "d2", "d1", "d0"])
    assert names("ordering=name")[0] == many[::-1]
    assert cost_of_few == cost_of_many
    if connection.vendor == "sqlite":  # PostgreSQL is told for whom
        assert cost_of_many <= 4


BAD: dict[str, list[Any]] = {
    "name": [" ", "a" * 121, "\u202e", "\u200b", 7, "a\nPostUp = x"],
    "addresses": [
        ["10.252.0.1"],
        ["10.252.0.0"],
        ["10.252.255.255"],
        ["10.66.0.5/24"],
        ["010.252.0.5"],
        ["::ffff:10.252.0.9"],
        ["fe80::1%eth0"],
        ["10.1.1.1"],
        [],
        ["10.252.0.9"] * 2,
        "10.252.0.9",
        ["$(id)"],
    ],
    "networks": [
        ["0.0.0.0/0"],
        [f"10.{n // 250}.{n % 250}.0/24" for n in range(1000)],
        ["192.168.0.0/16", "192.168.7.0/24"],
        ["192.168.7.1/24"],
    ],
    "mtu": [0, 575, 1279, 65536, "1420abc", 1420.5, True],
    "persistent_keepalive": [-1, 65536, "off", 1e3, True],
    "client_keepalive": [-1, 65536, "25", False],
    "preshared_key": ["", "A" * 43, "A" * 43 + "=", 7],
    "endpoint": ["host:1", "http://h", "192.0.2.1:99999", "[::1", "192.0.2.1:51820\n"],
    "endpoint_override": ["host:99999", "http://h", "[::1", "${IFS}"],
    "dns_servers": [["1.1.1.1"] * 50, ["1.1.1.1 PostUp="], ["--help\n"], "1.1.1.1"],
    "routes": [["10.0.0.1/8"], ["x"], ["10.0.0.0/8"] * 2],
    "public_key": ["", "A" * 45, "A" * 43 + "=", "A" * 20 + "\n" + "A" * 23],
}


@pytest.mark.parametrize(
    ("field", "bad"), [(field, bad) for field, values in BAD.items() for bad in values]
)
def test_bad_values_are_refused_by_name_and_leave_no_trace(
    shop: Shop, field: str, bad: Any
) -> None:
    made = shop.create()
    before = (snapshot(), Peer.objects.count(), PeerAddress.objects.count())
    calls = [shop.api.post(f"{URL}/{made['id']}/peers", {field: bad})]
    if field != "public_key":
        calls.append(shop.api.patch(f"{PEERS}/{made['devices'][0]['id']}", {field: bad}))
    for answer in calls:
        assert answer.status_code == 400, answer.content
        assert answer.json()["errors"][0]["field"].startswith(field)
    assert (snapshot(), Peer.objects.count(), PeerAddress.objects.count()) == before


def test_what_another_has_is_taken_in_the_same_words(
    shop: Shop, evil: Tenant, interface: Interface
) -> None:
    theirs = make_peer(make_client(evil), interface)
    mine = shop.create()
    texts = set()
    other = shop.create()
    url = f"{URL}/{mine['id']}/peers"
    for address in (
        theirs.addresses.get(family=4).address,
        other["devices"][0]["addresses"][0].partition("/")[0],
    ):
        answer = shop.api.post(url, {"addresses": [address]})
        assert code_of(answer) == (409, "address_taken")
        texts.add(answer.json()["detail"].replace(address, "X"))
    assert len(texts) == 1
    answer = shop.api.post(url, {"public_key": theirs.public_key})
    assert code_of(answer) == (409, "key_taken")
