"""A batch takes as many statements for 40 clients as for 20."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface, Job, JobItem
from peers.models import Client
from peers.services import changes, steps
from quotas import services as holds_of
from quotas.models import Hold
from tenants.models import Tenant
from tests.integration.bulk.test_bulk import URL, codes, outcomes
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


# -- When a batch cannot be written together --------------------------------------------------


def test_what_cannot_be_written_fails_alone(
    alice_api: APIClient,
    acme: Tenant,
    interface: Interface,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = crowd(acme, interface, 4)
    real = changes.raise_versions

    def breaks(written: Sequence[tuple[Client, Collection[str]]]) -> None:
        if any(str(client.uuid) == ids[1] for client, _ in written):
            raise RuntimeError("a bug")
        real(written)

    monkeypatch.setattr(steps, "raise_versions", breaks)
    body = alice_api.post(URL, {"action": "disable", "ids": ids}).json()
    assert outcomes(body) == ["done", "failed", "done", "done"]
    assert codes(body) == [None, "server_error", None, None]
    assert caplog.text.count("bulk item") == 1
    assert Hold.objects.count() == Client.objects.filter(version=2).count() == 3
    assert AuditEvent.objects.filter(action="client.disabled").count() == 3
    assert [(job.kind, job.total) for job in Job.objects.all()] == [("bulk", 3)]
    assert JobItem.objects.count() == 3


def test_a_race_that_the_database_decides_is_a_conflict_of_one(
    alice_api: APIClient, acme: Tenant, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold that somebody opened past the client's lock."""
    ids = crowd(acme, interface, 3)
    real = holds_of.open_holds

    def meets_another(holds: Iterable[Hold]) -> None:
        written = list(holds)
        for hold in written:
            if str(hold.client.uuid) == ids[2]:
                Hold.objects.create(
                    tenant=acme,
                    client=hold.client,
                    reason=hold.reason,
                    opened_at=hold.opened_at,
                    opened_by="somebody",
                )
        real(written)

    monkeypatch.setattr(holds_of, "open_holds", meets_another)
    body = alice_api.post(URL, {"action": "disable", "ids": ids}).json()
    assert codes(body) == [None, None, "conflict"]
    assert Hold.objects.count() == 2


def test_entries_that_go_alone_keep_their_places(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    ids = crowd(acme, interface, 5)
    items = [
        {"id": ids[0], "arguments": {"external_id": "x"}},
        {"id": ids[1], "arguments": {"note": "n"}},
        {"id": ids[2], "arguments": {"external_id": "x", "note": "n"}},
        {"id": ids[3], "arguments": {"addresses": ["10.252.9.9"]}},
        {"id": ids[4], "arguments": {"enabled": False}},
    ]
    body = alice_api.post(URL, {"action": "update", "items": items}).json()
    assert codes(body) == [None, None, "external_id_taken", None, None]
    assert [one["client"] for one in body["results"]] == [*ids[:2], None, *ids[3:]]
    job = Job.objects.get()
    assert (job.kind, job.total, job.items.count()) == ("bulk", 2, 2)
    assert AuditEvent.objects.filter(action="client.updated").count() == 4
