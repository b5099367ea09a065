"""Another e-mail address counts once its owner has said so; the old one is told."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage
from django.test import Client as Browser

from audit.models import AuditEvent
from tenants.models import User
from tests.integration.pages.account.conftest import again, sign_in
from tests.make import make_user

Mailbox = Callable[[], list[EmailMessage]]


@pytest.fixture
def nima(db: None) -> User:
    """As somebody who was invited: his address is his name."""
    return make_user("nima@example.org", email="nima@example.org")


def asked(email: str) -> tuple[Browser, str]:
    """Signed in just now, and the page's answer to a wish."""
    browser = sign_in("nima@example.org")
    again(browser, "/account/email/")
    answer = browser.post("/account/email/", {"email": email}, follow=True)
    return browser, answer.content.decode()


def link_in(message: EmailMessage) -> str:
    found = re.search(r"http://localhost:8000(/account/email/\S+)", str(message.body))
    assert found is not None
    return found[1]


def test_it_counts_once_the_link_is_confirmed(nima: User, mailbox: Mailbox) -> None:
    _, said = asked("new@example.org")
    assert "new@example.org" in said
    (message,) = mailbox()
    assert message.to == ["new@example.org"]
    link = link_in(message)
    assert link not in said
    phone = Browser()
    assert "new@example.org" in phone.get(link).content.decode()
    nima.refresh_from_db()
    assert nima.email == "nima@example.org"
    assert phone.post(link).status_code == 200
    nima.refresh_from_db()
    assert (nima.email, nima.username) == ("new@example.org", "new@example.org")
    told = mailbox()[-1]
    assert (told.to, "new@example.org" in told.body) == (["nima@example.org"], True)
    event = AuditEvent.objects.get(action="user.email_changed")
    assert (event.before, event.after) == (
        {"email": "nima@example.org"}, {"email": "new@example.org"},
    )  # fmt: skip
    assert phone.post(link).status_code == 404
    assert sign_in("nima@example.org").get("/account/").status_code == 302
    assert sign_in("new@example.org").get("/account/").status_code == 200


def test_an_address_of_somebody_else_is_told_to_its_owner_alone(
    nima: User, mallory: User, mailbox: Mailbox
) -> None:
    _, said = asked(mallory.email)
    assert "is on its way" in said
    answer = Browser().post(link_in(mailbox()[0]))
    assert (answer.status_code, "Another account" in answer.content.decode()) == (409, True)
    nima.refresh_from_db()
    assert nima.email == "nima@example.org"


def test_a_new_password_ends_the_link(nima: User, mailbox: Mailbox) -> None:
    asked("new@example.org")
    nima.refresh_from_db()
    nima.set_password("another one altogether")
    nima.save()
    link = link_in(mailbox()[0])
    assert Browser().get(link).status_code == Browser().post(link).status_code == 404
    assert Browser().get("/account/email/nonsense/").status_code == 404


@pytest.mark.parametrize("email", ["", "nonsense", "nima@example.org"])
def test_what_is_no_other_address_is_refused(email: str, nima: User, mailbox: Mailbox) -> None:
    _, said = asked(email)
    assert 'class="err"' in said
    assert mailbox() == []


def test_who_signed_in_long_ago_is_asked_again(nima: User, mailbox: Mailbox) -> None:
    browser = Browser()
    browser.force_login(nima)
    answer = browser.post("/account/email/", {"email": "new@example.org"})
    assert "/sign-in/again/" in answer["Location"]
    assert mailbox() == []
