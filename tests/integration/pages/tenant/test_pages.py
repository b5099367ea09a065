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
from peers.models import Peer
from portal.home.queries import tally
from quotas.models import Hold, Plan
from tenants.models import Membership, Tenant, User
from tenants.scoping import Caller
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


def test_the_homes_poll_is_304_until_something_changes(
    alice: User, acme: Tenant, interface: Interface
) -> None:
    browser = browser_of(alice)
    for _ in range(2):
        make_peer(make_client(acme), interface)
    first = browser.get("/t/acme/live/")
    assert 'id="fig-online" data-part' in first.content.decode()
    tag = {"If-None-Match": first["ETag"]}
    assert browser.get("/t/acme/live/", headers=tag).status_code == 304
    Peer.objects.filter(tenant=acme).update(quarantine_reason="refused")
    changed = browser.get("/t/acme/live/", headers=tag)
    assert changed.status_code == 200
    assert "Gateways refused 2 devices." in changed.content.decode()


def test_the_home_counts_what_its_numbers_lead_to(
    alice: User, acme: Tenant, interface: Interface
) -> None:
    at = now()
    online, used, off, _ = (make_peer(make_client(acme), interface) for _ in range(4))
    Peer.objects.filter(pk=online.pk).update(observed_present=True, last_handshake_at=at)
    used.client.first_connected_at = at
    used.client.expires_at = at + timedelta(days=3)
    used.client.save()
    for reason in ("manual", "quota"):
        Hold.objects.create(
            tenant=acme, client=off.client, reason=reason, opened_at=at, opened_by="x"
        )
    found = tally(Caller(acme, "", frozenset({"*"}), SYSTEM), at)
    assert (found.clients, found.online, found.off, found.quota) == (4, 1, 1, 1)
    assert (found.unused, found.soon, found.last, found.waiting) == (3, 1, 1, 4)


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
