"""What may be said of a client's terms, and what follows from what is said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from gateways.models import Interface
from peers.models import Client
from quotas.models import Plan, Usage
from tenants.models import User
from tests.integration.terms.conftest import URL, Shop, held, is_on
from tests.make import make_plan

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PLAN: dict[str, Any] = {
    "total_bytes": 50,
    "reset": "week",
    "duration_days": 30,
    "upload_kbit": 1000,
    "download_kbit": 2000,
    "at_limit": "throttle",
    "throttle_kbit": 64,
    "grace_seconds": 60,
    "delete_after_days": 9,
}


def create(shop: Shop, status: int = 201, **body: Any) -> dict[str, Any]:
    answer = shop.api.post(URL, {"name": "Sara", **body})
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_all_of_a_plan_s_terms_are_copied(shop: Shop) -> None:
    plan = make_plan(shop.tenant, **PLAN)
    body = create(shop, plan=str(plan.uuid))
    assert body["quota_bytes"] == 50
    same = PLAN.keys() - {"total_bytes", "duration_days"}
    assert {name: body[name] for name in same} == {name: PLAN[name] for name in same}
    usage = Usage.objects.get(client__uuid=body["id"])
    assert usage.period_began_at == Client.objects.get().starts_at
    assert usage.period_ends_at is not None
    assert usage.period_ends_at.weekday() == 0
    Plan.objects.update(total_bytes=7, reset="none")
    assert shop.read(Client.objects.get())["quota_bytes"] == 50


def test_a_plan_without_limits_clears_them(shop: Shop) -> None:
    rich, bare = make_plan(shop.tenant, **PLAN), make_plan(shop.tenant)
    made = create(shop, plan=str(rich.uuid))
    client = Client.objects.get(uuid=made["id"])
    body = shop.patch(client, plan=str(bare.uuid))
    assert {name for name in PLAN if body.get(name) not in (None, "none", "disconnect", 0)} == set()
    assert body["quota_bytes"] is None
    assert body["expires_at"] == made["expires_at"], "it is paid for"
    assert Usage.objects.get(client=client).period_ends_at is None


def test_the_seller_s_own_terms_go_before_the_plan_s(shop: Shop) -> None:
    plan = make_plan(shop.tenant, **PLAN)
    body = create(
        shop, plan=str(plan.uuid), upload_quota_bytes=5, reset="day", at_limit="disconnect"
    )
    assert (body["quota_bytes"], body["upload_quota_bytes"]) == (None, 5)
    assert (body["reset"], body["throttle_kbit"]) == ("day", None)
    body = shop.patch(Client.objects.get(), quota_bytes=9)
    assert (body["quota_bytes"], body["upload_quota_bytes"]) == (9, None)


def test_a_plan_with_a_date_counts_from_it(shop: Shop) -> None:
    plan = make_plan(shop.tenant, start="date", duration_days=30)
    start = (timezone.now() + DAY).replace(microsecond=0)
    body = create(shop, plan=str(plan.uuid), starts_at=start.isoformat())
    assert datetime.fromisoformat(body["expires_at"]) == start + 30 * DAY
    assert held(Client.objects.get()) == {"plan"}


def test_a_first_handshake_has_its_latest_moment(shop: Shop) -> None:
    plan = make_plan(
        shop.tenant, start="first-handshake", duration_days=30, start_within_days=7, reset="month"
    )
    body = create(shop, plan=str(plan.uuid))
    assert (body["starts_at"], body["expires_at"], body["duration_days"]) == (None, None, 30)
    latest = datetime.fromisoformat(body["start_before"])
    assert timezone.now() < latest <= timezone.now() + 7 * DAY
    assert not Usage.objects.exists(), "no period runs before it"


def test_other_days_move_the_end(shop: Shop) -> None:
    now = timezone.now().replace(microsecond=0)
    client = shop.sold(duration_days=30, expires_at=now + 10 * DAY)
    body = shop.patch(client, duration_days=33)
    assert datetime.fromisoformat(body["expires_at"]) == now + 13 * DAY
    answer = shop.api.patch(f"{URL}/{client.uuid}", {"duration_days": 1})
    assert answer.json()["errors"][0]["code"] == "past"
    endless = shop.sold()
    body = shop.patch(endless, duration_days=30)
    assert (body["starts_at"], body["expires_at"]) == (None, None), "from the next handshake on"


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"quota_bytes": 5, "upload_quota_bytes": 5}, "upload_quota_bytes", "contradiction"),
        ({"at_limit": "throttle"}, "throttle_kbit", "contradiction"),
        ({"throttle_kbit": 5}, "throttle_kbit", "contradiction"),
        (
            {"at_limit": "throttle", "throttle_kbit": 64, "upload_kbit": 63},
            "throttle_kbit",
            "contradiction",
        ),
        ({"upload_kbit": 1001}, "upload_kbit", "beyond_limit"),
        ({"download_kbit": 1001}, "download_kbit", "beyond_limit"),
        ({"at_limit": "throttle", "throttle_kbit": 1001}, "throttle_kbit", "beyond_limit"),
        ({"starts_at": "2020-01-01T00:00:00Z"}, "starts_at", "past"),
        ({"start_before": "2020-01-01T00:00:00Z"}, "start_before", "past"),
        (
            {"starts_at": "2097-01-01T00:00:00Z", "expires_at": "2096-01-01T00:00:00Z"},
            "expires_at",
            "contradiction",
        ),
        (
            {"starts_at": "2097-01-01T00:00:00Z", "start_before": "2096-01-01T00:00:00Z"},
            "start_before",
            "contradiction",
        ),
        ({"reset": "hour"}, "reset", "invalid_choice"),
        ({"at_limit": "slow"}, "at_limit", "invalid_choice"),
        ({"grace_seconds": -1}, "grace_seconds", "min_value"),
        ({"grace_seconds": None}, "grace_seconds", "null"),
        ({"delete_after_days": 36_501}, "delete_after_days", "max_value"),
        ({"upload_kbit": 0}, "upload_kbit", "min_value"),
    ],
)
def test_what_contradicts_is_refused_by_name(
    shop: Shop, said: dict[str, Any], field: str, code: str
) -> None:
    shop.tenant.max_speed_kbit = 1000
    shop.tenant.save()
    client = shop.sold()
    for answer in (
        shop.api.post(URL, {"name": "x", **said}),
        shop.api.patch(f"{URL}/{client.uuid}", said),
    ):
        assert answer.status_code == 400, answer.content
        assert {(e["field"], e["code"]) for e in answer.json()["errors"]} == {(field, code)}
    client.refresh_from_db()
    assert (client.version, Client.objects.count()) == (1, 1)


def test_a_limit_that_came_later_does_not_hinder_another_change(shop: Shop) -> None:
    client = shop.sold(upload_kbit=5000)
    shop.tenant.max_speed_kbit = 1000
    shop.tenant.save()
    read = shop.read(client)
    body = shop.patch(client, **{**read, "note": "seen"})
    assert (body["note"], body["upload_kbit"]) == ("seen", 5000)


def test_many_are_topped_up_and_reset_at_once(shop: Shop) -> None:
    clients = [shop.sold(quota_bytes=10, used=12) for _ in range(3)]
    other = shop.sold(quota_bytes=10, used=12)
    names = [str(client.uuid) for client in clients]
    shop.api.post(f"{URL}/bulk", {"action": "update", "ids": names, "arguments": {"note": "x"}})
    for client in (*clients, other):
        shop.patch(client, quota_bytes=11)
        assert held(client) == {"quota"}
    body = {"action": "top-up", "ids": names, "arguments": {"bytes": 2}}
    answer = shop.api.post(f"{URL}/bulk", body).json()
    assert (answer["status"], len(answer["jobs"])) == ("succeeded", 1)
    assert [is_on(client) for client in clients] == [True] * 3
    assert not is_on(other)
    shop.api.post(f"{URL}/bulk", {"action": "reset", "ids": names[:2]})
    found = Usage.objects.filter(client__in=clients).order_by("client")
    assert [(usage.period, usage.extra_bytes) for usage in found] == [(2, 0), (2, 0), (1, 2)]


def test_many_are_made_with_periods_and_starts(shop: Shop) -> None:
    start = (timezone.now() + DAY).isoformat()
    items = [{"name": "a", "reset": "day"}, {"name": "b", "starts_at": start}, {"name": "c"}]
    answer = shop.api.post(f"{URL}/bulk", {"action": "create", "items": items}).json()
    assert answer["status"] == "succeeded", answer
    assert Usage.objects.get().client.name == "a"
    assert [held(client) for client in Client.objects.order_by("name")] == [set(), {"plan"}, set()]


def test_a_plan_that_follows_is_not_deleted(shop: Shop) -> None:
    plan = make_plan(shop.tenant, total_bytes=5)
    client = shop.sold(quota_bytes=5)
    shop.act(client, "change-plan", plan=str(plan.uuid), when="end")
    assert shop.api.delete(f"/api/v1/plans/{plan.uuid}").status_code == 204
    plan.refresh_from_db()
    assert plan.archived_at is not None
    assert shop.read(client)["next_plan"]["plan"] == str(plan.uuid)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"enabled": False}, "interface-down"),
        ({"state": "down"}, "interface-down"),
        ({"state": "unreachable"}, None),
    ],
)
def test_an_interface_that_is_down_is_a_reason(
    shop: Shop, fields: dict[str, Any], reason: str | None
) -> None:
    client = shop.sold()
    Interface.objects.update(**fields)
    off = shop.read(client)["off"]
    assert (off and off["reason"]) == reason
    shop.act(client, "disable", reason="holiday")
    off = shop.read(client)["off"]
    assert (off["reason"], off["until"]) == ("manual", None)
    assert "holiday" in off["message"]
    shop.act(client, "terminate")
    (deleted,) = shop.api.get(f"{URL}?deleted=true").json()["results"]
    assert deleted["off"]["reason"] == "deleted"


def test_the_admin_site_shows_the_terms_and_resets(shop: Shop, operator: User) -> None:
    client = shop.sold(quota_bytes=10, used=10, reset="month")
    shop.patch(client, quota_bytes=9)
    browser = Browser()
    browser.force_login(operator)
    page = browser.get(f"/admin/peers/client/{client.pk}/change/").content.decode()
    assert "The bytes of its period are used up" in page or "Its bytes are used up" in page
    assert "Quota bytes" in page
    answer = browser.post(
        "/admin/peers/client/", {"action": "reset_usage", "_selected_action": [client.pk]}
    )
    assert answer.status_code == 302
    assert is_on(client)
