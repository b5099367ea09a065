"""A tenant's own pages: who sees them, who sees the buttons, and how many queries they take."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from audit.events import SYSTEM, Target, record
from gateways.models import Interface
from quotas.models import Plan
from tenants.models import Membership, Tenant, User
from tests.make import make_client, make_peer, make_user

PAGES = ("", "plans/", "usage/", "tokens/", "members/", "settings/", "history/")
FORMS = ("plans/new/", "tokens/new/", "members/new/")
#: Role -> the forms that it may open.
OPENS = {
    "owner": set(FORMS),
    "manager": {"plans/new/"},
    "viewer": set[str](),
}


def browser_of(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.mark.parametrize("role", Membership.Role.values)
def test_each_role_sees_what_it_may(role: str, alice: User, acme: Tenant) -> None:
    alice.memberships.update(role=role)
    browser = browser_of(alice)
    for page in PAGES:
        answer = browser.get(f"/t/acme/{page}")
        assert answer.status_code == 200, page
        text = answer.content.decode()
        assert ('/t/acme/tokens/new/"' in text) == (page == "tokens/" and role == "owner")
    opened = {page for page in FORMS if browser.get(f"/t/acme/{page}").status_code == 200}
    assert opened == OPENS[role]


def test_a_read_only_operator_looks_and_changes_nothing(auditor: User, acme: Tenant) -> None:
    browser = browser_of(auditor)
    for page in PAGES:
        assert browser.get(f"/t/acme/{page}").status_code == 200, page
    for page in (*FORMS, "settings/"):
        assert browser.post(f"/t/acme/{page}", {"name": "x"}).status_code == 403, page


def test_foreigners_find_nothing(mallory: User, acme: Tenant) -> None:
    browser = browser_of(mallory)
    for page in (*PAGES, *FORMS):
        assert browser.get(f"/t/acme/{page}").status_code == 404, page


@pytest.mark.parametrize("page", PAGES)
def test_more_rows_are_no_more_queries(
    page: str, alice: User, acme: Tenant, interface: Interface
) -> None:
    browser = browser_of(alice)
    _more(acme, interface, 2)
    _queries(browser, page)  # the first of a sign-in keeps what the browser says
    few = _queries(browser, page)
    _more(acme, interface, 9)
    assert _queries(browser, page) == few


def _queries(browser: Browser, page: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(f"/t/acme/{page}").status_code == 200
    return len(queries)


def _more(tenant: Tenant, interface: Interface, count: int) -> None:
    have = Plan.objects.count()
    for number in range(have, have + count):
        plan = Plan.objects.create(tenant=tenant, name=f"plan {number}", total_bytes=10**9)
        client = make_client(
            tenant, name=f"c{number}", plan=plan, expires_at=now() + timedelta(days=2)
        )
        peer = make_peer(client, interface)
        peer.quarantine_reason = "refused"
        peer.save()
        user = make_user(f"m{number}", tenant=tenant)
        tenant.tokens.create(name=f"t{number}", prefix=f"p{number}", digest="x", user=user)
        target = Target("client", str(client.uuid), client.name, tenant.pk)
        record(actor=SYSTEM, action="client.created", target=target)
