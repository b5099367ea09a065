"""Tenants, members, plans and people in the admin site: by the services, and in the events."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from gateways.models import Interface
from quotas.models import Plan
from tenants.models import Membership, Tenant, User
from tests.make import make_client, make_tenant, make_token, make_user

TENANT = "/admin/tenants/tenant/"
PLAN = "/admin/quotas/plan/"


@pytest.fixture
def browser(client: Browser, operator: User) -> Browser:
    client.force_login(operator)
    return client


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def filled(browser: Browser, path: str) -> dict[str, Any]:
    """What the form at this path would send as it stands."""
    page = browser.get(path)
    assert page.status_code == 200
    form = page.context["adminform"].form
    data: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if isinstance(value, list):
            data[bound.html_name] = [getattr(item, "pk", item) for item in value]
        elif value is not None and value is not False:
            data[bound.html_name] = value
    for inline in page.context["inline_admin_formsets"]:
        formset = inline.formset
        for bound in formset.management_form:
            data[bound.html_name] = bound.value()
        for one in formset.forms:
            for bound in one:
                data[bound.html_name] = "" if bound.value() is None else bound.value()
    return data


def errors(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def test_a_tenant_is_made(browser: Browser, interface: Interface) -> None:
    data = filled(browser, f"{TENANT}add/")
    data |= {"slug": "shop", "name": "Shop", "max_clients": "5", "brand_color": "#AABBCC"}
    data |= {"limits_interfaces": "on", "interfaces": [str(interface.pk)]}
    assert browser.post(f"{TENANT}add/", data).status_code == 302
    made = Tenant.objects.get(slug="shop")
    assert (made.max_clients, made.brand_color, made.limits_interfaces) == (5, "#aabbcc", True)
    assert list(made.interfaces.all()) == [interface]
    assert actions() == ["tenant.created"]
    assert AuditEvent.objects.get().by_operator
    refused = browser.post(f"{TENANT}add/", data | {"slug": "Shop!", "name": "Other"})
    assert "slug" in errors(refused)
    taken = browser.post(f"{TENANT}add/", data | {"name": "Other"})
    assert "slug" in errors(taken)


def test_a_tenant_is_changed(browser: Browser, acme: Tenant) -> None:
    path = f"{TENANT}{acme.pk}/change/"
    data = filled(browser, path)
    assert browser.post(path, data).status_code == 302
    assert actions() == []
    data |= {"max_clients": "7", "limits_pools": "on", "timezone": "Asia/Tehran"}
    assert browser.post(path, data).status_code == 302
    acme.refresh_from_db()
    assert (acme.max_clients, acme.limits_pools, acme.version) == (7, True, 2)
    event = AuditEvent.objects.get()
    assert event.after == {"max_clients": 7, "pools": [], "timezone": "Asia/Tehran"}
    wrong = {"support_url": "http://x", "config_prefix": "UPPER", "timezone": "Mars"}
    for field, value in wrong.items():
        assert list(errors(browser.post(path, data | {field: value}))) == [field]
    assert actions() == ["tenant.updated"]


def test_members_are_changed_and_one_stays_owner(
    browser: Browser, acme: Tenant, alice: User, mallory: User
) -> None:
    path = f"{TENANT}{acme.pk}/change/"
    data = filled(browser, path)
    demoted = data | {"memberships-0-role": "viewer"}
    answer = browser.post(path, demoted)
    assert "at least one active owner" in answer.content.decode()
    removed = data | {"memberships-0-DELETE": "on"}
    assert browser.post(path, removed).status_code == 200
    assert actions() == []
    joined = data | {
        "memberships-2-0-user": str(mallory.pk),
        "memberships-2-0-role": "owner",
        "memberships-2-0-tenant": str(acme.pk),
    }
    assert browser.post(path, joined).status_code == 302
    data = filled(browser, path)
    index = 0 if data["memberships-0-id"] == alice.memberships.get().pk else 1
    assert browser.post(path, data | {f"memberships-{index}-role": "viewer"}).status_code == 302
    roles = dict(Membership.objects.filter(tenant=acme).values_list("user__username", "role"))
    assert roles == {"alice": "viewer", "mallory": "owner"}
    assert actions() == ["member.added", "member.updated"]
    data = filled(browser, path)
    assert browser.post(path, data | {f"memberships-{index}-DELETE": "on"}).status_code == 302
    assert actions()[-1] == "member.removed"
    assert not alice.memberships.exists()


def test_a_plan_is_made_and_changed(browser: Browser, acme: Tenant) -> None:
    data = filled(browser, f"{PLAN}add/")
    data |= {"tenant": str(acme.pk), "name": "Basic", "total_bytes": "5"}
    answer = browser.post(f"{PLAN}add/", data)
    assert answer.status_code == 302, errors(answer)
    plan = Plan.objects.get()
    path = f"{PLAN}{plan.pk}/change/"
    data = filled(browser, path) | {"at_limit": "throttle"}
    assert list(errors(browser.post(path, data))) == ["throttle_kbit"]
    assert browser.post(path, data | {"throttle_kbit": "64"}).status_code == 302
    plan.refresh_from_db()
    assert (plan.throttle_kbit, plan.version) == (64, 2)
    assert actions() == ["plan.created", "plan.updated"]
    assert set(AuditEvent.objects.values_list("tenant", flat=True)) == {acme.pk}


def test_what_becomes_of_people_is_in_the_events(browser: Browser, alice: User) -> None:
    path = f"/admin/tenants/user/{alice.pk}/change/"
    data = filled(browser, path)
    assert browser.post(path, data | {"operator": "full"}).status_code == 302
    event = AuditEvent.objects.get(action="user.updated")
    assert (event.before, event.after["operator"]) == ({"operator": ""}, "full")
    secret = "a new and long passphrase"
    password = {"password1": secret, "password2": secret, "usable_password": "true"}
    answer = browser.post(f"/admin/tenants/user/{alice.pk}/password/", password)
    assert answer.status_code == 302
    assert actions() == ["user.updated", "user.password_changed"]
    made = browser.post("/admin/tenants/user/add/", {"username": "neu", **password})
    assert made.status_code == 302
    assert actions()[-1] == "user.created"
    told = str(list(AuditEvent.objects.values()))
    alice.refresh_from_db()
    assert secret not in told
    assert alice.password not in told
    assert browser.post(f"/admin/tenants/user/{alice.pk}/delete/", {}).status_code == 403


def test_an_operator_who_may_look_changes_nothing(
    client: Browser, auditor: User, acme: Tenant
) -> None:
    client.force_login(auditor)
    path = f"{TENANT}{acme.pk}/change/"
    assert client.get(path).status_code == 200
    assert client.post(path, {"name": "x"}).status_code == 403
    assert client.get(f"{PLAN}add/").status_code == 403


def test_lists_take_the_same_queries_however_long(browser: Browser, acme: Tenant) -> None:
    def fill(count: int) -> None:
        for number in range(count):
            tenant = make_tenant()
            user = make_user(f"user-{tenant.slug}", tenant=tenant)
            make_token(tenant, user=user)
            plan = Plan.objects.create(tenant=tenant, name="Plan")
            make_client(tenant, plan=plan, name=f"c{number}")
            make_user(f"more-{tenant.slug}", tenant=acme)

    def cost(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = browser.get(path)
        assert page.status_code == 200
        return len(queries)

    paths = [
        TENANT,
        f"{TENANT}?q=t-",
        f"{TENANT}{acme.pk}/change/",
        PLAN,
        "/admin/tenants/user/",
        "/admin/tenants/apitoken/",
        "/admin/audit/auditevent/",
    ]
    fill(2)
    before = {path: cost(path) for path in paths}
    before = {path: cost(path) for path in paths}
    fill(4)
    assert {path: cost(path) for path in paths} == before


def test_no_page_shows_a_digest_or_a_logo(browser: Browser, acme: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(brand_logo=b"PICTURE", brand_logo_type="image/png")
    token, _ = make_token(acme)
    for path in (TENANT, f"{TENANT}{acme.pk}/change/", "/admin/tenants/apitoken/"):
        page = browser.get(path).content.decode()
        assert token.digest not in page
        assert not re.search("PICTURE|brand_logo", page)
