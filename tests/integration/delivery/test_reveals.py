"""Every file that leaves is an audit event; the device remembers which file its customer has."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.generations import raise_config_generation
from gateways.models import Gateway, GlobalSetting, Interface
from peers.models import Client, Peer
from tenants.models import Tenant, User
from tests.make import make_client, make_peer, make_public_key

URL = "/api/v1/clients"


@pytest.fixture
def client(alice_api: APIClient, interface: Interface) -> dict[str, Any]:
    found: dict[str, Any] = alice_api.post(URL, {"name": "Sara", "external_id": "a/7"}).json()
    return found


def file_block(api: APIClient, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"{URL}/{body['id']}").json()["devices"][0]["file"]
    return found


@pytest.mark.parametrize(
    ("query", "way"), [("", "conf"), ("json", "json"), ("qr-svg", "qr-svg"), ("qr-png", "qr-png")]
)
def test_every_form_of_the_file_is_one_event_without_a_secret(
    query: str, way: str, alice_api: APIClient, client: dict[str, Any]
) -> None:
    device = client["devices"][0]["id"]
    addresses = (f"{URL}/{client['id']}", f"/api/v1/peers/{device}", f"{URL}/by-external-id/a/7")
    for count, url in enumerate(addresses, start=1):
        answer = alice_api.get(f"{url}/config{f'?format={query}' if query else ''}")
        assert answer.status_code == 200, answer.content
        assert AuditEvent.objects.filter(action="config.revealed").count() == count
    event = AuditEvent.objects.filter(action="config.revealed").latest("pk")
    assert event.actor_name == "alice"
    assert event.target_id == client["id"]
    assert event.address == "127.0.0.1"
    assert event.after == {"way": way, "device": device}


def test_a_head_reveals_nothing_and_writes_nothing(
    alice_api: APIClient, client: dict[str, Any]
) -> None:
    answer = alice_api.head(f"{URL}/{client['id']}/config")
    assert (answer.status_code, answer.content) == (200, b"")
    assert not AuditEvent.objects.filter(action="config.revealed").exists()
    assert file_block(alice_api, client) == {"outdated": False, "delivered_at": None}


def test_a_file_that_cannot_be_made_is_no_event(
    alice_api: APIClient, client: dict[str, Any], settings: Any
) -> None:
    settings.VWG_ENDPOINT = ""
    assert alice_api.get(f"{URL}/{client['id']}/config").status_code == 409
    assert not AuditEvent.objects.filter(action="config.revealed").exists()


def test_a_foreign_file_is_404_in_the_words_of_none_and_no_event(
    mallory_api: APIClient, anonymous_api: APIClient, client: dict[str, Any]
) -> None:
    absent = "00000000-0000-4000-8000-000000000000"
    for url in (f"{URL}/{{}}/config", "/api/v1/peers/{}/config"):
        ids = (client["id"] if "clients" in url else client["devices"][0]["id"], absent)
        mine, none = (mallory_api.get(url.format(one)) for one in ids)
        assert mine.status_code == none.status_code == 404
        assert mine.content == none.content
        assert anonymous_api.get(url.format(ids[0])).status_code == 401
    assert mallory_api.get(f"{URL}/by-external-id/a/7/config").status_code == 404
    assert not AuditEvent.objects.filter(action="config.revealed").exists()


def test_an_operators_page_with_the_file_is_an_event(operator: User, alice_peer: Peer) -> None:
    browser = Browser()
    browser.force_login(operator)
    browser.get(f"/peers/{alice_peer.uuid}/")
    browser.get(f"/peers/{alice_peer.uuid}/file/")
    found = AuditEvent.objects.filter(action="config.revealed").order_by("pk")
    assert [(event.after["way"], event.actor_name) for event in found] == [
        ("page", "oscar"),
        ("conf", "oscar"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"dns_servers": ["9.9.9.9"]},
        {"mtu": 1380},
        {"client_keepalive": 0},
        {"routes": ["10.0.0.0/8"]},
        {"endpoint_override": "192.0.2.1:99"},
        {"preshared_key": "generate"},
        {"addresses": ["10.252.7.7/32"]},
    ],
)
def test_a_change_of_the_file_outdates_it_until_it_is_fetched_again(
    change: dict[str, Any], alice_api: APIClient, client: dict[str, Any]
) -> None:
    url = f"{URL}/{client['id']}"
    assert file_block(alice_api, client) == {"outdated": False, "delivered_at": None}
    alice_api.patch(url, change)
    assert file_block(alice_api, client)["outdated"] is False  # nobody has one
    first = alice_api.get(f"{url}/config?format=json").json()
    assert (first["outdated"], first["delivered_at"]) == (False, None)
    assert alice_api.get(f"{url}/config?format=json").json()["delivered_at"] is not None
    back = {"addresses": client["devices"][0]["addresses"]} if "addresses" in change else None
    alice_api.patch(url, back or {"dns_servers": ["8.8.8.8"]})
    assert file_block(alice_api, client)["outdated"] is True
    assert alice_api.get(f"{url}/config?format=json").json()["outdated"] is True
    assert file_block(alice_api, client)["outdated"] is False


@pytest.mark.parametrize(
    "change", [{"name": "Zoe"}, {"note": "x"}, {"enabled": False}, {"networks": ["172.16.1.0/24"]}]
)
def test_what_is_not_in_the_file_does_not_outdate_it(
    change: dict[str, Any], alice_api: APIClient, client: dict[str, Any]
) -> None:
    alice_api.get(f"{URL}/{client['id']}/config")
    assert alice_api.patch(f"{URL}/{client['id']}", change).status_code == 200
    assert file_block(alice_api, client)["outdated"] is False


def test_settings_above_outdate_every_file_below_them(
    alice_api: APIClient, client: dict[str, Any]
) -> None:
    rows = (Interface.objects.get(), Gateway.objects.get(), GlobalSetting.objects.get())
    for row in rows:
        alice_api.get(f"{URL}/{client['id']}/config")
        assert file_block(alice_api, client)["outdated"] is False
        raise_config_generation(row)
        assert file_block(alice_api, client)["outdated"] is True
        row.refresh_from_db()
        assert row.config_generation == 2


def test_clients_are_found_by_their_outdated_files(
    alice_api: APIClient, client: dict[str, Any], acme: Tenant, interface: Interface
) -> None:
    make_peer(make_client(acme, name="never fetched"), interface)
    alice_api.get(f"{URL}/{client['id']}/config")
    raise_config_generation(GlobalSetting.objects.get())

    def names(query: str) -> list[str]:
        return [one["name"] for one in alice_api.get(f"{URL}{query}").json()["results"]]

    assert names("?file_outdated=true") == ["Sara"]
    assert names("?file_outdated=false") == ["never fetched"]


def test_the_list_asks_as_often_for_many_as_for_one(
    alice_api: APIClient,
    acme: Tenant,
    interface: Interface,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(12):
        make_peer(make_client(acme), interface, delivered_generation=1)
    with django_assert_max_num_queries(7):
        results = alice_api.get(URL).json()["results"]
    assert {one["devices"][0]["file"]["outdated"] for one in results} == {True}


def test_one_reveal_is_a_handful_of_queries(
    alice_api: APIClient,
    client: dict[str, Any],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    alice_api.get(f"{URL}/{client['id']}/config")
    with django_assert_max_num_queries(11):  # two of them its savepoint
        alice_api.get(f"/api/v1/peers/{client['devices'][0]['id']}/config")


@pytest.mark.parametrize(
    ("prefix", "name", "stem"),
    [
        ("", "Sara", "sara"),
        ("Kestrel", "Sara's phone", "kestrel-sara-s"),
        ("kn", "سارا", "kn-{id}"),
        ("../", "Sara", "sara"),
        ("longpref", "سارا", "longpr-{id}"),
        ("co", "n", "co-n"),
        ("", "LPT1", "vwg-{id}"),
    ],
)
def test_a_file_is_named_after_prefix_and_client(
    prefix: str,
    name: str,
    stem: str,
    alice_api: APIClient,
    acme: Tenant,
    interface: Interface,
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(config_prefix=prefix)
    client = make_client(acme, name=name)
    peer = make_peer(client, interface)
    answer = alice_api.get(f"{URL}/{client.uuid}/config")
    wanted = stem.format(id=peer.uuid.hex[:8])
    assert answer["Content-Disposition"] == f'attachment; filename="{wanted}.conf"'
    assert len(wanted) <= 15
    picture = alice_api.get(f"{URL}/{client.uuid}/config?format=qr-svg")
    assert picture["Content-Disposition"] == f'inline; filename="{wanted}.svg"'


def test_relays_come_before_endpoints_and_the_nearest_of_each_counts(
    alice_api: APIClient, client: dict[str, Any]
) -> None:
    def dialled() -> str:
        text = str(alice_api.get(f"{URL}/{client['id']}/config").content.decode())
        return text.partition("Endpoint = ")[2].strip()

    Interface.objects.update(endpoint_address="near.example.com")
    assert dialled() == "near.example.com:51820"
    GlobalSetting.objects.update(relay_endpoint="relay.example.com:443")
    assert dialled() == "relay.example.com:443"
    Gateway.objects.update(relay_endpoint="2001:db8::9")
    assert dialled() == "[2001:db8::9]:51820"
    Interface.objects.update(relay_endpoint="[2001:db8::a]:4500")
    assert dialled() == "[2001:db8::a]:4500"
    alice_api.patch(f"{URL}/{client['id']}", {"endpoint_override": "[2001:db8::b]:99"})
    assert dialled() == "[2001:db8::b]:99"


def test_a_customers_own_key_stays_his(alice_api: APIClient, interface: Interface) -> None:
    body = alice_api.post(URL, {"name": "Own", "public_key": make_public_key()}).json()
    answer = alice_api.get(f"{URL}/{body['id']}/config?format=json").json()
    assert answer["private_key_known"] is False
    assert not Client.objects.get(uuid=body["id"]).peers.filter(key__isnull=False).exists()
