"""What was sold: plan, bytes, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface
from peers.models import Client
from tenants.models import Tenant
from tests.make import make_client, make_plan

URL = "/api/v1/clients"
GIB = 2**30


def create(api: APIClient, **fields: Any) -> dict[str, Any]:
    answer = api.post(URL, {"name": "Sara", **fields})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_terms_come_back_as_they_were_said(alice_api: APIClient, interface: Interface) -> None:
    body = create(
        alice_api, quota_bytes=GIB, expires_at="2099-01-31T12:00:00+03:30", duration_days=30
    )
    assert (body["quota_bytes"], body["duration_days"]) == (GIB, 30)
    assert body["expires_at"] == "2099-01-31T08:30:00Z"
    assert (body["plan"], body["first_connected_at"]) == (None, None)
    assert (body["created_by"], body["deleted_at"], body["purge_at"]) == ("alice", None, None)
    assert body["enabled"] is True
    event = AuditEvent.objects.get(target_id=body["id"])
    assert event.after["expires_at"] == "2099-01-31T08:30:00Z"


def test_a_plan_fills_in_what_is_not_said(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    plan = make_plan(acme, total_bytes=5 * GIB, duration_days=30)
    before = timezone.now()
    body = create(alice_api, plan=str(plan.uuid))
    assert (body["plan"], body["quota_bytes"]) == (str(plan.uuid), 5 * GIB)
    end = datetime.fromisoformat(body["expires_at"])
    assert before <= end - timedelta(days=30) <= timezone.now()
    body = create(alice_api, plan=str(plan.uuid), quota_bytes=None, expires_at=None)
    assert (body["quota_bytes"], body["expires_at"]) == (None, None)


def test_a_plan_that_starts_with_the_first_handshake_gives_days(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    plan = make_plan(acme, duration_days=7, start="first-handshake")
    body = create(alice_api, plan=str(plan.uuid))
    assert (body["expires_at"], body["duration_days"]) == (None, 7)


def test_a_plan_with_a_date_leaves_the_end_to_its_seller(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    plan = make_plan(acme, duration_days=7, start="date")
    body = create(alice_api, plan=str(plan.uuid))
    assert (body["expires_at"], body["duration_days"]) == (None, None)


def test_another_plan_brings_its_quota_and_leaves_the_end(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    small = make_plan(acme, total_bytes=GIB, duration_days=30)
    large = make_plan(acme, total_bytes=9 * GIB, duration_days=90)
    made = create(alice_api, plan=str(small.uuid))
    url = f"{URL}/{made['id']}"
    body = alice_api.patch(url, {"plan": str(large.uuid)}).json()
    assert (body["quota_bytes"], body["expires_at"]) == (9 * GIB, made["expires_at"])
    event = AuditEvent.objects.filter(target_id=made["id"]).latest("pk")
    assert (event.before["plan"], event.after["plan"]) == (str(small.uuid), str(large.uuid))
    body = alice_api.patch(url, {"plan": str(small.uuid), "quota_bytes": 7}).json()
    assert body["quota_bytes"] == 7
    body = alice_api.patch(url, {"plan": None}).json()
    assert (body["plan"], body["quota_bytes"], body["expires_at"]) == (None, 7, made["expires_at"])


def test_a_client_without_an_end_takes_that_of_its_first_plan(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    made = create(alice_api)
    plan = make_plan(acme, duration_days=7, start="first-handshake")
    body = alice_api.patch(f"{URL}/{made['id']}", {"plan": str(plan.uuid)}).json()
    assert body["duration_days"] == 7


def test_what_was_read_can_be_sent_back(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    """Even when the end has come meanwhile: only another end must lie in the future."""
    plan = make_plan(acme, total_bytes=GIB)
    made = create(alice_api, plan=str(plan.uuid), expires_at="2099-01-31T12:00:00Z")
    Client.objects.update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    url = f"{URL}/{made['id']}"
    read = alice_api.get(url).json()
    plan.archived_at = timezone.now()
    plan.save()
    answer = alice_api.patch(url, {**read, "note": "seen"})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["version"], answer.json()["note"]) == (2, "seen")
    assert alice_api.patch(url, {"created_by": "me"}).status_code == 400


def test_a_foreign_plan_is_refused_like_none(
    alice_api: APIClient, evil: Tenant, acme: Tenant, interface: Interface
) -> None:
    made = create(alice_api)
    foreign = make_plan(evil)
    for method, url in (("post", URL), ("patch", f"{URL}/{made['id']}")):
        answers = [
            getattr(alice_api, method)(url, {"name": "x", "plan": plan})
            for plan in (str(foreign.uuid), "00000000-0000-4000-8000-000000000000")
        ]
        assert answers[0].status_code == 400
        assert answers[0].content == answers[1].content
        error = answers[0].json()["errors"][0]
        assert (error["field"], error["code"]) == ("plan", "plan_unknown")
    assert Client.objects.count() == 1


def test_a_plan_that_is_sold_no_more_is_not_given_anew(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    plan = make_plan(acme, archived_at=timezone.now())
    answer = alice_api.post(URL, {"name": "x", "plan": str(plan.uuid)})
    assert answer.json()["errors"][0]["code"] == "plan_archived"


BAD: dict[str, list[Any]] = {
    "quota_bytes": [-1, 0, 2**63, 10**400, 1.5, "10GB", True, []],
    "duration_days": [-1, 0, 36_501, 1.0, "7", True],
    "expires_at": [
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59+14:00",
        "0001-01-01T00:00:00-14:00",
        "0001-01-01T00:00:00+14:00",
        "2099-02-30T00:00:00Z",
        "2099-01-31T12:00:00",
        "2099-01-31",
        "10000-01-01T00:00:00Z",
        "2020-01-01T00:00:00Z",
        "2099-01-31T12:00:00Z ",
        "2099-01-31 12:00:00Z",
        "２099-01-31T12:00:00Z",  # noqa: RUF001
        4102444800,
        "$(id)",
    ],
    "plan": ["x", 7, "1 OR 1=1", "urn:uuid:" + "0" * 32, "0" * 32, []],
}


@pytest.mark.parametrize(
    ("field", "bad"), [(field, bad) for field, values in BAD.items() for bad in values]
)
def test_bad_terms_are_refused_by_name(
    alice_api: APIClient, acme: Tenant, interface: Interface, field: str, bad: Any
) -> None:
    client = make_client(acme)
    for answer in (
        alice_api.post(URL, {"name": "x", field: bad}),
        alice_api.patch(f"{URL}/{client.uuid}", {field: bad}),
    ):
        assert answer.status_code == 400, answer.content
        assert answer.json()["errors"][0]["field"] == field
    client.refresh_from_db()
    assert (client.version, Client.objects.count()) == (1, 1)


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "1e999"])
def test_what_is_no_json_number_is_refused(
    alice_api: APIClient, interface: Interface, bad: str
) -> None:
    body = f'{{"name": "x", "quota_bytes": {bad}}}'
    answer = alice_api.post(URL, body, content_type="application/json")
    assert answer.status_code == 400
