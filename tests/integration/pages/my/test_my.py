"""A customer is invited, signs in, sees what is his own, and nothing once that was taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from gateways.models import GlobalSetting, Interface
from peers.models import Client, CustomerAccess, Peer
from tenants.models import Tenant, User
from tests.integration.pages.account.conftest import mailbox as mailbox
from tests.integration.pages.account.conftest import sign_in
from tests.make import make_client, make_peer, make_user

NEW = "a staple of paper clips"


@pytest.fixture
def mina(db: None) -> User:
    return make_user("mina")


@pytest.fixture
def own(acme: Tenant, interface: Interface, mina: User) -> CustomerAccess:
    """Mina sees a client of acme's with a device."""
    cache.clear()
    GlobalSetting.objects.get_or_create(pk=1)
    Tenant.objects.filter(pk=acme.pk).update(
        customers_sign_in=True, brand_name="Kestrel", brand_color="#0a7d8c"
    )
    return let_in(acme, interface, mina, "Mina's")


def let_in(tenant: Tenant, interface: Interface, user: User, name: str) -> CustomerAccess:
    client = make_client(tenant, name=name, quota_bytes=50 * 10**9)
    make_peer(client, interface, name="phone")
    return CustomerAccess.objects.create(tenant=tenant, client=client, user=user)


def browser_of(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def test_from_the_invitation_to_the_file(
    acme: Tenant,
    own: CustomerAccess,
    reseller: Browser,
    mailbox: Callable[[], list[EmailMessage]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    where = f"/t/acme/clients/{own.client.uuid}/logins/new/"
    with django_capture_on_commit_callbacks(execute=True):
        answer = reseller.post(where, {"email": "nima@example.org"}, follow=True)
    assert "nima@example.org" in answer.content.decode()
    assert "invited " in answer.content.decode()
    (message,) = mailbox()
    assert (message.to, "Kestrel" in message.subject) == (["nima@example.org"], True)
    link = re.search(r"http://\S+?(/password/\S+)", str(message.body))
    assert link is not None
    assert link[1] not in answer.content.decode()
    browser = Browser()
    browser.post(browser.get(link[1])["Location"], {"password1": NEW, "password2": NEW})
    page = sign_in("nima@example.org", NEW, browser).get("/", follow=True)
    text = page.content.decode()
    nothing = "Nothing was transferred in this time."
    for words in ("Kestrel", "Mina&#x27;s", "phone", "Days left", nothing, "0a7d8c"):
        assert words in text
    device = own.client.peers.get()
    place = f"{page.redirect_chain[-1][0]}devices/{device.uuid}/"
    shown = browser.post(place).content.decode()
    assert "[Interface]" in shown
    assert "data:image/svg+xml;base64," not in shown  # its key was made elsewhere
    file = browser.post(place, {"as": "file"})
    assert "attachment" in file["Content-Disposition"]
    assert "no-store" in file["Cache-Control"]
    events = AuditEvent.objects.filter(tenant=acme, action="config.revealed").order_by("pk")
    assert [event.after["way"] for event in events] == ["page", "file"]
    assert {event.actor_name for event in events} == {"nima@example.org"}
    device.refresh_from_db()
    assert device.delivered_at is not None


def test_who_has_a_password_is_led_to_his_connection(
    own: CustomerAccess,
    acme: Tenant,
    interface: Interface,
    reseller: Browser,
    mina: User,
    mailbox: Callable[[], list[EmailMessage]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    other = make_client(acme, name="Hers too")
    Tenant.objects.filter(pk=acme.pk).update(language="fa")
    with django_capture_on_commit_callbacks(execute=True):
        reseller.post(f"/t/acme/clients/{other.uuid}/logins/new/", {"email": mina.email})
    (message,) = mailbox()
    access = CustomerAccess.objects.get(client=other)
    assert f"/my/{access.uuid}/" in message.body
    assert "/password/" not in message.body
    assert "اتصال" in message.subject


@pytest.mark.parametrize(
    "end",
    [
        lambda own: own.delete(),
        lambda own: Tenant.objects.filter(pk=own.tenant_id).update(customers_sign_in=False),
        lambda own: Tenant.objects.filter(pk=own.tenant_id).update(status="suspended"),
        lambda own: Client.objects.filter(pk=own.client_id).update(deleted_at=timezone.now()),
        lambda own: User.objects.filter(pk=own.user_id).update(is_active=False),
    ],
    ids=["removed", "turned off", "suspended", "deleted", "barred"],
)
def test_what_is_taken_back_is_gone_at_once(
    end: Callable[[CustomerAccess], object], own: CustomerAccess, mina: User
) -> None:
    browser, page = browser_of(mina), f"/my/{own.uuid}/"
    device = f"{page}devices/{own.client.peers.get().uuid}/"
    assert browser.get(page).status_code == 200
    end(own)
    gone = [browser.get(page), browser.get("/my/"), browser.post(device)]
    barred = not User.objects.get(pk=mina.pk).is_active
    assert [answer.status_code for answer in gone] == [302 if barred else 404] * 3
    for answer in gone:
        assert "Mina" not in answer.content.decode()


def test_the_reseller_sees_and_removes_it(own: CustomerAccess, reseller: Browser) -> None:
    client, place = own.client, f"/t/acme/clients/{own.client.uuid}/"
    page = reseller.get(place).content.decode()
    assert "mina@example.org" in page
    question = reseller.get(f"{place}logins/{own.uuid}/").content.decode()
    assert "mina@example.org" in question
    assert reseller.post(f"{place}logins/{own.uuid}/").status_code == 303
    assert not CustomerAccess.objects.exists()
    assert "Customer may not sign in any more" in reseller.get(place).content.decode()
    assert reseller.post(f"{place}logins/{own.uuid}/").status_code == 404
    Tenant.objects.filter(pk=client.tenant_id).update(customers_sign_in=False)
    assert "logins/new/" not in reseller.get(place).content.decode()
    refused = reseller.post(f"{place}logins/new/", {"email": "nima@example.org"})
    assert (refused.status_code, "do not sign in" in refused.content.decode()) == (409, True)
    assert not User.objects.filter(email="nima@example.org").exists()


@pytest.mark.parametrize(
    ("email", "status", "words"),
    [("", 400, "required"), ("nonsense", 400, "valid"), ("mina@example.org", 409, "already")],
)
def test_a_refusal_stands_in_the_dialog(
    email: str, status: int, words: str, own: CustomerAccess, reseller: Browser
) -> None:
    answer = reseller.post(f"/t/acme/clients/{own.client.uuid}/logins/new/", {"email": email})
    assert (answer.status_code, words in answer.content.decode()) == (status, True)


def test_clients_of_two_sellers_in_one_account(
    own: CustomerAccess, evil: Tenant, interface: Interface, mina: User
) -> None:
    Tenant.objects.filter(pk=evil.pk).update(customers_sign_in=True, brand_name="Merlin")
    let_in(evil, interface, mina, "The other")
    text = browser_of(mina).get("/my/").content.decode()
    for words in ("Kestrel", "Merlin", "Mina&#x27;s", "The other"):
        assert words in text
    assert "0a7d8c" not in text  # no seller's colours


def test_the_number_of_queries_is_constant(
    own: CustomerAccess, acme: Tenant, interface: Interface, mina: User
) -> None:
    browser = browser_of(mina)
    let_in(acme, interface, mina, "second")
    counts = []
    for more in (0, 5):
        for number in range(more):
            let_in(acme, interface, mina, f"more {number}")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert browser.get("/my/").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_member_finds_his_own_connection_in_the_menu(
    own: CustomerAccess, alice: User, mina: User
) -> None:
    assert 'href="/my/"' not in browser_of(alice).get("/account/").content.decode()
    CustomerAccess.objects.filter(pk=own.pk).update(user=alice)
    browser = browser_of(alice)
    assert 'href="/my/"' in browser.get("/account/").content.decode()
    assert browser.get("/")["Location"] == "/t/acme/"
    alone = browser_of(mina)
    assert alone.get("/").status_code == 403  # a member of nothing, and a customer of nobody


def test_a_device_without_its_key_has_no_file(own: CustomerAccess, mina: User) -> None:
    Peer.objects.update(awaits_key=True)
    browser, page = browser_of(mina), f"/my/{own.uuid}/"
    assert "waits for its key" in browser.get(page).content.decode()
    device = f"{page}devices/{own.client.peers.get().uuid}/"
    answer = browser.post(device)
    assert (answer.status_code, "[Interface]" in answer.content.decode()) == (409, False)


def test_a_customer_who_ran_out_reads_why(own: CustomerAccess, mina: User) -> None:
    past = timezone.now() - timedelta(days=1)
    Client.objects.update(expires_at=past)
    own.client.holds.create(
        tenant=own.tenant, client=own.client, reason="expired", opened_at=past, opened_by="vwg"
    )
    text = browser_of(mina).get(f"/my/{own.uuid}/").content.decode()
    assert "Your plan has ended." in text
    assert "Ask Kestrel to extend it." in text
