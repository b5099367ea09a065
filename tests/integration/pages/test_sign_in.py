"""The door, the reader's language and theme."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.test import Client as Browser

from gateways.models import Interface
from tenants.models import User
from tests.make import make_user

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def no_memory_of_tries(db: None) -> None:
    cache.clear()


def sign_in(browser: Browser, name: str, password: str, **extra: str) -> tuple[int, str]:
    answer = browser.post("/sign-in/", {"login": name, "password": password, **extra})
    return answer.status_code, answer.get("Location", "")


def test_the_right_password_opens(operator: User) -> None:
    assert sign_in(Browser(), "oscar", PASSWORD) == (302, "/")


def test_a_refused_one_is_logged_without_what_was_typed(
    operator: User, caplog: pytest.LogCaptureFixture
) -> None:
    assert sign_in(Browser(), "mistyped-secret", "wrong-secret")[0] == 200
    assert "a sign-in from 127.0.0.1 was refused" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_next_never_leads_elsewhere(operator: User, target: str) -> None:
    assert sign_in(Browser(), "oscar", PASSWORD, next=target) == (302, "/")


def test_next_leads_to_a_page_of_ours(operator: User) -> None:
    assert sign_in(Browser(), "oscar", PASSWORD, next="/apply/") == (302, "/apply/")


def test_an_unknown_name_and_a_wrong_password_read_alike(operator: User) -> None:
    texts = []
    for name in ("oscar", "nobody"):
        answer = Browser().post("/sign-in/", {"login": name, "password": "wrong"})
        page = answer.content.decode()
        texts.append(page[page.index("<h1>") : page.index("<label")])
    assert texts[0] == texts[1]
    assert 'role="alert"' in texts[0]


@pytest.mark.parametrize(
    "name", ["oscar", "oscar@example.org", "nobody", "nobody@example.org", "nina@example.org"]
)
def test_every_refusal_hashes_once(
    name: str, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So time does not tell who has an account, or one without a password."""
    nina = make_user("nina")
    nina.set_unusable_password()
    nina.save()
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(salt)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    assert sign_in(Browser(), name, "wrong")[0] == 200
    assert len(hashed) == 1


def test_guessing_is_throttled(operator: User) -> None:
    for _ in range(5):
        sign_in(Browser(), "oscar", "wrong")
    answer = Browser().post("/sign-in/", {"login": "oscar", "password": PASSWORD})
    assert answer.status_code != 302


def test_nobody_signs_up(db: None) -> None:
    for path in ("/sign-up/", "/signup/", "/accounts/signup/"):
        assert Browser().get(path).status_code == 404


def test_signing_out_takes_a_post(browser: Browser, interface: Interface) -> None:
    assert browser.get("/sign-out/").status_code == 405
    assert browser.get("/status/").status_code == 200
    assert browser.post("/sign-out/").status_code == 302
    assert browser.get("/").status_code == 302


def test_persian_reads_from_right_to_left(browser: Browser, interface: Interface) -> None:
    browser.post("/language/", {"language": "fa", "next": "/"})
    page = browser.get("/status/").content.decode()
    assert '<html lang="fa" dir="rtl"' in page
    assert "\u0648\u0636\u0639\u06cc\u062a" in page  # the word for "status"
    assert '<bdi class="key" dir="ltr">' in page


@pytest.mark.parametrize(("chosen", "shown"), [("dark", 'data-theme="dark"'), ("system", "")])
def test_the_theme_is_kept(browser: Browser, interface: Interface, chosen: str, shown: str) -> None:
    answer = browser.post("/theme/", {"theme": chosen, "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    page = browser.get("/status/").content.decode()
    assert (shown or "<html") in page
    assert shown or "data-theme" not in page
