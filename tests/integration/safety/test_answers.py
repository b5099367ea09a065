"""Every answer of every address, to everybody: its headers, and what it does without being asked.

Headers are those of the security checklist (CSP without inline script or style, no framing, no
sniffing, no copies of pages of people who are signed in); a form without its token is refused; a
HEAD is its GET; what only reads changes nothing.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.test import override_settings

from tests.integration.isolation.matrix import undone, writes
from tests.integration.safety.conftest import World
from tests.integration.safety.judges import body_of, in_headers, in_markup, is_page
from tests.integration.safety.places import Place, admin_paths, places

pytestmark = pytest.mark.django_db
PLACES = pytest.mark.parametrize("place", places(), ids=lambda place: place.route)
WHO = ("nobody", "owner", "operator", "customer")
#: Not for a person, or the same for everybody: may be kept by a browser for a while.
KEPT = {
    "ANY /favicon.ico": "an address that never changes",
    "ANY /s/^brand/(?P{light}[0-9a-f]{6})-(?P{dark}[0-9a-f]{6})\\.css$": "two colours",
    "ANY /problems/": "the list of problems",
    "ANY /problems/{slug}": "one of them",
    "ANY /healthz/live": "JSON, of nobody",
    "ANY /healthz/ready": "JSON, of nobody",
    "GET /api/v1/docs/": "the API's description",
    "GET /api/v1/schema/": "the same as a file",
}
#: Shown in the page of the settings, and nowhere else.
POLICY = "Content-Security-Policy"
FRAMED = "ANY /t/{tenant}/settings/preview/"
#: To show a file is an event, and the device and the link remember it.
TAKES = {
    "ANY /peers/{uuid}/",
    "ANY /peers/{uuid}/file/",
    "ANY /s/{secret}/config",
    "ANY /t/{tenant}/clients/{uuid}/devices/{peer_id}/",
    "ANY /t/{tenant}/clients/{uuid}/devices/{peer_id}/download/",
}
TAKEN = ("peers_peer", "peers_sharelink")
#: What takes a POST without a token of ours: the secret in the address is what lets one in, and
#: who has it needs no forged form.
NO_TOKEN = {"ANY /s/{secret}", "ANY /s/{secret}/key"}


def faults_of(answer: Any, *, kept: bool, framed: bool = False) -> list[str]:
    found = in_headers(answer, framed=framed)
    if is_page(answer) and not answer.streaming:
        found += in_markup(answer.content.decode())
    cache = answer.get("Cache-Control", "")
    if not kept and "no-store" not in cache and "no-cache" not in cache:
        found.append(f"may be kept: {cache!r}")
    return found


@PLACES
def test_an_answer_is_guarded(place: Place, world: World) -> None:
    found, path = [], place.path(world.side)
    for who in WHO:
        for method, headers in (("get", {}), ("get", {"HX-Request": "true"}), ("put", {})):
            answer = getattr(world.browser(who), method)(path, headers=headers)
            framed = place.route == FRAMED and "ancestors 'self'" in answer[POLICY]
            faults = faults_of(answer, kept=place.route in KEPT, framed=framed)
            found += [f"{who} {method}: {fault}" for fault in faults]
    assert found == []


def test_the_admin_site_is_guarded(world: World) -> None:
    found = []
    for path in admin_paths(world.side):
        answer = world.browser("operator").get(path)
        found += [f"{path}: {fault}" for fault in faults_of(answer, kept=False)]
    assert found == []


@PLACES
def test_a_form_without_its_token_is_refused(place: Place, world: World) -> None:
    path = place.path(world.side)
    for who in WHO:
        browser = Browser(enforce_csrf_checks=True, raise_request_exception=False)
        browser.cookies = world.browser(who).cookies
        for method in ("post", "put", "patch", "delete") if who == "owner" else ("post",):
            with undone(), writes() as written:
                answer = getattr(browser, method)(path)
            if place.route in NO_TOKEN:
                assert answer.status_code in (200, 400, 404, 405, 409), method
                continue
            refused = (403, 405, 415) if place.route.startswith("GET /api/") else (403,)
            assert answer.status_code in refused, (who, method)
            assert written == []


@PLACES
def test_a_head_is_its_get_and_reading_changes_nothing(place: Place, world: World) -> None:
    path = place.path(world.side)
    with writes() as written:
        for who in WHO:
            got, head, options, trace = (
                world.browser(who).generic(method, path)
                for method in ("GET", "HEAD", "OPTIONS", "TRACE")
            )
            assert head.status_code == got.status_code, who
            assert not body_of(head)
            assert options.status_code in (200, 302, 401, 403, 404, 405), who
            assert trace.status_code >= 300, who
    if not written:
        return
    now, before = world.side.fingerprint(), world.side.first
    noted = {"audit_auditevent", *(TAKEN if place.route in TAKES else ())}
    assert {table for table, rows in now.items() if rows != before[table]} <= noted


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(
    "path", ["/nothing/", "/s/nothing", "/problems/nothing", "/static/nothing", "/account", "/a\\b"]
)
def test_what_is_not_there_is_guarded(who: str, path: str, world: World) -> None:
    answer = world.browser(who).get(path)
    assert answer.status_code in (301, 302, 404)
    assert faults_of(answer, kept=path.startswith("/static/")) == []


def test_a_fault_of_ours_is_guarded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("for this test")

    monkeypatch.setattr("portal.account.views.render", broken)
    answer = world.browser("owner").get("/account/")
    assert answer.status_code == 500
    assert faults_of(answer, kept=False) == []


def test_a_refusal_is_guarded(world: World) -> None:
    answers = [
        world.browser("owner").get("/status/"),
        world.browser("owner").get("/status/", headers={"Host": "evil.example"}),
        Browser(enforce_csrf_checks=True).post("/sign-in/", {"login": "x"}),
        world.browser("owner").post("/account/", {"x": "y" * 3_000_000}),
    ]
    assert [answer.status_code for answer in answers] == [403, 400, 403, 413]
    for answer in answers:
        assert faults_of(answer, kept=False) == []
        assert "evil.example" not in answer.content.decode()


def test_too_many_tries_are_guarded(world: World) -> None:
    with override_settings(ACCOUNT_RATE_LIMITS={"login": "1/m/ip"}):
        answers = [Browser().post("/sign-in/", {"login": "x", "password": "y"}) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert faults_of(answers[-1], kept=False) == []


def test_a_host_that_is_not_ours_is_nobodys(world: World) -> None:
    for host in ("evil.example", "localhost.evil.example", "localhost@evil.example", "a b", ""):
        for path in ("/sign-in/", "/api/v1/me", "/s/x"):
            answer = world.browser("nobody").get(path, headers={"Host": host})
            assert answer.status_code == 400 or not host, (host, path)
    asked = world.browser("nobody").get(
        "/t/x/", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    )
    assert asked["Location"].startswith("/sign-in/")
