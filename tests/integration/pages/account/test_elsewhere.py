"""Sign-in by an OpenID Connect provider: it opens accounts that are here, and makes none."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from portal.account.adapters import OutsideAdapter
from tenants.models import User

PROVIDER = "https://id.example.org"
CONFIGURATION = {
    "issuer": PROVIDER,
    "authorization_endpoint": f"{PROVIDER}/authorize",
    "token_endpoint": f"{PROVIDER}/token",
    "userinfo_endpoint": f"{PROVIDER}/me",
}


class Answer:
    """Of the provider."""

    status_code = 200
    headers = {"content-type": "application/json"}
    ok = True

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body

    def json(self) -> dict[str, Any]:
        return self.body

    def raise_for_status(self) -> None:
        pass


class Provider:
    """Says of everybody that he is this one."""

    def __init__(self, person: dict[str, Any]) -> None:
        self.person = person

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, url: str, **_: Any) -> Answer:
        return Answer(self.person if url.endswith("/me") else CONFIGURATION)

    def request(self, method: str, url: str, **_: Any) -> Answer:
        return Answer({"access_token": "t", "token_type": "Bearer"})


@pytest.fixture
def provider(settings: Settings) -> None:
    app = {
        "provider_id": "oidc",
        "name": "Example ID",
        "client_id": "vwg",
        "secret": "x",
        "settings": {"server_url": PROVIDER},
    }
    settings.VWG_OIDC_URL, settings.VWG_OIDC_NAME = PROVIDER, "Example ID"
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}
    }


def come_back(person: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Browser, Any]:
    """The whole way there and back."""
    monkeypatch.setattr(OutsideAdapter, "get_requests_session", lambda self: Provider(person))
    browser = Browser()
    there = browser.post("/sign-in/with/oidc/")
    asked = parse_qs(urlsplit(there["Location"]).query)
    assert there["Location"].startswith(f"{PROVIDER}/authorize")
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://testserver/sign-in/with/oidc/back/"]
    back = {"code": "c", "state": asked["state"][0]}
    return browser, browser.get("/sign-in/with/oidc/back/", back)


@pytest.mark.usefixtures("provider")
def test_an_account_with_the_same_verified_address_opens(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = {"sub": "1", "email": alice.email, "email_verified": True}
    browser, answer = come_back(person, monkeypatch)
    assert answer["Location"] == "/"
    assert browser.get("/t/acme/").status_code == 200


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    "person",
    [
        {"sub": "2", "email": "stranger@example.org", "email_verified": True},
        {"sub": "3", "email": "alice@example.org", "email_verified": False},
        {"sub": "4"},
    ],
)
def test_nobody_else_gets_in_and_no_account_is_made(
    person: dict[str, Any], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, answer = come_back(person, monkeypatch)
    assert answer.status_code == 200
    assert "No account here" in answer.content.decode()
    assert browser.get("/t/acme/").status_code == 302
    assert User.objects.count() == 1


@pytest.mark.usefixtures("provider")
def test_it_is_offered_where_it_is_set(db: None) -> None:
    assert "Go on with Example ID" in Browser().get("/sign-in/").content.decode()


def test_it_is_not_there_where_it_is_not_set(db: None) -> None:
    assert "/sign-in/with/" not in Browser().get("/sign-in/").content.decode()
    assert Browser().post("/sign-in/with/oidc/").status_code == 404


@pytest.mark.usefixtures("provider")
def test_an_answer_that_nobody_asked_for_opens_nothing(db: None) -> None:
    answer = Browser().get("/sign-in/with/oidc/back/", {"code": "c", "state": "s"})
    assert "did not end as it should" in answer.content.decode()
