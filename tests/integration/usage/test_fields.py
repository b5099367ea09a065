"""What operators and owners set of accounting: settings, gateways, tenants; API and admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from rest_framework.test import APIClient

from gateways.models import Gateway, GlobalSetting
from tenants.models import Tenant, User
from tests.make import make_gateway


@pytest.mark.parametrize("name", ["keep_ledger_days", "keep_quarters_days", "keep_sessions_days"])
def test_how_long_rows_are_kept(operator_api: APIClient, name: str) -> None:
    answer = operator_api.patch("/api/v1/settings", {name: 90})
    assert answer.status_code == 200, answer.content
    assert answer.json()[name] == 90
    assert answer.json()["preview"]["outdates_files"] is False
    assert getattr(GlobalSetting.objects.get(), name) == 90
    for wrong in (1, 0, -1, 3651, None, "90", 2.5, True):
        assert operator_api.patch("/api/v1/settings", {name: wrong}).status_code == 400, wrong


def test_what_a_gateway_bills(operator_api: APIClient, db: None) -> None:
    made = operator_api.post("/api/v1/gateways", {"slug": "far", "usage_percent": 150})
    assert (made.status_code, made.json()["usage_percent"]) == (201, 150)
    path = made["Location"]
    assert operator_api.patch(path, {"usage_percent": 0}).json()["usage_percent"] == 0
    for wrong in (-1, 10_001, None, "1"):
        assert operator_api.patch(path, {"usage_percent": wrong}).status_code == 400, wrong
    assert Gateway.objects.get(slug="far").usage_percent == 0


POOL = {
    "max_bytes_per_period": 10**12,
    "pool_counts": "sold",
    "pool_reset": "week",
    "pool_stops": "new",
}


def test_a_tenants_pool_is_the_operators_to_set(
    operator_api: APIClient, alice_api: APIClient, acme: Tenant
) -> None:
    path = f"/api/v1/tenants/{acme.uuid}"
    answer = operator_api.patch(path, POOL)
    assert answer.status_code == 200, answer.content
    assert {name: answer.json()[name] for name in POOL} == POOL
    own = alice_api.get("/api/v1/tenant").json()
    assert {name: own[name] for name in POOL} == POOL
    assert alice_api.get("/api/v1/me").json()["limits"]["pool_counts"] == "sold"
    assert alice_api.patch("/api/v1/tenant", {"pool_stops": "all"}).status_code == 400
    assert alice_api.patch("/api/v1/tenant", {"pool_stops": "new"}).status_code == 200  # as read
    for name in ("pool_counts", "pool_reset", "pool_stops"):
        for wrong in ("", "x", None, 1):
            assert operator_api.patch(path, {name: wrong}).status_code == 400, (name, wrong)


@pytest.mark.parametrize(
    ("field", "wrong", "where"),
    [
        ("warn_percents", [0], "warn_percents.0"),
        ("warn_percents", [50, 100], "warn_percents.1"),
        ("warn_percents", list(range(1, 12)), "warn_percents"),
        ("warn_percents", "80", "warn_percents"),
        ("warn_percents", None, "warn_percents"),
        ("warn_percents", [True], "warn_percents.0"),
        ("warn_days", [366], "warn_days.0"),
        ("warn_days", [1.5], "warn_days.0"),
    ],
)
def test_owners_say_when_they_are_warned(
    alice_api: APIClient, acme: Tenant, field: str, wrong: Any, where: str
) -> None:
    body = {"warn_percents": [95, 50, 95], "warn_days": []}
    answer = alice_api.patch("/api/v1/tenant", body)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["warn_percents"], answer.json()["warn_days"]) == ([95, 50], [])
    refusal = alice_api.patch("/api/v1/tenant", {field: wrong})
    assert refusal.status_code == 400, refusal.content
    assert refusal.json()["errors"][0]["field"] == where


def test_the_admin_site_sets_them_through_the_same_doors(operator: User, acme: Tenant) -> None:
    browser, gateway = Browser(), make_gateway()
    browser.force_login(operator)
    for path, words in (
        (f"tenants/tenant/{acme.pk}", ("pool_counts", "pool_stops", "warn_percents")),
        (f"gateways/gateway/{gateway.pk}", ("usage_percent",)),
        ("gateways/globalsetting/1", ("keep_ledger_days", "keep_sessions_days")),
    ):
        page = browser.get(f"/admin/{path}/change/").content.decode()
        assert [word for word in words if f'name="{word}"' not in page] == []
