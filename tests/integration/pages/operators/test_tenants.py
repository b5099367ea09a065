"""Resellers by an operator's hand: the list, one of them, limits, people, suspension."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from gateways.models import Interface
from peers.models import Client, Peer
from quotas.models import Hold, TenantUsage
from tenants.models import Membership, Tenant, User
from tests.make import make_client, make_peer, make_tenant

PAGE = "/tenants/acme/"
FIELDS = {
    "name": "Acme", "timezone": "UTC", "language": "en", "pool_counts": "used",
    "pool_reset": "month", "pool_stops": "all",
}  # fmt: skip


def test_the_list_shows_use_and_narrows(browser: Browser, acme: Tenant, evil: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_bytes_per_period=10**12)
    TenantUsage.objects.create(tenant=acme, billed_down=93 * 10**10)
    Tenant.objects.filter(pk=evil.pk).update(status="suspended")
    page = browser.get("/tenants/").content.decode()
    assert "93 % of 1 TB" in page
    assert "bar warn" in page
    found = browser.get("/tenants/?show=suspended").content.decode()
    assert "/tenants/evil/" in found
    assert "/tenants/acme/" not in found
    assert "No reseller matches “zzz”" in browser.get("/tenants/?q=zzz").content.decode()


def test_a_long_list_is_walked_through_once(browser: Browser) -> None:
    for number in range(120):
        make_tenant(f"r{number}", name="Same name" if number % 2 else f"R {number}")
    seen: list[str] = []
    query = ""
    for _ in range(5):
        found = browser.get(f"/tenants/{query}")
        seen += [row.slug for row in found.context["rows"]]
        if not found.context["window"].after:
            break
        query = f"?{found.context['window'].after}"
    assert len(seen) == len(set(seen)) == Tenant.objects.count()


def test_suspending_says_who_stops_and_resuming_who_comes_back(
    browser: Browser, acme: Tenant, alice: User, interface: Interface
) -> None:
    for _ in range(3):
        make_peer(make_client(acme), interface)
    other = Client.objects.filter(tenant=acme)[0]
    Hold.objects.create(
        tenant=acme, client=other, reason="manual", opened_at=timezone.now(), opened_by="x"
    )
    asked = browser.get(f"{PAGE}suspend/").content.decode()
    assert "Suspend: 2 clients stop" in asked
    answer = browser.post(f"{PAGE}suspend/", {"reason": "unpaid"})
    assert answer["Location"] == PAGE
    acme.refresh_from_db()
    assert (acme.status, acme.status_reason) == ("suspended", "unpaid")
    assert "unpaid" in browser.get(PAGE).content.decode()
    assert AuditEvent.objects.filter(action="tenant.suspended").count() == 1
    assert "Resume: 2 clients" in browser.get(f"{PAGE}resume/").content.decode()
    browser.post(f"{PAGE}resume/", {"reason": ""})
    acme.refresh_from_db()
    assert acme.status == "active"
    again = browser.post(f"{PAGE}resume/", {"reason": ""})
    assert again.status_code == 409
    assert "The tenant is active already." in again.content.decode()


def test_closing_wants_the_short_name_typed(browser: Browser, acme: Tenant) -> None:
    refused = browser.post(f"{PAGE}close/", {"reason": "", "typed": "acm"})
    assert refused.status_code == 400
    browser.post(f"{PAGE}close/", {"reason": "", "typed": "acme"})
    acme.refresh_from_db()
    assert acme.status == "closed"
    assert browser.get(f"{PAGE}melt/").status_code == 404


def test_a_reseller_is_made_with_its_owner(browser: Browser) -> None:
    answer = browser.post(
        "/tenants/new/",
        {**FIELDS, "name": "Kestrel Net", "owner": "mina@example.org",
         "max_bytes_per_period": "1.5 TB", "max_speed_kbit": "100 Mbit/s"},
    )  # fmt: skip
    assert answer["Location"] == "/tenants/kestrel-net/"
    made = Tenant.objects.get(slug="kestrel-net")
    assert (made.max_bytes_per_period, made.max_speed_kbit) == (15 * 10**11, 100_000)
    assert made.memberships.get().user.email == "mina@example.org"


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("max_bytes_per_period", "5o GB", "is not an amount"),
        ("max_clients", "many", "Enter a whole number"),
        ("timezone", "Mars/Olympus", "no such time zone"),
        ("contact_email", "nobody", "e-mail"),
        ("name", " \u202e", ""),
    ],
)
def test_a_refusal_stands_at_its_field_and_nothing_typed_is_lost(
    field: str, typed: str, words: str, browser: Browser, acme: Tenant
) -> None:
    answer = browser.post(f"{PAGE}edit/", {**FIELDS, "contact_name": "Typed", field: typed})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Nothing was saved." in page
    assert words in page
    assert 'value="Typed"' in page
    assert answer.context["form"].errors[field]


def test_the_second_of_two_is_told(browser: Browser, acme: Tenant) -> None:
    page = browser.get(f"{PAGE}edit/")
    version = page.content.decode().split('name="version" value="')[1].split('"')[0]
    Tenant.objects.filter(pk=acme.pk).update(version=7)
    answer = browser.post(f"{PAGE}edit/", {**FIELDS, "name": "Mine", "version": version})
    assert answer.status_code == 409
    assert "Somebody changed this" in answer.content.decode()
    saved = answer.content.decode().split('name="version" value="')[1].split('"')[0]
    assert (
        browser.post(f"{PAGE}edit/", {**FIELDS, "name": "Mine", "version": saved})["Location"]
        == PAGE
    )
    acme.refresh_from_db()
    assert acme.name == "Mine"


def test_limits_round_trip_untouched(browser: Browser, acme: Tenant, interface: Interface) -> None:
    odd = 123_456_789_012_345
    Tenant.objects.filter(pk=acme.pk).update(
        max_bytes_per_period=odd, max_speed_kbit=1234, limits_interfaces=True
    )
    acme.interfaces.set([interface])
    form = browser.get(f"{PAGE}edit/").context["form"]
    sent = {name: field.value() for name, field in ((f.name, f) for f in form)}
    browser.post(f"{PAGE}edit/", {key: value for key, value in sent.items() if value is not None})
    acme.refresh_from_db()
    assert (acme.max_bytes_per_period, acme.max_speed_kbit) == (odd, 1234)
    assert acme.version == 1, "nothing changed"


def test_people_are_added_get_roles_and_go(browser: Browser, acme: Tenant, alice: User) -> None:
    answer = browser.post(f"{PAGE}members/new/", {"who": "bo@example.org", "role": "viewer"})
    assert answer["Location"] == PAGE
    bo = User.objects.get(email="bo@example.org")
    browser.post(f"{PAGE}members/{bo.uuid}/role/", {"role": "manager"})
    assert Membership.objects.get(user=bo).role == "manager"
    assert (
        "Remove bo@example.org?" in browser.get(f"{PAGE}members/{bo.uuid}/remove/").content.decode()
    )
    browser.post(f"{PAGE}members/{bo.uuid}/remove/")
    assert not Membership.objects.filter(user=bo).exists()
    last = browser.post(f"{PAGE}members/{alice.uuid}/remove/", follow=True)
    assert "at least one active owner" in last.content.decode()
    unknown = browser.post(f"{PAGE}members/new/", {"who": "nobody", "role": "viewer"})
    assert unknown.status_code == 400
    assert unknown.context["form"].errors["who"]


def test_a_sandbox_has_no_page(browser: Browser, acme: Tenant) -> None:
    make_tenant("twin", sandbox_of=acme)
    assert browser.get("/tenants/twin/").status_code == 404
    assert "/tenants/twin/" not in browser.get("/tenants/").content.decode()


def test_queries_do_not_grow(browser: Browser, interface: Interface) -> None:
    def queries() -> int:
        browser.get("/tenants/")
        with CaptureQueriesContext(connection) as found:
            browser.get("/tenants/")
        return len(found)

    small = queries()
    for _ in range(20):
        make_peer(make_client(make_tenant()), interface)
    assert queries() == small
    assert Peer.objects.count() == 20
