"""/api/v1/gateways: the operator's hosts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from gateways.models import Gateway, Heartbeat, Interface
from peers.models import Peer
from tenants.models import Tenant
from tests.integration.operators.conftest import acts
from tests.make import make_client, make_gateway, make_peer
from tests.tags import stateless, tag

GATEWAYS = "/api/v1/gateways"


def url(gateway: Gateway) -> str:
    return f"{GATEWAYS}/{gateway.uuid}"


def test_what_was_read_can_be_sent_back_though_its_worker_answered_meanwhile(
    operator_api: APIClient, db: None
) -> None:
    gateway = make_gateway()
    Heartbeat.objects.create(queue=gateway.queue, seen_at=timezone.now() - timedelta(seconds=50))
    read = operator_api.get(url(gateway)).json()
    Heartbeat.objects.update(seen_at=timezone.now())
    answer = operator_api.patch(url(gateway), read)
    assert answer.status_code == 200, answer.content
    assert answer.json()["queue"]["age_seconds"] < read["queue"]["age_seconds"]


def test_a_gateway_is_made_read_changed_and_deleted(operator_api: APIClient) -> None:
    made = operator_api.post(
        GATEWAYS, {"slug": "fra-1", "name": "Frankfurt", "country": "DE", "location": "Frankfurt"}
    )
    assert made.status_code == 201
    assert stateless(made["ETag"]) == tag(made.json(), 1)
    read = operator_api.get(made["Location"])
    assert (read.json(), read["ETag"]) == (made.json(), made["ETag"])
    assert read.json()["queue"] == {
        "name": "gateway.fra-1",
        "health": "unknown",
        "seen_at": None,
        "age_seconds": None,
    }
    changed = operator_api.patch(made["Location"], {"endpoint_address": "fra.example.com"})
    assert changed.status_code == 200
    assert stateless(changed["ETag"]) == tag(made.json(), 2)
    assert changed.json()["endpoint_address"] == "fra.example.com"
    assert changed.json()["preview"]["changes"] == ["endpoint_address"]
    assert operator_api.delete(made["Location"]).status_code == 204
    assert operator_api.get(made["Location"]).status_code == 404
    assert acts() == ["gateway.created", "gateway.updated", "gateway.deleted"]


def test_the_list_tells_of_queues_and_interfaces_in_a_constant_number_of_queries(
    operator_api: APIClient,
    interface: Interface,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    at = timezone.now()
    Heartbeat.objects.create(queue="gateway.local", seen_at=at)
    for number in range(20):
        make_gateway(f"g{number:02}")
        Heartbeat.objects.create(queue=f"gateway.g{number:02}", seen_at=at - timedelta(hours=1))
    with django_assert_max_num_queries(5):
        body = operator_api.get(GATEWAYS).json()
    healths = {row["slug"]: row["queue"]["health"] for row in body["results"]}
    assert healths.pop("local") == "alive"
    assert set(healths.values()) == {"silent"}
    assert body["results"][-1]["interfaces"] == ["wg0"]


def test_the_list_is_filtered_by_allow_listed_fields(operator_api: APIClient) -> None:
    make_gateway("fra", country="DE")
    make_gateway("ams", country="NL", alarm="two hosts")
    slugs = {
        query: [row["slug"] for row in operator_api.get(f"{GATEWAYS}?{query}").json()["results"]]
        for query in ("country=NL", "alarmed=false", "search=fr", "slug=ams")
    }
    assert slugs == {
        "country=NL": ["ams"], "alarmed=false": ["fra"], "search=fr": ["fra"], "slug=ams": ["ams"],
    }  # fmt: skip
    assert operator_api.get(f"{GATEWAYS}?host_id=x").status_code == 400


def test_who_may(
    alice_api: APIClient,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    auditor_api: APIClient,
    interface: Interface,
) -> None:
    one = url(interface.gateway)
    assert anonymous_api.get(one).status_code == 401
    for api in (alice_api, mallory_api):
        assert api.get(GATEWAYS).status_code == 403
        assert api.get(one).status_code == 403
        assert api.post(GATEWAYS, {"slug": "x"}).status_code == 403
        assert api.patch(one, {"name": "x"}).status_code == 403
        assert api.delete(one).status_code == 403
    assert auditor_api.get(one).status_code == 200
    assert auditor_api.patch(one, {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("slug", bad) for bad in ("", "A", "-a", "a-", "a b", "x" * 33, "a\n", "é", "../x", 7)],
        *[
            (field, bad)
            for field in ("endpoint_address", "relay_endpoint")
            for bad in (
                "host:99999", "http://h", "a\nb", "[::1", "münchen.example", "host:", ":51820",
                "1.2.3", "010.1.2.3", "[1.2.3.4]", "fe80::1%eth0", "a b", "$(id)", "--help", None,
            )
        ],
        ("country", "de"),
        ("country", "DEU"),
        ("country", "D1"),
        ("netns", "../x"),
        ("netns", "-x"),
        ("netns", "a/b"),
        ("name", "a\u202eb"),
        ("name", " x"),
        ("location", "x" * 65),
        ("id", "x"),
        ("host_id", "x"),
        ("surprise", 1),
    ],
)  # fmt: skip
def test_bad_values_are_refused(
    field: str, value: Any, operator_api: APIClient, interface: Interface
) -> None:
    answer = operator_api.post(GATEWAYS, {"slug": "fra", field: value})
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["field"] == field
    if field != "slug":
        assert operator_api.patch(url(interface.gateway), {field: value}).status_code == 400
    assert Gateway.objects.count() == 1
    assert acts() == []


@pytest.mark.parametrize(
    "good",
    ["vpn.example.com", "vpn.example.com:443", "192.0.2.1", "192.0.2.1:51820", "2001:db8::1",
     "[2001:db8::1]:51820", "[2001:db8::1]", ""],
)  # fmt: skip
def test_what_clients_may_dial(good: str, operator_api: APIClient, interface: Interface) -> None:
    answer = operator_api.patch(url(interface.gateway), {"endpoint_address": good})
    assert answer.status_code == 200, answer.content
    assert answer.json()["endpoint_address"] == (good.strip("[]") if good[-1:] == "]" else good)


def test_a_slug_is_held_once(operator_api: APIClient) -> None:
    make_gateway("fra")
    answer = operator_api.post(GATEWAYS, {"slug": "fra"})
    assert answer.status_code == 409
    assert answer.json()["errors"][0] == {
        "field": "slug",
        "code": "slug_taken",
        "detail": "Another gateway has this slug.",
    }


def test_one_with_interfaces_stays(operator_api: APIClient, interface: Interface) -> None:
    answer = operator_api.delete(url(interface.gateway))
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/gateway-in-use"
    answer = operator_api.patch(url(interface.gateway), {"netns": "other"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "netns")


def test_what_was_read_can_be_sent_back(operator_api: APIClient, interface: Interface) -> None:
    body = operator_api.get(url(interface.gateway)).json()
    answer = operator_api.patch(url(interface.gateway), body)
    assert answer.status_code == 200, answer.content
    assert stateless(answer["ETag"]) == tag(body, 1)
    assert answer.json()["preview"]["summary"] == "Nothing changes."


def test_a_stale_version_is_refused(operator_api: APIClient, interface: Interface) -> None:
    one = url(interface.gateway)
    old, new = ({"If-Match": tag(interface.gateway, number)} for number in (1, 2))
    operator_api.patch(one, {"name": "a"})
    assert operator_api.patch(one, {"name": "b"}, headers=old).status_code == 412
    assert operator_api.patch(one, {"name": "b"}, headers=new).status_code == 200
    assert operator_api.delete(one, headers=old).status_code == 412


def test_files_made_from_it_are_counted_and_outdated(
    operator_api: APIClient, alice_peer: Peer, evil: Tenant
) -> None:
    gateway = alice_peer.interface.gateway
    make_peer(make_client(evil), alice_peer.interface)
    Peer.objects.filter(pk=alice_peer.pk).update(delivered_generation=3)
    said = operator_api.patch(f"{url(gateway)}?dry_run=true", {"endpoint_address": "x.example"})
    assert said.json()["preview"] | {"summary": ""} == {
        "changes": ["endpoint_address"], "live": [], "next_bring_up": [], "rebinds_socket": False,
        "ends_sessions": False, "outdates_files": True, "devices": 2, "files_outdated": 1,
        "summary": "",
    }  # fmt: skip
    gateway.refresh_from_db()
    assert (gateway.endpoint_address, gateway.config_generation) == ("", 1)
    operator_api.patch(url(gateway), {"endpoint_address": "x.example"})
    gateway.refresh_from_db()
    assert (gateway.endpoint_address, gateway.config_generation) == ("x.example", 2)


def test_files_of_interfaces_with_their_own_endpoint_stay_as_they_are(
    operator_api: APIClient, alice_peer: Peer
) -> None:
    Interface.objects.update(endpoint_address="own.example")
    gateway = alice_peer.interface.gateway
    answer = operator_api.patch(url(gateway), {"endpoint_address": "x.example"})
    assert answer.json()["preview"]["outdates_files"] is False
    gateway.refresh_from_db()
    assert gateway.config_generation == 1


def test_an_alarm_is_put_out_and_lets_the_next_host_serve(
    operator_api: APIClient, interface: Interface
) -> None:
    Gateway.objects.update(alarm="a second host", host_id="one")
    one = url(interface.gateway)
    assert operator_api.patch(one, {"alarm": "other"}).status_code == 400
    assert operator_api.patch(one, {"alarm": "a second host"}).status_code == 200
    body = operator_api.patch(one, {"alarm": ""}).json()
    assert (body["alarm"], body["host_id"]) == ("", "")
