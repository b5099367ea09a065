"""A member who is invited chooses a password and gets in."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.core.mail import EmailMessage
from django.test import Client as Browser

from tenants.models import Tenant, User
from tests.integration.pages.account.conftest import sign_in

NEW = "a staple of paper clips"


def test_by_the_link_that_goes_to_his_address_alone(
    reseller: Browser, mailbox: Callable[[], list[EmailMessage]]
) -> None:
    invited = {"who": "nima@example.org", "role": "viewer"}
    answer = reseller.post("/t/acme/members/new/", invited, follow=True)
    (message,) = mailbox()
    assert message.to == ["nima@example.org"]
    link = re.search(r"http://testserver(/password/\S+)", str(message.body))
    assert link is not None
    assert link[1] not in answer.content.decode()
    browser = Browser()
    place = browser.get(link[1])["Location"]
    browser.post(place, {"password1": NEW, "password2": NEW})
    assert sign_in("nima@example.org", NEW).get("/t/acme/").status_code == 200


def test_who_has_a_password_is_led_to_the_tenant(
    mallory: User, acme: Tenant, reseller: Browser, mailbox: Callable[[], list[EmailMessage]]
) -> None:
    reseller.post("/t/acme/members/new/", {"who": mallory.email, "role": "viewer"})
    (message,) = mailbox()
    assert "/t/acme/" in message.body
    assert "/password/" not in message.body
