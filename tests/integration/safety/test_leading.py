"""No address that came with a request leads a reader to another site."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client as Browser

from tests.integration.safety.conftest import World
from tests.integration.safety.judges import in_markup, is_page
from tests.integration.safety.places import Place, places
from tests.make import make_user

pytestmark = pytest.mark.django_db
EVIL = [
    "https://evil.example/", "//evil.example/", "///evil.example", "////evil.example",
    "\\\\evil.example/", "/\\evil.example/", "\\/evil.example", "https:evil.example",
    "https:/evil.example", "http:///evil.example", "javascript:alert(1)//evil.example",
    "data:text/html,evil.example", " //evil.example", "\t//evil.example", "/\t/evil.example",
    "/\n/evil.example", "\x00//evil.example", "java\nscript:alert('evil.example')",
    "https://localhost@evil.example/", "http://testserver.evil.example/", "//evil.example\r\nX: y",
    "/%09/evil.example", "/%5cevil.example", "https://testserver:x@evil.example",
]  # fmt: skip
#: Every word by which frameworks and pages call the address to go on to.
NAMES = ["next", "back", "to", "url", "return", "return_to", "redirect", "redirect_to", "process"]


def leads_out(where: str) -> bool:
    """As a browser reads it: without control characters, and backslashes are slashes."""
    read = re.sub(r"[\t\r\n]", "", where).strip("".join(map(chr, range(0x21)))).replace("\\", "/")
    if re.match(r"[a-z]+:", read, re.I) and not read.lower().startswith("http"):
        return True
    read = re.sub(r"^(https?):/*(?=[^/])", r"\1://", read, flags=re.I)
    read = re.sub(r"^/{2,}", "//", read)
    return urlsplit(urljoin("http://testserver/here/", read)).hostname != "testserver"


def test_a_browser_is_read_rightly() -> None:
    assert not [one for one in EVIL if "%" not in one and "\x00" not in one and not leads_out(one)]
    assert not [one for one in ("/", "/t/x/?next=//y", "http://testserver/x", "?q=x", "") if
                leads_out(one)]  # fmt: skip


def faults_of(answer: Any) -> list[str]:
    found = []
    for name in ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "Refresh"):
        where = answer.get(name, "")
        if leads_out(where):
            found.append(f"{name}: {where}")
    if is_page(answer) and not answer.streaming:
        found += in_markup(answer.content.decode())
        for address in re.findall(r'(?:href|action)="([^"]*)"', answer.content.decode()):
            if (
                leads_out(address.replace("&#x27;", "'").replace("&amp;", "&"))
                and "evil" in address
            ):
                found.append(f"a link: {address}")
    return found


#: Where an address to go on to is taken; the others are tried with a few.
TAKING = re.compile(r" /(language|theme|sign-in|sign-out|account/password)/$")


PAGES = [place for place in places() if not place.route.startswith("GET /api/")]


@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.route)
def test_nothing_leads_out(place: Place, world: World) -> None:
    path, found = place.path(world.side), []
    for evil in EVIL if TAKING.search(place.route) else ("//evil.example/", "\\\\evil.example/"):
        fields = dict.fromkeys(NAMES, evil)
        for method in ("get", "post"):
            with transaction.atomic():
                referer = evil if evil.isprintable() else "//evil.example"
                answer = getattr(world.browser(place.who), method)(
                    path, fields, headers={"Referer": referer}
                )
                transaction.set_rollback(True)
            found += [f"{method} {evil!r}: {fault}" for fault in faults_of(answer)]
    assert found == []


@pytest.mark.parametrize("evil", EVIL)
def test_a_sign_in_leads_to_a_page_of_ours(evil: str, world: World) -> None:
    cache.clear()
    make_user("lee", tenant=world.side.tenant)
    for where in ("query", "form"):
        browser = Browser()
        query = {"next": evil} if where == "query" else {}
        typed = {"login": "lee", "password": "correct horse battery"}
        answer = browser.post(
            "/sign-in/", typed | ({"next": evil} if where == "form" else {}), query_params=query
        )
        assert answer.status_code == 302
        assert faults_of(answer) == []
        again = browser.get("/sign-in/", query)  # who is signed in is led on at once
        assert faults_of(again) == []


def test_a_page_of_ours_is_come_back_to(world: World) -> None:
    cache.clear()
    make_user("lee", tenant=world.side.tenant)
    wanted = f"/t/{world.side.tenant.slug}/clients/?q=x"
    typed = {"login": "lee", "password": "correct horse battery"}
    answer = Browser().post("/sign-in/", typed, query_params={"next": wanted})
    assert answer["Location"] == wanted
    for path in ("/language/", "/theme/"):
        answer = world.browser("owner").post(path, {"next": wanted, "language": "fa", "theme": ""})
        assert answer["Location"] == wanted
