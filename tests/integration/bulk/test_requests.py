"""Bulk requests that are refused as a whole, and who may see what became of the others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from gateways.models import Interface
from peers.api.bulk_serializers import ARGUMENTS, BulkChange
from peers.api.bulk_shapes import EXAMPLES
from peers.api.serializers import ClientFields
from peers.models import BulkRun, Client
from peers.services.bulk import choice
from tenants.models import Tenant, User
from tests.integration.bulk.test_bulk import URL, bulk, named
from tests.make import make_client, make_token


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "action", "required"),
        ({"action": "burn", "ids": [str(uuid4())]}, "action", "invalid_choice"),
        ({"action": "delete"}, None, "one_of"),
        ({"action": "delete", "ids": [str(uuid4())], "filter": {"tag": "t"}}, None, "one_of"),
        ({"action": "create", "ids": [str(uuid4())]}, "ids", "one_of"),
        ({"action": "delete", "ids": []}, "ids", "empty"),
        ({"action": "delete", "ids": ["nonsense"]}, "ids.0", "invalid"),
        ({"action": "delete", "ids": [str(uuid4())] * 1001}, "ids", "too_many"),
        ({"action": "create", "items": [{"name": "x"}] * 1001}, "items", "too_many"),
        ({"action": "create", "items": ["x"]}, "items.0", "not_a_dict"),
        ({"action": "delete", "filter": {}}, "filter", "empty"),
        ({"action": "delete", "filter": {"colour": "red"}}, "filter.colour", "unknown_parameter"),
        ({"action": "delete", "filter": {"state": "odd"}}, "filter.state", "invalid"),
        ({"action": "delete", "ids": [str(uuid4())], "force": True}, "force", "unknown_field"),
        ({"action": "delete", "ids": [str(uuid4())], "dry_run": "yes"}, "dry_run", "invalid"),
        (
            {"action": "delete", "ids": [str(uuid4())], "arguments": {"x": 1}},
            "x",
            "unknown_field",
        ),
        ({"action": "extend", "ids": [str(uuid4())]}, None, "required"),
        (
            {"action": "extend", "ids": [str(uuid4())], "arguments": {"days": 0}},
            "days",
            "min_value",
        ),
    ],
)
def test_what_is_no_bulk_request_is_refused(
    alice_api: APIClient, body: dict[str, Any], field: str | None, code: str
) -> None:
    answer = alice_api.post(URL, body)
    assert answer.status_code == 400, answer.content
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == (field, code)
    assert not BulkRun.objects.exists()


def test_a_filter_that_matches_too_many_is_refused(
    alice_api: APIClient, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "MOST", 2)
    for _ in range(3):
        make_client(acme, tags=["t"])
    answer = alice_api.post(URL, {"action": "delete", "filter": {"tag": "t"}})
    assert answer.json()["errors"][0]["code"] == "too_many"
    assert Client.objects.filter(deleted_at=None).count() == 3


def test_nobody_viewers_and_readers_may_not(
    anonymous_api: APIClient, viewer: User, acme: Tenant, interface: Interface
) -> None:
    body = {"action": "create", "items": named(1)}
    assert anonymous_api.post(URL, body).status_code == 401
    web = APIClient()
    web.force_login(viewer)
    assert web.post(URL, body, format="json").status_code == 403
    _, reader = make_token(acme, scopes=["clients:read"])
    web = APIClient()
    web.credentials(HTTP_AUTHORIZATION=f"Bearer {reader}")
    assert web.post(URL, body, format="json").status_code == 403
    assert not Client.objects.exists()


def test_runs_are_seen_by_their_tenant_alone(
    alice_api: APIClient,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    viewer: User,
    interface: Interface,
) -> None:
    body = bulk(alice_api, "create", items=[*named(2), {"name": ""}])
    assert alice_api.get(body["href"]).json() == {k: v for k, v in body.items() if k != "results"}
    assert alice_api.get(body["items_href"]).json()["results"] == body["results"]
    failed = alice_api.get(f"{body['items_href']}?outcome=failed").json()["results"]
    assert [one["index"] for one in failed] == [2]
    page = alice_api.get(f"{body['items_href']}?limit=2").json()
    assert [one["index"] for one in page["results"]] == [0, 1]
    rest = alice_api.get(page["next"]).json()["results"]
    assert [one["index"] for one in rest] == [2]
    assert [one["id"] for one in alice_api.get("/api/v1/bulk").json()["results"]] == [body["id"]]
    assert mallory_api.get("/api/v1/bulk").json()["results"] == []
    for path in (body["href"], body["items_href"]):
        foreign, none = mallory_api.get(path), mallory_api.get(path.replace(body["id"], _OTHER))
        assert (foreign.status_code, foreign.content) == (404, none.content)
        assert anonymous_api.get(path).status_code == 401
    web = APIClient()
    web.force_login(viewer)
    assert web.get(body["href"]).status_code == 200


_OTHER = str(uuid4())


def test_lists_cost_the_same_whatever_their_length(
    alice_api: APIClient, interface: Interface, django_assert_num_queries: Any
) -> None:
    for number in (2, 9):
        body = bulk(alice_api, "create", items=[{"name": f"{number} {n}"} for n in range(number)])
        with django_assert_num_queries(5):  # token, run, items, devices, addresses
            alice_api.get(body["items_href"])
        with django_assert_num_queries(3):  # token, runs, jobs
            alice_api.get("/api/v1/bulk")


def test_a_client_that_went_over_is_not_shown_to_its_former_seller(
    alice_api: APIClient,
    mallory_api: APIClient,
    operator_api: APIClient,
    interface: Interface,
    evil: Tenant,
) -> None:
    body = bulk(alice_api, "create", items=named(2))
    gone, kept = body["results"]
    answer = operator_api.post(
        f"/api/v1/clients/{gone['client']}/transfer",
        {"tenant": "evil"},
        headers={"X-VWG-Tenant": "acme"},
    )
    assert answer.status_code == 200, answer.content
    Client.objects.filter(tenant=evil).update(external_id="theirs-now")
    answer = alice_api.get(body["items_href"])
    first, second = answer.json()["results"]
    assert second == kept
    assert first == {**gone, "client": None, "external_id": None, "devices": []}
    text = answer.content.decode()
    for secret in (gone["client"], "theirs-now", gone["devices"][0]["public_key"]):
        assert secret not in text
    # The operator sees what the acting tenant has; the other tenant has no such run.
    headers = {"X-VWG-Tenant": "acme"}
    assert operator_api.get(body["items_href"], headers=headers).json()["results"][0] == first
    assert mallory_api.get(body["items_href"]).status_code == 404


def test_the_examples_of_the_description_are_done(
    alice_api: APIClient, interface: Interface
) -> None:
    """In their order: what one makes the next one changes."""
    shown: set[str] = set()
    for example in EXAMPLES:
        answer = alice_api.post(URL, example.value)
        assert answer.status_code == 200, (example.name, answer.content)
        results = answer.json()["results"]
        assert {one["outcome"] for one in results} <= {"done"}, (example.name, results)
        shown.add(example.value["action"])
    assert shown == set(BulkRun.Action.values)
    nika = Client.objects.get(external_id="order-5001")
    assert (nika.name, nika.tags, nika.duration_days) == ("Nika S.", ["vip"], 60)
    assert Client.objects.get(external_id="order-5002").metadata == {"rack": 7, "old": False}


def test_the_page_for_resellers_names_the_arguments_of_each_act() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)` \| .+? \| (.*?) \|$", page, re.MULTILINE))
    for action in BulkRun.Action.values:
        kind = ARGUMENTS.get(action)
        fields = set(kind().fields) if kind else set()
        fields -= set(ClientFields().fields) if kind is BulkChange else set()
        assert set(re.findall(r"`(\w+)`", rows[action])) == fields, action
