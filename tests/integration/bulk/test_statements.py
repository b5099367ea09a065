"""A batch takes as many statements for 40 clients as for 20."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import Interface
from peers.models import Client
from tenants.models import Tenant
from tests.integration.bulk.test_bulk import URL, outcomes
from tests.make import make_client, make_peer, make_plan

#: Whatever the number of clients: reading them, writing, the run, the answer; and signing in.
MOST = 40

BODIES: dict[str, dict[str, Any]] = {
    "disable": {"action": "disable", "arguments": {"note": "unpaid"}},
    "enable": {"action": "enable"},
    "delete": {"action": "delete"},
    "extend": {"action": "extend", "arguments": {"days": 3, "bytes": 5}},
    "update": {
        "action": "update",
        "arguments": {"note": "n", "add_tags": ["new"], "merge_metadata": {"a": 1}},
    },
    "update and switch": {"action": "update", "arguments": {"name": "N", "enabled": False}},
    "update devices": {
        "action": "update",
        "arguments": {"dns_servers": ["9.9.9.9"], "mtu": 1300, "persistent_keepalive": 25},
    },
    "change plans": {"action": "update", "arguments": {"plan": "plan"}},
    "unknown plans": {
        "action": "update",
        "arguments": {"plan": "00000000-0000-4000-8000-000000000000"},
    },
    "refused": {"action": "update", "arguments": {"mtu": 1000}},
}


def crowd(tenant: Tenant, interface: Interface, number: int) -> list[str]:
    """Clients that differ in what is written of them."""
    ends = timezone.now() + timedelta(days=1)
    found = []
    for place in range(number):
        client = make_client(
            tenant,
            tags=[f"t-{place}"],
            quota_bytes=place,
            expires_at=ends + timedelta(hours=place),
            metadata={"place": place},
        )
        make_peer(client, interface)
        found.append(str(client.uuid))
    return found


def statements(api: APIClient, body: dict[str, Any], ids: list[str], word: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = api.post(URL, {**body, "ids": ids})
    assert answer.status_code == 200, answer.content
    assert outcomes(answer.json()) == [word] * len(ids)
    return len(captured)


@pytest.mark.parametrize("name", BODIES)
def test_a_batch_of_forty_takes_what_one_of_twenty_takes(
    alice_api: APIClient, acme: Tenant, interface: Interface, name: str
) -> None:
    body = BODIES[name]
    if body.get("arguments", {}).get("plan") == "plan":
        body = {**body, "arguments": {"plan": str(make_plan(acme, devices=2, total_bytes=9).uuid)}}
    few, many = crowd(acme, interface, 20), crowd(acme, interface, 40)
    if name == "enable":
        for ids in (few, many):
            alice_api.post(URL, {"action": "disable", "ids": ids})
    alice_api.get("/api/v1/me")  # what is looked up once a process
    word = "failed" if name in ("unknown plans", "refused") else "done"
    counted = [statements(alice_api, body, ids, word) for ids in (few, many)]
    assert counted[0] == counted[1] <= MOST, counted


def test_each_with_values_of_its_own_takes_no_more(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    counted = []
    alice_api.get("/api/v1/me")
    for number in (20, 40):
        items = [
            {"id": one, "arguments": {"note": f"n {place}", "client_keepalive": place + 1}}
            for place, one in enumerate(crowd(acme, interface, number))
        ]
        with CaptureQueriesContext(connection) as captured:
            answer = alice_api.post(URL, {"action": "update", "items": items})
        assert outcomes(answer.json()) == ["done"] * number
        counted.append(len(captured))
    assert counted[0] == counted[1] <= MOST, counted
    assert Client.objects.filter(note="n 39").count() == 1


def test_a_hundred_that_are_disabled_stay_below_the_bar(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    ids = crowd(acme, interface, 100)
    assert statements(alice_api, BODIES["disable"], ids, "done") <= MOST
