"""Authenticator app, recovery codes, and what asks for them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.test import Client as Browser
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from audit.models import AuditEvent
from gateways.models import Interface
from tenants.models import User
from tests.integration.pages.account.conftest import again, code_of, sign_in

APP = "/account/security/app/"


@pytest.fixture
def guarded(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> tuple[str, list[str]]:
    """Alice's secret and recovery codes, after she has added an app."""
    browser = sign_in("alice")
    assert unquote(browser.get(APP)["Location"]) == f"/sign-in/again/?next={APP}"
    again(browser, APP)
    page = browser.get(APP).content.decode()
    found = re.search(r'id="secret">(\w+)<', page)
    assert found is not None
    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post(APP, {"code": code_of(found[1])})
    assert answer["Location"] == "/account/security/codes/"
    codes = re.findall(r"<li>(\d{8})</li>", browser.get(answer["Location"]).content.decode())
    assert len(codes) == 10
    return found[1], codes


def half_way() -> Browser:
    """The password was right; nothing is open."""
    browser = Browser()
    answer = browser.post(
        "/sign-in/", {"login": "alice", "password": "correct horse battery", "next": "/t/acme/"}
    )
    assert answer["Location"].startswith("/sign-in/code/")
    assert browser.get("/t/acme/").status_code == 302
    return browser


def test_the_code_of_the_app_is_asked_after_the_password(guarded: tuple[str, list[str]]) -> None:
    browser = half_way()
    assert "not right" in browser.post("/sign-in/code/", {"code": "000000"}).content.decode()
    Authenticator.objects.filter(type="totp").update(last_used_at=None)
    answer = browser.post("/sign-in/code/", {"code": code_of(guarded[0])})
    if answer.status_code == 200:  # the code that added the app is spent: the next one opens
        pytest.fail("the code of the app did not open")
    assert answer["Location"] == "/t/acme/"
    assert browser.get("/t/acme/").status_code == 200


def test_a_recovery_code_opens_once(guarded: tuple[str, list[str]]) -> None:
    code = guarded[1][0]
    assert half_way().post("/sign-in/code/", {"code": code})["Location"] == "/t/acme/"
    assert half_way().post("/sign-in/code/", {"code": code}).status_code == 200


def test_guessing_codes_is_throttled(guarded: tuple[str, list[str]]) -> None:
    browser = half_way()
    for _ in range(5):
        browser.post("/sign-in/code/", {"code": "000000"})
    answer = browser.post("/sign-in/code/", {"code": guarded[1][1]})
    assert answer.status_code == 200
    assert "Too many tries" in answer.content.decode()


def test_secrets_lie_sealed(guarded: tuple[str, list[str]]) -> None:
    stored = json.dumps([row.data for row in Authenticator.objects.all()])
    assert guarded[0] not in stored
    assert not any(code in stored for code in guarded[1])
    assert AuditEvent.objects.filter(action="user.totp_added").count() == 1
    assert guarded[0] not in str(list(AuditEvent.objects.values()))


def test_its_owner_is_told(
    guarded: tuple[str, list[str]], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    (message,) = mailbox()
    assert "An authenticator app was added" in message.body


def test_it_goes_after_the_question_who_asks(
    guarded: tuple[str, list[str]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    browser = half_way()
    browser.post("/sign-in/code/", {"code": guarded[1][2]})
    off = f"{APP}off/"
    assert browser.post(off)["Location"].startswith("/sign-in/again/")
    again(browser, "/account/")
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(off)["Location"] == "/account/security/"
    assert not Authenticator.objects.exists(), "the recovery codes end with it"
    assert AuditEvent.objects.filter(action="user.totp_removed").count() == 1


def test_new_recovery_codes_end_the_old_ones(guarded: tuple[str, list[str]]) -> None:
    browser = half_way()
    browser.post("/sign-in/code/", {"code": guarded[1][3]})
    again(browser, "/account/")
    assert browser.post("/account/security/codes/new/").status_code == 302
    kept = browser.get("/account/security/codes/file/").content.decode()
    assert len(re.findall(r"^\d{8}$", kept, re.M)) == 10
    assert guarded[1][4] not in kept


def test_operators_can_be_asked_for_one(
    operator: User, interface: Interface, settings: Settings
) -> None:
    browser = sign_in("oscar")
    assert browser.get("/status/").status_code == 200
    settings.VWG_OPERATORS_NEED_SECOND_FACTOR = True
    for path in ("/", "/status/", "/admin/", "/t/default/", "/account/"):
        assert browser.get(path)["Location"] == "/account/security/", path
    assert browser.get("/api/v1/clients").json()["errors"][0]["code"] == "second_factor_required"
    assert (
        "Operators need a second factor here." in browser.get("/account/security/").content.decode()
    )
    again(browser, APP)
    secret = re.search(r'id="secret">(\w+)<', browser.get(APP).content.decode())
    assert secret is not None
    assert browser.post(APP, {"code": code_of(secret[1])}).status_code == 302
    assert browser.get("/status/").status_code == 200
    assert browser.get("/admin/").status_code == 200
    assert "keeps a second factor" in browser.get(f"{APP}off/").content.decode()
    browser.post(f"{APP}off/")
    assert Authenticator.objects.filter(type="totp").exists()


def test_members_are_not_asked(alice: User, settings: Settings) -> None:
    settings.VWG_OPERATORS_NEED_SECOND_FACTOR = True
    assert sign_in("alice").get("/t/acme/").status_code == 200


def test_a_passkey_of_nobody_leads_back_to_the_door(db: None) -> None:
    browser = Browser()
    options = browser.get("/sign-in/passkey/", headers={"Accept": "application/json"}).json()
    key = options["request_options"]["publicKey"]
    assert (key["rpId"], key["userVerification"]) == ("testserver", "required")
    assert key["allowCredentials"] == [], "it names nobody's keys"
    for credential in ("{}", "nonsense", '{"id": "x", "response": {"userHandle": "MQ"}}'):
        answer = browser.post("/sign-in/passkey/", {"credential": credential})
        assert answer["Location"] == "/sign-in/", credential
