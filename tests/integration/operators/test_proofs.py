"""Second factors and sessions in the admin site: taken away, never made, and secret."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.test import Client as Browser

from audit.models import AuditEvent
from tenants.models import User
from tests.integration.pages.account.conftest import sign_in


@pytest.fixture
def browser(operator: User) -> Browser:
    browser = Browser()
    browser.force_login(operator)
    return browser


def test_a_lost_factor_is_taken_away(browser: Browser, alice: User) -> None:
    kept = Authenticator.objects.create(user=alice, type="totp", data={"secret": "v1:sealed"})
    place = f"/admin/mfa/authenticator/{kept.pk}"
    page = browser.get(f"{place}/change/")
    assert page.status_code == 200
    assert "sealed" not in page.content.decode()
    assert browser.get("/admin/mfa/authenticator/add/").status_code == 403
    assert browser.post(f"{place}/change/", {"user": alice.pk, "data": "{}"}).status_code == 403
    assert browser.post(f"{place}/delete/", {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.get(action="user.factor_removed").target_id == str(alice.uuid)


def test_a_session_is_ended(browser: Browser, alice: User) -> None:
    hers = sign_in("alice")
    assert hers.get("/t/acme/").status_code == 200
    row = UserSession.objects.get(user=alice)
    browser.post(f"/admin/usersessions/usersession/{row.pk}/delete/", {"post": "yes"})
    assert hers.get("/t/acme/").status_code == 302
    assert AuditEvent.objects.filter(action="user.sessions_ended").count() == 1


def test_nothing_else_of_the_door_is_edited_there() -> None:
    shown = {model._meta.label for model in admin.site._registry}
    assert not shown & {
        "account.EmailAddress",
        "socialaccount.SocialAccount",
        "socialaccount.SocialApp",
        "socialaccount.SocialToken",
    }
