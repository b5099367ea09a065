"""axe-core finds nothing on the pages, in light and in dark, nor in their dialogs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from gateways.models import Interface
from tests.browser.chromium import Watched
from tests.browser.reseller import OWNER, a_resellers_day
from tests.browser.shared import shared_links

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: WCAG 2.2 AA, and what axe-core's authors think good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TENANT = ["", "plans/", "plans/?show=archived", "plans/new/", "usage/", "tokens/",
          "tokens/?show=revoked", "tokens/new/", "members/", "settings/", "history/",
          "history/?who=nobody"]  # fmt: skip
#: A page of a tenant and the link on it that opens a dialog.
DIALOGS = [
    ("plans/", "td a[href$='/remove/']"),
    ("tokens/", "td a[href$='/revoke/']"),
    ("members/", "a[href$='/members/new/']"),
    ("members/", "td a[href$='/role/']"),
    ("members/", "td a[href$='/remove/']"),
]


@pytest.fixture(params=["light", "dark"])
def opened(
    request: pytest.FixtureRequest, chrome: Browser, live_server: LiveServer
) -> Iterator[Watched]:
    """A browser of a person who likes it light, or dark."""
    watched = Watched(chrome, live_server.url, color_scheme=request.param)
    yield watched
    watched.context.close()


def found_on(page: Page) -> list[str]:
    """What axe-core finds: the page, the rule, the elements."""
    wanted: dict[str, Any] = {
        "runOnly": {"type": "tag", "values": RULES},
        "resultTypes": ["violations"],
    }
    return [
        f"{page.url}: {fault['id']}: {fault['help']}: {node['html'][:160]} {node['failureSummary']}"
        for fault in Axe().run(page, options=wanted).response["violations"]
        for node in fault["nodes"]
    ]


def test_a_tenants_pages(opened: Watched, gateway: Interface) -> None:
    a_resellers_day()
    page = opened.sign_in(OWNER, "/t/kestrel/")
    found = []
    for path in TENANT:
        page.goto(f"/t/kestrel/{path}")
        found += found_on(page)
    for path, link in DIALOGS:
        page.goto(f"/t/kestrel/{path}")
        page.click(link)
        page.wait_for_selector("dialog[open] footer .btn")
        found += found_on(page)
    assert found == [], "\n".join(found)


def test_forms_that_were_refused(opened: Watched, gateway: Interface) -> None:
    a_resellers_day()
    page = opened.sign_in(OWNER, "/t/kestrel/")
    found = []
    for path in ("plans/new/", "tokens/new/"):
        page.goto(f"/t/kestrel/{path}")
        page.click("main form .btn-main")
        page.wait_for_selector(".err")
        found += found_on(page)
    assert found == [], "\n".join(found)


def test_the_door_and_the_operators_first_page(opened: Watched, gateway: Interface) -> None:
    opened.page.goto("/sign-in/")
    found = found_on(opened.page)
    page = opened.sign_in("oscar")
    found += found_on(page)
    page.click("a[href='/apply/']")
    page.wait_for_selector("dialog[open] footer .btn-main")
    found += found_on(page)
    assert found == [], "\n".join(found)


def test_the_customers_page(opened: Watched) -> None:
    links = shared_links()
    page = opened.page
    found = []
    for path in (links.used, links.off, links.once, links.outdated, links.keyless, links.gone):
        page.goto(path)
        found += found_on(page)
    page.goto(links.used)
    page.click("aside .btn-main")
    page.wait_for_selector(".qr img")
    found += found_on(page)
    assert found == [], "\n".join(found)
