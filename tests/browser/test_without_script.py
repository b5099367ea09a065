"""Everything that a form does is done without JavaScript: pages lead to pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from peers.models import Client
from quotas.models import Hold
from tenants.models import ApiToken, Membership, Tenant
from tenants.scoping import Caller
from tests.browser.chromium import Watched
from tests.browser.one_client import a_client, a_seller
from tests.make import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOME = "/t/kestrel/"


@pytest.fixture
def mina(live_server: LiveServer) -> Caller:
    return a_seller("kestrel")


@pytest.fixture
def sara(mina: Caller) -> Client:
    return a_client(mina)


@pytest.fixture
def page(chrome: Browser, live_server: LiveServer, sara: Client) -> Iterator[Page]:
    """Mina's page in a browser that runs no script; the sign-in is done so as well."""
    watched = Watched(chrome, live_server.url, java_script_enabled=False)
    yield watched.sign_in("mina-kestrel", HOME)
    watched.context.close()
    assert [one for one in watched.faults if "400 (Bad Request)" not in one] == []


def send(page: Page) -> None:
    """The one button of a dialog that is a page of its own."""
    page.click("main footer .btn-main, main footer .btn-bad")


def test_a_client_is_extended(page: Page, sara: Client) -> None:
    page.goto(f"{HOME}clients/{sara.uuid}/extend/")
    page.fill("[name=number]", "10 GB")
    send(page)
    expect(page.locator("main")).to_contain_text("Sara Moradi")
    before = sara.quota_bytes
    sara.refresh_from_db()
    assert before is not None
    assert sara.quota_bytes == before + 10 * 10**9


def test_a_client_is_made_changed_switched_off_and_removed(page: Page) -> None:
    page.goto(f"{HOME}clients/")
    page.click("a[href$='/clients/new/']")
    page.fill("[name=name]", "Kian gaming")
    page.click("text=Create and show QR")
    expect(page.locator(".qr img")).to_be_visible()
    kian = Client.objects.get(name="Kian gaming")
    own = f"{HOME}clients/{kian.uuid}/"
    page.goto(f"{own}edit/")
    page.fill("[name=note]", "pays on the 3rd")
    page.click("main [type=submit].btn-main")
    expect(page.locator("main")).to_contain_text("pays on the 3rd")
    page.goto(own)
    page.click("a[href$='/switch-off/']")
    send(page)
    assert Hold.objects.filter(client=kian, reason="manual", closed_at=None).exists()
    page.goto(own)
    page.click("a[href$='/switch-on/']")
    send(page)
    assert not Hold.objects.filter(client=kian, closed_at=None).exists()
    page.goto(f"{own}delete/")
    send(page)
    kian.refresh_from_db()
    assert kian.deleted_at is not None


def test_a_refused_form_keeps_what_was_typed(page: Page) -> None:
    page.goto(f"{HOME}clients/new/")
    page.fill("[name=name]", "‮evil")
    page.click("text=Create and show QR")
    expect(page.locator(".err").first).to_be_visible()
    assert page.input_value("[name=name]") == "‮evil"


def test_the_list_is_searched_ticked_and_acted_on(page: Page, sara: Client) -> None:
    page.goto(f"{HOME}clients/")
    page.fill("[type=search]", "Sara")
    page.press("[type=search]", "Enter")
    expect(page.locator("#clients tr[data-row]")).to_have_count(1)
    page.check("#clients tr[data-row] input[type=checkbox]")
    page.click("button[name=act][value=disable]")
    expect(page.locator("main")).to_contain_text("Switch off 1 client?")
    send(page)
    page.wait_for_url("**/jobs/**")
    assert Hold.objects.filter(client=sara, reason="manual", closed_at=None).exists()


def test_settings_tokens_and_members(page: Page) -> None:
    page.goto(f"{HOME}settings/")
    page.fill("[name=brand_name]", "Kestrel")
    page.click("main form .btn-main")
    assert Tenant.objects.get(slug="kestrel").brand_name == "Kestrel"
    page.goto(f"{HOME}tokens/new/")
    page.fill("[name=name]", "shop")
    page.locator("[name=scopes]").first.check()
    page.click("main form .btn-main")
    expect(page.locator("main")).to_contain_text("vwg_")
    token = ApiToken.objects.get(name="shop")
    page.goto(f"{HOME}tokens/")
    page.click(f"a[href$='{token.uuid}/revoke/']")
    send(page)
    token.refresh_from_db()
    assert token.revoked_at is not None
    page.goto(f"{HOME}plans/new/")
    page.fill("[name=name]", "Weekend")
    page.click("main form .btn-main")
    expect(page.locator("main")).to_contain_text("Weekend")
    page.click(".who button")
    page.wait_for_url("**/sign-in/")


def test_an_operator_makes_a_tenant_and_suspends_it(
    chrome: Browser, live_server: LiveServer, sara: Client
) -> None:
    make_user("oscar", operator="full", is_staff=True, is_superuser=True)
    watched = Watched(chrome, live_server.url, java_script_enabled=False)
    page = watched.sign_in("oscar", "/status/")
    page.goto("/tenants/new/")
    page.fill("[name=name]", "Blue Harbour")
    page.fill("[name=slug]", "harbour")
    page.click("main form .btn-main")
    page.wait_for_url("**/tenants/harbour/")
    page.click("a[href$='/suspend/']")
    page.fill("[name=reason]", "unpaid")
    send(page)
    assert Tenant.objects.get(slug="harbour").status == "suspended"
    assert not Membership.objects.filter(tenant__slug="harbour").exists()
    watched.context.close()
    assert watched.faults == []
