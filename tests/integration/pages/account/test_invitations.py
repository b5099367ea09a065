"""A member who is invited chooses a password and gets in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.mail import EmailMessage
from django.test import Client as Browser
from rest_framework.test import APIClient

from tenants.models import Tenant, User
from tests.integration.pages.account.conftest import sign_in
from tests.integration.pages.operators.test_tenants import FIELDS

NEW = "a staple of paper clips"


def test_by_the_link_that_goes_to_his_address_alone(
    reseller: Browser,
    mailbox: Callable[[], list[EmailMessage]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    invited = {"who": "nima@example.org", "role": "viewer"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = reseller.post("/t/acme/members/new/", invited, follow=True)
    (message,) = mailbox()
    assert message.to == ["nima@example.org"]
    link = re.search(r"http://localhost:8000(/password/\S+)", str(message.body))
    assert link is not None
    assert link[1] not in answer.content.decode()
    browser = Browser()
    place = browser.get(link[1])["Location"]
    browser.post(place, {"password1": NEW, "password2": NEW})
    assert browser.get("/t/acme/").status_code == 200, "he is in at once"
    assert sign_in("nima@example.org", NEW).get("/t/acme/").status_code == 200


def test_who_has_a_password_is_led_to_the_tenant(
    mallory: User,
    acme: Tenant,
    reseller: Browser,
    mailbox: Callable[[], list[EmailMessage]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        reseller.post("/t/acme/members/new/", {"who": mallory.email, "role": "viewer"})
    (message,) = mailbox()
    assert "/t/acme/" in message.body
    assert "/password/" not in message.body


def test_who_is_added_by_the_api_gets_the_same(
    alice_api: APIClient,
    mailbox: Callable[[], list[EmailMessage]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    invited = {"email": "nima@example.org", "role": "viewer"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = alice_api.post("/api/v1/members", invited)
    (message,) = mailbox()
    assert (answer.status_code, message.to) == (201, ["nima@example.org"])
    link = re.search(r"http://localhost:8000(/password/\S+)", str(message.body))
    assert link is not None
    assert link[1] not in answer.content.decode()


def test_nobody_is_flooded(
    alice: User,
    alice_api: APIClient,
    mailbox: Callable[[], list[EmailMessage]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    for _ in range(6):
        with django_capture_on_commit_callbacks(execute=True):
            body = {"email": "nima@example.org", "role": "viewer"}
            member = alice_api.post("/api/v1/members", body).json()
        assert alice_api.delete(f"/api/v1/members/{member['id']}").status_code == 204
    assert 1 <= len(mailbox()) <= 6 - 2


@pytest.mark.parametrize("way", ["with a new reseller", "afterwards"])
def test_an_operator_invites_in_the_same_way(
    way: str,
    browser: Browser,
    acme: Tenant,
    mailbox: Callable[[], list[EmailMessage]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    who, place = "nima@example.org", "/tenants/acme/members/new/"
    with django_capture_on_commit_callbacks(execute=True):
        if way == "afterwards":
            browser.post(place, {"who": who, "role": "owner"})
        else:
            browser.post("/tenants/new/", {**FIELDS, "name": "Kestrel", "owner": who})
    (message,) = mailbox()
    assert message.to == [who]
    assert "/password/" in message.body


def test_a_new_password_does_not_pass_by_the_second_factor(
    alice: User, mailbox: Callable[[], list[EmailMessage]]
) -> None:
    TOTP.activate(alice, generate_totp_secret())
    Browser().post("/password/", {"email": alice.email})
    link = re.search(r"http://testserver(/password/\S+)", str(mailbox()[-1].body))
    assert link is not None
    browser = Browser()
    place = browser.get(link[1])["Location"]
    answer = browser.post(place, {"password1": NEW, "password2": NEW})
    assert answer["Location"].startswith("/sign-in/code/")
    assert browser.get("/t/acme/").status_code == 302
