"""Forgotten, changed, given by somebody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from django.test import Client as Browser
from pytest_django import Settings

from audit.models import AuditEvent
from gateways.models import Interface
from portal import mail
from tenants.models import User
from tests.integration.pages.account.conftest import PASSWORD, sign_in

NEW = "a staple of paper clips"
Mailbox = Callable[[], list[EmailMessage]]


def link_in(message: EmailMessage) -> str:
    found = re.search(r"http://testserver(/password/\S+)", str(message.body))
    assert found is not None
    return found[1]


def choose(browser: Browser, link: str, password: str = NEW) -> None:
    place = browser.get(link)["Location"]
    assert "set-password" in place, "the key does not stay in the address"
    answer = browser.post(place, {"password1": password, "password2": password})
    assert answer["Location"] == "/", "who chose it is in"


def test_a_forgotten_one_is_chosen_anew_by_the_link_in_the_mail(
    alice: User, mailbox: Mailbox
) -> None:
    elsewhere = sign_in("alice")
    answer = Browser().post("/password/", {"email": "ALICE@example.org"})
    assert answer["Location"] == "/password/sent/"
    (message,) = mailbox()
    assert message.to == ["alice@example.org"]
    link = link_in(message)
    choose(Browser(), link)
    assert sign_in("alice", NEW).get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302, "other sessions end"
    event = AuditEvent.objects.get(action="user.password_changed")
    assert (event.actor_id, event.target_id, event.tenant) == (*[str(alice.uuid)] * 2, None)
    again = Browser().get(link)
    assert "does not work any more" in again.content.decode()
    assert [m.subject for m in mailbox()][1:] == ["vwg: Your account has changed"]


def test_whoever_was_invited_and_has_no_password_gets_in_the_same_way(
    alice: User, mailbox: Mailbox
) -> None:
    alice.set_unusable_password()
    alice.save()
    Browser().post("/password/", {"email": alice.email})
    choose(Browser(), link_in(mailbox()[0]))
    assert sign_in("alice", NEW).get("/t/acme/").status_code == 200


def test_an_address_that_nobody_has_answers_alike_and_gets_no_mail(
    alice: User, mailbox: Mailbox
) -> None:
    texts = []
    for address in ("nobody@example.org", alice.email):
        answer = Browser().post("/password/", {"email": address}, follow=True)
        texts.append(re.sub(r'value="[^"]{60,}"', "", answer.content.decode()))
    assert texts[0] == texts[1]
    assert [message.to for message in mailbox()] == [[alice.email]]


def test_who_is_switched_off_gets_no_link(alice: User, mailbox: Mailbox) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    Browser().post("/password/", {"email": alice.email})
    assert mailbox() == []


def test_asking_is_throttled(alice: User, mailbox: Mailbox) -> None:
    answers = [Browser().post("/password/", {"email": alice.email}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert len(mailbox()) == 3


def test_the_page_says_where_the_message_lies_without_a_mail_server(
    db: None, settings: Settings
) -> None:
    said = "no mail server is set"
    assert said in Browser().get("/password/sent/").content.decode()
    settings.VWG_EMAIL_URL = "smtp://mail.example.org:25"
    assert said not in Browser().get("/password/sent/").content.decode()


def test_without_a_mail_server_it_lies_in_a_file_that_nobody_else_reads(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "mail"
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(folder)
    Browser().post("/password/", {"email": alice.email})
    mail.settle()
    (kept,) = folder.iterdir()
    assert "/password/" in kept.read_text()
    assert folder.stat().st_mode & 0o077 == 0


def test_a_change_asks_for_the_present_one_and_ends_other_sessions(alice: User) -> None:
    here, elsewhere = sign_in("alice"), sign_in("alice")
    fields = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    assert "not your present password" in _said(here.post("/account/password/", fields))
    fields["oldpassword"] = PASSWORD
    same = {**fields, "password1": PASSWORD, "password2": PASSWORD}
    assert "the password you have" in _said(here.post("/account/password/", same))
    assert here.post("/account/password/", fields)["Location"] == "/account/"
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302


def test_a_given_password_opens_nothing_before_it_is_changed(
    operator: User, interface: Interface
) -> None:
    User.objects.filter(pk=operator.pk).update(must_change_password=True)
    browser = sign_in("oscar")
    for path in ("/", "/status/", "/admin/", "/admin/tenants/user/", "/account/", "/apply/"):
        assert browser.get(path)["Location"] == "/account/password/", path
    piece = browser.get("/apply/", headers={"HX-Request": "true"})
    assert piece["HX-Redirect"] == "/account/password/"
    api = browser.get("/api/v1/clients")
    assert api.status_code == 403
    assert api.json()["errors"][0]["code"] == "password_change_required"
    assert "given to you by somebody else" in _said(browser.get("/account/password/"))
    browser.post("/language/", {"language": "fa", "next": "/"})
    fields = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert browser.post("/account/password/", fields).status_code == 302
    assert browser.get("/status/").status_code == 200
    assert browser.get("/api/v1/clients").status_code == 200


def test_one_set_by_an_operator_is_to_be_changed(operator: User, alice: User) -> None:
    operator.is_staff = operator.is_superuser = True
    operator.save()
    browser = sign_in("oscar")
    fields = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert browser.post(f"/admin/tenants/user/{alice.pk}/password/", fields).status_code == 302
    alice.refresh_from_db()
    assert alice.must_change_password
    new = {"username": "nina", **fields}
    assert browser.post("/admin/tenants/user/add/", new).status_code == 302
    assert User.objects.get(username="nina").must_change_password
    assert browser.get("/admin/password_change/")["Location"] == "/account/password/"


@pytest.mark.parametrize("path", ["/account/password/", "/account/security/", "/account/sessions/"])
def test_nobody_signs_in_first(path: str, db: None) -> None:
    assert Browser().get(path)["Location"] == f"/sign-in/?next={path}"


def _said(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]
