"""What a tenant sells."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from quotas.models import Plan
from tenants.models import Tenant
from tests.make import make_client
from tests.tags import tag

PLANS = "/api/v1/plans"
NOBODY = "00000000-0000-4000-8000-000000000000"
GIB = 2**30


def one(plan: Plan | str) -> str:
    return f"{PLANS}/{plan.uuid if isinstance(plan, Plan) else plan}"


def make(tenant: Tenant, name: str = "Basic", **fields: Any) -> Plan:
    return Plan.objects.create(tenant=tenant, name=name, **fields)


def code_of(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["errors"][0]
    return answer.status_code, error["field"], error["code"]


def test_a_plan_is_made_as_it_was_asked_for(alice_api: APIClient, acme: Tenant) -> None:
    body = {
        "name": "Gamer 50",
        "description": "Low latency",
        "price_label": "5 € a month",
        "total_bytes": 2**63 - 1,
        "duration_days": 30,
        "start": "first-handshake",
        "start_within_days": 90,
        "reset": "month",
        "devices": 2,
        "upload_kbit": 50_000,
        "download_kbit": 50_000,
        "at_limit": "throttle",
        "throttle_kbit": 512,
        "grace_seconds": 3600,
        "delete_after_days": 14,
    }
    answer = alice_api.post(PLANS, body)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in body} == body
    assert (made["archived"], made["version"], answer["ETag"]) == (False, 1, tag(made, 1))
    shown = alice_api.get(answer["Location"])
    assert (shown.json(), shown["ETag"]) == (made, tag(made, 1))
    assert AuditEvent.objects.get(action="plan.created").after == body
    least = alice_api.post(PLANS, {"name": "Free"}).json()
    assert (least["total_bytes"], least["devices"], least["start"]) == (None, 1, "now")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "blank"),
        ("name", " x", "blank"),
        ("name", None, "null"),
        ("name", "a\nb", "characters"),
        ("name", "x" * 121, "max_length"),
        ("description", "x" * 501, "max_length"),
        ("price_label", 5, "not_text"),
        ("total_bytes", 0, "min_value"),
        ("total_bytes", -1, "min_value"),
        ("total_bytes", 2**63, "max_value"),
        ("total_bytes", 10**400, "max_value"),
        ("total_bytes", 1.5, "invalid"),
        ("total_bytes", "10GB", "invalid"),
        ("total_bytes", True, "invalid"),
        ("duration_days", 0, "min_value"),
        ("duration_days", 36501, "max_value"),
        ("start", "later", "invalid_choice"),
        ("start", None, "null"),
        ("reset", 1, "invalid_choice"),
        ("devices", 0, "min_value"),
        ("devices", None, "null"),
        ("devices", 1001, "max_value"),
        ("upload_kbit", 10**9 + 1, "max_value"),
        ("grace_seconds", -1, "min_value"),
        ("archived", True, "unknown_field"),
        ("tenant", "evil", "unknown_field"),
        ("version", 7, "read_only"),
        ("id", NOBODY, "read_only"),
        # What contradicts itself.
        ("upload_bytes", 5, "contradiction"),
        ("download_bytes", 5, "contradiction"),
        ("start_within_days", 5, "contradiction"),
        ("delete_after_days", 5, "contradiction"),
        ("throttle_kbit", 5, "contradiction"),
    ],
)
def test_what_cannot_be_sold_is_refused(
    alice_api: APIClient, field: str, value: Any, code: str
) -> None:
    answer = alice_api.post(PLANS, {"name": "Basic", "total_bytes": GIB, field: value})
    assert code_of(answer) == (400, field, code)
    assert not Plan.objects.exists()
    assert not AuditEvent.objects.filter(target_type="plan").exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"at_limit": "throttle", "total_bytes": GIB}, "throttle_kbit"),
        ({"at_limit": "throttle", "throttle_kbit": 5}, "at_limit"),
        (
            {"at_limit": "throttle", "throttle_kbit": 9, "total_bytes": 1, "upload_kbit": 8},
            "throttle_kbit",
        ),
    ],
)
def test_a_throttle_must_make_sense(alice_api: APIClient, body: Any, field: str) -> None:
    assert code_of(alice_api.post(PLANS, {"name": "x", **body})) == (400, field, "contradiction")


def test_a_plan_stays_within_the_tenants_limits(alice_api: APIClient, acme: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_devices_per_client=3, max_speed_kbit=1000)
    for field, value, most in (("devices", 4, 3), ("upload_kbit", 1001, 1000)):
        answer = alice_api.post(PLANS, {"name": "x", field: value})
        assert code_of(answer) == (400, field, "beyond_limit")
        assert alice_api.post(PLANS, {"name": field, field: most}).status_code == 201


def test_a_limit_that_was_lowered_keeps_no_plan_from_being_renamed_or_archived(
    alice_api: APIClient, acme: Tenant
) -> None:
    """What it says already is not asked again; what clients get is the least of all speeds."""
    plan = make(acme, upload_kbit=1000, devices=3)
    Tenant.objects.filter(pk=acme.pk).update(max_devices_per_client=2, max_speed_kbit=500)
    assert alice_api.patch(one(plan), {"name": "Old"}).status_code == 200
    answer = alice_api.patch(one(plan), {"upload_kbit": 900})
    assert code_of(answer) == (400, "upload_kbit", "beyond_limit")
    slow = {"at_limit": "throttle", "throttle_kbit": 501, "total_bytes": GIB, "upload_kbit": None}
    assert code_of(alice_api.patch(one(plan), slow)) == (400, "throttle_kbit", "beyond_limit")
    assert alice_api.patch(one(plan), {"archived": True}).status_code == 200


def test_a_change_keeps_the_rest_and_is_checked_with_it(alice_api: APIClient, acme: Tenant) -> None:
    plan = make(acme, total_bytes=GIB)
    answer = alice_api.patch(one(plan), {"name": "Better", "total_bytes": 2 * GIB})
    assert (answer.status_code, answer["ETag"]) == (200, tag(plan, 2))
    assert answer.json()["version"] == 2
    event = AuditEvent.objects.get(action="plan.updated")
    assert event.before == {"name": "Basic", "total_bytes": GIB}
    assert event.after == {"name": "Better", "total_bytes": 2 * GIB}
    refused = alice_api.patch(one(plan), {"upload_bytes": 5})
    assert code_of(refused) == (400, "upload_bytes", "contradiction")
    both = alice_api.patch(one(plan), {"upload_bytes": 5, "total_bytes": None})
    assert both.status_code == 200
    body = both.json()
    same = alice_api.patch(one(plan), body)
    assert (same.json(), same["ETag"]) == (body, tag(plan, 3))
    stale = alice_api.patch(one(plan), {"name": "x"}, headers={"If-Match": tag(plan, 1)})
    assert stale.status_code == 412


def test_a_name_is_sold_once(alice_api: APIClient, acme: Tenant, evil: Tenant) -> None:
    make(evil)
    plan, other = make(acme), make(acme, "Other")
    assert code_of(alice_api.post(PLANS, {"name": "Basic"})) == (409, "name", "name_taken")
    assert alice_api.patch(one(other), {"name": "Basic"}).status_code == 409
    assert alice_api.patch(one(plan), {"archived": True}).json()["archived"] is True
    assert alice_api.patch(one(other), {"name": "Basic"}).status_code == 200
    assert code_of(alice_api.patch(one(plan), {"archived": False})) == (409, "name", "name_taken")
    assert alice_api.patch(one(plan), {"archived": False, "name": "Back"}).status_code == 200


def test_a_plan_that_clients_have_is_archived(alice_api: APIClient, acme: Tenant) -> None:
    sold, unsold = make(acme), make(acme, "Unsold")
    make_client(acme, plan=sold)
    for plan in (sold, unsold):
        stale = alice_api.delete(one(plan), headers={"If-Match": tag(plan, 9)})
        assert stale.status_code == 412
        assert alice_api.delete(one(plan)).status_code == 204
    assert alice_api.get(one(unsold)).status_code == 404
    assert alice_api.get(one(sold)).json()["archived"] is True
    assert alice_api.delete(one(sold)).status_code == 204  # again: it stays archived
    actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
    assert [name for name in actions if name.startswith("plan")] == [
        "plan.archived",
        "plan.deleted",
    ]


def test_plans_by_role_and_tenant(
    acme: Tenant,
    manager_api: APIClient,
    viewer_api: APIClient,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    operator_api: APIClient,
) -> None:
    plan = make(acme)
    for api, reads, writes in (
        (viewer_api, 200, 403),
        (mallory_api, 404, 404),
        (anonymous_api, 401, 401),
    ):
        assert api.get(one(plan)).status_code == reads
        assert api.patch(one(plan), {"name": "x"}).status_code == writes
        assert api.delete(one(plan)).status_code == writes
    assert mallory_api.get(one(plan)).content == mallory_api.get(one(NOBODY)).content
    assert mallory_api.get(PLANS).json()["results"] == []
    assert viewer_api.post(PLANS, {"name": "x"}).status_code == 403
    assert anonymous_api.post(PLANS, {"name": "x"}).status_code == 401
    assert manager_api.patch(one(plan), {"name": "Managed"}).status_code == 200
    header = {"X-VWG-Tenant": "acme"}
    assert operator_api.delete(one(plan), headers=header).status_code == 204
    assert AuditEvent.objects.get(action="plan.deleted").by_operator


def test_the_list_is_filtered_and_takes_one_query(
    alice_api: APIClient, acme: Tenant, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        make(acme, f"Plan {number}", description="fast" if number % 2 else "")
    alice_api.patch(one(Plan.objects.get(name="Plan 0")), {"archived": True})

    def found(**query: str) -> list[str]:
        return [row["name"] for row in alice_api.get(PLANS, query).json()["results"]]

    assert found(archived="true") == ["Plan 0"]
    assert found(search="FAST", ordering="name") == ["Plan 1", "Plan 3"]
    assert found(name="Plan 4") == ["Plan 4"]
    assert alice_api.get(PLANS, {"tenant__slug": "evil"}).status_code == 400
    for limit in ("1", "5"):
        with django_assert_num_queries(2):
            alice_api.get(PLANS, {"limit": limit})
