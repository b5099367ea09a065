"""Cookies: none that a script or another site could use, and over https never in the clear."""

from __future__ import annotations

import runpy
from http.cookies import Morsel
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client as Browser

from tenants.models import User
from vwg import settings as of_vwg

pytestmark = pytest.mark.django_db
FILE = Path(of_vwg.__file__)
#: portal.js puts a fresh token into a form that outlived its sign-in.
FOR_SCRIPTS = {"vwg-csrf", "__Host-vwg-csrf"}


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest, settings: LazySettings, monkeypatch: Any) -> str:
    """The settings that a deployment at such an address has."""
    monkeypatch.setenv("VWG_PUBLIC_URL", f"{request.param}://localhost")
    for name, value in runpy.run_path(str(FILE)).items():
        if "COOKIE" in name or name.startswith(("SECURE_HSTS", "CSRF_")):
            setattr(settings, name, value)
    return str(request.param)


def given(scheme: str, user: User) -> dict[str, Morsel[str]]:
    """Every cookie that a browser has after a day: signed in, told something, chosen a language."""
    cache.clear()
    browser, secure = Browser(), scheme == "https"
    browser.get("/sign-in/", secure=secure)
    typed = {"login": user.username, "password": "correct horse battery"}
    answer = browser.post("/sign-in/", typed, secure=secure)
    assert answer.status_code == 302
    browser.post("/language/", {"language": "fa", "next": "/"}, secure=secure)
    browser.post("/theme/", {"theme": "dark", "next": "/"}, secure=secure)
    browser.post("/account/", {"language": "en", "first_name": "Mina"}, secure=secure)
    assert (browser.get("/account/", secure=secure).get("Strict-Transport-Security") is None) == (
        not secure
    )
    return dict(browser.cookies)


def test_a_cookie_is_the_servers_alone(scheme: str, alice: User) -> None:
    cookies = given(scheme, alice)
    assert len(cookies) >= 4, list(cookies)
    for name, cookie in cookies.items():
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert bool(cookie["httponly"]) == (name not in FOR_SCRIPTS), name
        assert bool(cookie["secure"]) == (scheme == "https"), name
        assert not cookie["domain"], name
        assert cookie["path"] == "/", name


def test_those_that_let_in_are_bound_to_this_host(scheme: str, alice: User) -> None:
    names = set(given(scheme, alice))
    before = "__Host-" if scheme == "https" else ""
    assert {f"{before}vwg-session", f"{before}vwg-csrf"} <= names


def test_a_sign_in_has_a_new_session(alice: User) -> None:
    """One that somebody else planted is worth nothing."""
    cache.clear()
    browser = Browser()
    browser.get("/sign-in/")
    browser.cookies["vwg-session"] = "a" * 32
    browser.post("/sign-in/", {"login": "alice", "password": "correct horse battery"})
    assert browser.cookies["vwg-session"].value not in ("", "a" * 32)
