"""A reseller's owner sets up shop: a plan, a token, a colour, a colleague; in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from gateways.models import Interface
from quotas.models import Plan
from tenants.models import ApiToken, Membership, Tenant
from tests.browser.chromium import Watched
from tests.browser.reseller import OWNER, a_resellers_day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def owner(chrome: Browser, live_server: LiveServer, gateway: Interface) -> Iterator[Watched]:
    """The owner's own browser, that ends without console error, CSP fault, request out."""
    a_resellers_day()
    page = Watched(chrome, live_server.url)
    page.sign_in(OWNER, "/t/kestrel/")
    yield page
    page.context.close()
    assert page.faults == []


def test_an_owner_finds_every_page_from_the_menu(owner: Watched) -> None:
    page = owner.page
    expect(page.locator(".verdict")).to_contain_text("A gateway refused 1 device.")
    menu = page.locator(".side .nav a")
    for name in [text.strip() for text in menu.all_inner_texts()]:
        page.click(f".side .nav a:has-text('{name}')")
        expect(page.locator(".side .nav a[aria-current]")).to_have_text(name)
        expect(page.locator("main h1")).to_have_text(name)


def test_a_plan_is_made_and_listed(owner: Watched) -> None:
    page = owner.page
    page.click(".side a[href='/t/kestrel/plans/']")
    page.click(".top .btn-main")
    page.fill("[name=name]", "Weekend 5")
    page.fill("[name=total_gb]", "5")
    page.fill("[name=duration_days]", "2")
    page.click("main form .btn-main")
    expect(page.locator(".toast")).to_contain_text("Weekend 5")
    expect(page.locator("tbody tr:has-text('Weekend 5')")).to_contain_text("2 days")
    assert Plan.objects.get(name="Weekend 5").total_bytes == 5 * 10**9


def test_a_token_is_seen_once(owner: Watched) -> None:
    page = owner.page
    page.click(".side a[href='/t/kestrel/tokens/']")
    page.click(".top .btn-main")
    page.fill("[name=name]", "till")
    page.check("[name=scopes][value='clients:read']")
    page.click("main form .btn-main")
    text = page.locator("#token-text").input_value()
    token = ApiToken.objects.get(name="till")
    assert token.prefix in text
    assert token.scopes == ["clients:read"]
    assert page.locator("#token-text").evaluate("box => box.scrollWidth <= box.clientWidth")
    page.click("main a.btn-main")
    expect(page.locator("tbody tr:has-text('till')")).to_contain_text("clients:read")
    assert text not in page.content()


def test_the_preview_follows_what_is_typed(owner: Watched) -> None:
    page = owner.page
    page.click(".side a[href='/t/kestrel/settings/']")
    button = page.frame_locator(".preview").locator(".btn-main")
    expect(button).to_have_css("background-color", "rgb(138, 59, 18)")
    page.fill("[name=brand_color]", "")
    page.locator("[name=brand_color]").press_sequentially("#1d4ed8", delay=20)
    expect(button).to_have_css("background-color", "rgb(29, 78, 216)")
    page.fill("[name=brand_name]", "Kestrel & Sons")
    expect(page.frame_locator(".preview").locator(".cust-top")).to_contain_text("Kestrel & Sons")
    assert Tenant.objects.get(slug="kestrel").brand_color == "#8a3b12"
    page.click("#tenant .btn-main")
    expect(page.locator(".toast")).to_be_visible()
    assert Tenant.objects.get(slug="kestrel").brand_color == "#1d4ed8"


def test_a_member_is_added_by_a_dialog(owner: Watched) -> None:
    page = owner.page
    page.click(".side a[href='/t/kestrel/members/']")
    page.click(".top .btn-main")
    expect(page.locator("dialog input[type=text]").first).to_be_focused()
    page.keyboard.type("omid@kestrel.example")
    page.select_option("dialog [name=role]", "viewer")
    page.click("dialog button[type=submit]")
    expect(page.locator("tbody tr:has-text('omid@kestrel.example')")).to_contain_text("viewer")
    assert Membership.objects.get(user__email="omid@kestrel.example").role == "viewer"


@pytest.mark.parametrize("width", [1360, 1024, 390])
def test_nothing_is_cut_off_at_the_edge(owner: Watched, width: int) -> None:
    page = owner.page
    page.set_viewport_size({"width": width, "height": 800})
    for name in ("", "plans/", "plans/new/", "usage/", "tokens/", "tokens/new/", "members/",
                 "settings/", "history/"):  # fmt: skip
        page.goto(f"/t/kestrel/{name}")
        cut = page.evaluate(
            "[document.documentElement, ...document.querySelectorAll('main .wrap')]"
            ".map(box => box.scrollWidth - box.clientWidth)"
        )
        assert max(cut) <= 0, (name, cut)


def test_the_open_menu_of_a_phone_covers_nothing(owner: Watched) -> None:
    page = owner.page
    page.set_viewport_size({"width": 390, "height": 844})
    bar = page.locator(".bar-m")
    closed = bar.bounding_box()
    page.click(".bar-m summary")
    assert bar.bounding_box() == closed
    seen = page.locator(".bar-m .switch bdi, .bar-m .nav a").evaluate_all(
        "all => all.map(one => { const box = one.getBoundingClientRect();"
        " return one.contains(document.elementFromPoint(box.x + 4, box.y + box.height / 2)) })"
    )
    assert len(seen) > 9
    assert all(seen), seen
