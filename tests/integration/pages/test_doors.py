"""Who may open a tenant's pages, and what an operator's visit leaves behind."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from portal.urls import urlpatterns
from tenants.models import Membership, Tenant, User

HOME = "/t/acme/"
#: Pages that are open to everybody: the way in and out, and what a reader chooses for himself.
OPEN = {"page-language", "page-theme"}


def test_every_page_says_who_may_open_it() -> None:
    for pattern in urlpatterns:
        if pattern.name not in OPEN:
            assert getattr(pattern.callback, "scope", ""), pattern.name


@pytest.mark.parametrize("role", Membership.Role.values)
def test_every_role_sees_the_home_of_its_tenant(role: str, alice: User, acme: Tenant) -> None:
    alice.memberships.update(role=role)
    browser = _as(alice)
    assert browser.get("/")["Location"] == HOME
    page = browser.get(HOME)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert 'id="guest"' not in page.content.decode()


def test_a_foreign_tenant_is_as_one_that_does_not_exist(
    reseller: Browser, evil: Tenant, acme: Tenant
) -> None:
    foreign, none = reseller.get(f"/t/{evil.slug}/"), reseller.get("/t/nobody/")
    assert foreign.status_code == none.status_code == 404
    assert foreign.content.replace(evil.slug.encode(), b"nobody") == none.content


def test_nobody_signs_in_first_and_comes_back(db: None) -> None:
    assert Browser().get(HOME)["Location"] == f"/sign-in/?next={HOME}"
    assert Browser().get(HOME, headers={"HX-Request": "true"}).status_code == 401


def test_what_nobody_sent_is_kept_to_be_sent_again(acme: Tenant) -> None:
    sent = {"name": "Weekend <5>", "scopes": ["clients:read", "plans:read"], "code": "1234"}
    page = Browser().post(f"{HOME}tokens/new/?kind=x", sent)
    text = page.content.decode()
    assert page.status_code == 401
    assert f'action="{HOME}tokens/new/?kind=x"' in text
    assert 'name="name" value="Weekend &lt;5&gt;"' in text
    assert text.count('type="hidden" name="scopes"') == 2
    assert "1234" not in text


def test_a_secret_that_nobody_sent_is_on_no_page(db: None) -> None:
    answer = Browser().post("/account/password/", {"oldpassword": "a", "password1": "b"})
    assert answer["Location"] == "/sign-in/?next=/account/password/"


def test_a_suspended_tenant_says_so(reseller: Browser, acme: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(status="suspended")
    page = reseller.get(HOME)
    assert page.status_code == 403
    assert "This tenant is suspended." in page.content.decode()


def test_who_belongs_nowhere_is_told(alice: User) -> None:
    alice.memberships.all().delete()
    page = _as(alice).get("/")
    assert page.status_code == 403
    assert "not a member of any tenant" in page.content.decode()


def test_an_operators_visit_is_one_event_and_a_band(browser: Browser, acme: Tenant) -> None:
    for _ in range(3):
        page = browser.get(HOME)
    assert 'id="guest"' in page.content.decode()
    visit = AuditEvent.objects.get(action="tenant.visited")
    assert (visit.tenant_id, visit.by_operator) == (acme.pk, True)
    other = Browser()
    other.force_login(User.objects.get(operator="full"))
    other.get(HOME)
    assert AuditEvent.objects.filter(action="tenant.visited").count() == 2


def _as(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser
