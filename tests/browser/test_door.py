"""The door in a real browser: passkeys by a virtual authenticator, codes, links, ended sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core import mail as outbox
from django.core.cache import cache
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from portal import mail
from tenants.models import User
from tests.browser.chromium import PASSWORD, Watched
from tests.integration.pages.account.conftest import code_of
from tests.make import make_tenant, make_user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]
NEW = "a staple of paper clips"


@pytest.fixture
def mina(live_server: LiveServer) -> User:
    cache.clear()
    return make_user("mina", tenant=make_tenant("kestrel", name="Kestrel Net"))


@pytest.fixture
def door(chrome: Browser, live_server: LiveServer, mina: User) -> Iterator[Watched]:
    """A browser of hers. Passkeys need a host name: the server's is localhost."""
    watched = Watched(chrome, live_server.url)
    yield watched
    watched.context.close()
    assert watched.faults == []


def authenticator(page: Page) -> None:
    """A device that keeps passkeys and knows its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def answer_who_it_is(page: Page) -> None:
    page.fill("[name=password]", PASSWORD)
    page.click("button.btn-main")


def sign_out(page: Page) -> None:
    page.click(".who button")
    page.wait_for_url("**/sign-in/")


def test_a_passkey_is_made_and_opens_the_door(door: Watched) -> None:
    page = door.sign_in("mina", "/t/kestrel/")
    authenticator(page)
    page.goto("/account/security/")
    page.click("text=Add a passkey")
    answer_who_it_is(page)
    page.fill("[name=name]", "the laptop")
    page.click("text=Make the passkey")
    page.wait_for_selector("#codes li")
    page.click("text=I have kept them")
    assert page.locator(".todo bdi", has_text="the laptop").is_visible()
    sign_out(page)
    page.goto("/t/kestrel/")
    page.click("text=Use a passkey")
    page.wait_for_url("**/t/kestrel/")


def test_a_passkey_is_the_second_factor_after_the_password(door: Watched) -> None:
    page = door.sign_in("mina", "/t/kestrel/")
    authenticator(page)
    page.goto("/account/security/passkeys/add/")
    answer_who_it_is(page)
    page.uncheck("[name=passwordless]")
    page.click("text=Make the passkey")
    page.wait_for_selector("#codes li")
    sign_out(page)
    page.fill("[name=login]", "mina")
    page.fill("[name=password]", PASSWORD)
    page.click("button.btn-main")
    page.wait_for_url("**/sign-in/code/**")
    page.click("text=Use a passkey")
    page.wait_for_url("**/t/kestrel/")


def test_the_app_and_a_recovery_code(door: Watched) -> None:
    page = door.sign_in("mina", "/t/kestrel/")
    page.goto("/account/security/app/")
    answer_who_it_is(page)
    page.click("text=Without a camera")
    secret = page.inner_text("#secret")
    page.fill("[name=code]", code_of(secret))
    page.click("button.btn-main")
    code = page.locator("#codes li").first.inner_text()
    sign_out(page)
    page.fill("[name=login]", "mina")
    page.fill("[name=password]", PASSWORD)
    page.click("button.btn-main")
    page.fill("[name=code]", code)
    page.click("button.btn-main")
    page.wait_for_url("**/t/kestrel/")


def test_a_forgotten_password(door: Watched) -> None:
    page = door.page
    page.goto("/")
    page.click("text=Forgotten?")
    page.fill("[name=email]", "mina@example.org")
    page.click("button.btn-main")
    page.wait_for_url("**/password/sent/")
    mail.settle()
    found = re.search(r"/password/\S+", str(outbox.outbox[-1].body))
    assert found is not None
    page.goto(found[0])
    page.fill("[name=password1]", NEW)
    page.fill("[name=password2]", NEW)
    page.click("button.btn-main")
    page.wait_for_url("**/t/kestrel/")
    sign_out(page)
    page.fill("[name=login]", "mina")
    page.fill("[name=password]", NEW)
    page.click("button.btn-main")
    page.wait_for_url("**/t/kestrel/")


def test_a_session_that_is_ended_elsewhere_asks_to_sign_in(door: Watched, chrome: Browser) -> None:
    page = door.sign_in("mina", "/t/kestrel/")
    phone = Watched(chrome, door.base)
    there = phone.sign_in("mina", "/t/kestrel/")
    page.goto("/account/sessions/")
    page.click("text=Sign out everywhere else")
    page.wait_for_selector(".toast")
    there.goto("/account/")
    there.wait_for_url("**/sign-in/?next=/account/")
    phone.context.close()
    assert phone.faults == []
    assert page.goto("/account/") is not None
    assert page.url.endswith("/account/")


def test_a_session_that_ends_in_the_middle_of_a_form_keeps_what_was_typed(
    watched: Watched,
) -> None:
    page = watched.page
    page.goto("/status/")
    page.click(".row > a[href='/peers/new/']")
    page.fill("dialog [name=name]", "Tablet of Mina")
    watched.context.clear_cookies(name="vwg-session")
    page.click("dialog button[type=submit]")
    page.wait_for_selector("dialog [data-ended]:visible")
    assert page.input_value("dialog [name=name]") == "Tablet of Mina"
    with watched.context.expect_page() as opened:
        page.click("dialog [data-ended] a")
    other = opened.value
    other.fill("[name=login]", "oscar")
    other.fill("[name=password]", PASSWORD)
    other.click("button.btn-main")
    other.wait_for_selector("main.page")
    assert page.input_value("dialog [name=name]") == "Tablet of Mina"
    page.click("dialog button[type=submit]")
    page.wait_for_selector("dialog .qr img")
    expected = ("401", "403")
    watched.faults[:] = [one for one in watched.faults if not any(n in one for n in expected)]
