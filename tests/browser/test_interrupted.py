"""Work that is interrupted: the sign-in ends in a form, the network goes and comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from gateways.models import Interface
from peers.models import Client
from quotas.models import Hold, Plan
from tests.browser.chromium import PASSWORD, Watched
from tests.browser.reseller import OWNER, a_resellers_day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOME = "/t/kestrel/"


@pytest.fixture
def owner(chrome: Browser, live_server: LiveServer, gateway: Interface) -> Iterator[Watched]:
    a_resellers_day()
    watched = Watched(chrome, live_server.url)
    watched.sign_in(OWNER, HOME)
    yield watched
    watched.context.close()


def test_a_page_whose_sign_in_ended_keeps_what_was_typed(owner: Watched) -> None:
    page = owner.page
    page.goto(f"{HOME}plans/new/")
    page.fill("[name=name]", "Weekend “5” <b>")
    page.fill("[name=total_gb]", "5")
    page.fill("[name=duration_days]", "2")
    owner.context.clear_cookies(name="vwg-session")
    page.click("main form .btn-main")
    expect(page.locator("main")).to_contain_text("Nothing was saved, and nothing is lost")
    page.click("section footer button")
    expect(page.locator("main")).to_contain_text("Nothing was saved, and nothing is lost")
    with owner.context.expect_page() as opened:
        page.click("section footer a")
    other = opened.value
    other.fill("[name=login]", OWNER)
    other.fill("[name=password]", PASSWORD)
    other.click("button.btn-main")
    other.wait_for_selector("main.page")
    page.click("section footer button")
    expect(page.locator(".toast")).to_contain_text("Weekend “5” <b>")
    plan = Plan.objects.get(name="Weekend “5” <b>")
    assert (plan.total_bytes, plan.duration_days) == (5 * 10**9, 2)
    assert [one for one in owner.faults if "401" not in one] == []


def test_without_network_the_page_says_so_grows_old_and_recovers(owner: Watched) -> None:
    page = owner.page
    page.clock.install()
    page.goto(f"{HOME}clients/")
    page.evaluate("window.sameDocument = true")
    client = Client.objects.filter(tenant__slug="kestrel").order_by("pk")[0]
    cell = page.locator(f"#c-{client.uuid.hex[:12]}-state")
    note, age = page.locator("#offline"), page.locator("#age")
    expect(note).to_be_hidden()
    owner.context.set_offline(True)
    expect(note).to_contain_text("No connection to vwg. What you see is getting old")
    page.clock.fast_forward(40_000)
    expect(page.locator("body")).to_have_class("is-stale")
    expect(age).to_contain_text(re.compile(r"4\d s ago"))
    page.click("#offline >> text=Try now")
    expect(note).to_be_visible()
    Client.objects.filter(pk=client.pk).update(version=client.version + 1)
    Hold.objects.create(
        tenant=client.tenant, client=client, reason="manual", opened_by="x",
        opened_at=client.created_at,
    )  # fmt: skip
    owner.context.set_offline(False)
    expect(note).to_be_hidden()
    expect(cell).to_contain_text("Off: by hand")
    assert page.evaluate("window.sameDocument") is True
    assert [one for one in owner.faults if "ERR_INTERNET_DISCONNECTED" not in one] == []


def test_a_server_that_does_not_answer_is_said_and_asked_again(owner: Watched) -> None:
    """The network is there, vwg is not: the poll says so by itself, and asks less and less."""
    page = owner.page
    page.clock.install()
    page.goto(f"{HOME}clients/")
    asked: list[str] = []

    def fail(route: object, request: object) -> None:
        asked.append(str(request))
        route.fulfill(status=502)  # type: ignore[attr-defined]

    page.route("**/live/**", fail)
    note = page.locator("#offline")
    for _ in range(3):
        page.clock.run_for(6_000)
    expect(note).to_contain_text("vwg keeps trying")
    assert 2 <= len(asked) <= 3
    page.unroute("**/live/**")
    page.clock.fast_forward(60_000)
    expect(note).to_be_hidden()
    assert [one for one in owner.faults if "502" not in one] == []
