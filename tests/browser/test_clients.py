"""The list of clients in a real browser: found, picked, acted on, kept in sight."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from gateways.models import Interface
from peers.models import Client, Peer
from quotas.models import Hold
from tenants.models import Tenant
from tests.browser.chromium import Watched
from tests.make import make_client, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/t/kestrel/clients/"


@pytest.fixture
def kestrel(gateway: Interface) -> Tenant:
    tenant = Tenant.objects.get(slug="kestrel")
    make_user("mina", tenant=tenant)
    return tenant


@pytest.fixture
def mina(chrome: Browser, live_server: LiveServer, kestrel: Tenant) -> Iterator[Page]:
    watched = Watched(chrome, live_server.url)
    yield watched.sign_in("mina", LIST)
    watched.context.close()
    assert watched.faults == []


def rows(page: Page) -> int:
    return page.locator("#clients tr[data-row]").count()


def test_typing_narrows_the_list_and_the_address_follows(mina: Page) -> None:
    assert rows(mina) == 4
    mina.keyboard.press("/")
    mina.keyboard.type("amir")
    expect(mina.locator("#clients tr[data-row]")).to_have_count(1)
    expect(mina.locator("[type=search]")).to_be_focused()
    assert "q=amir" in mina.url
    expect(mina.locator("#tally")).to_have_text("1 of 4")
    mina.keyboard.type("zzz")
    expect(mina.locator("#clients")).to_contain_text("No client matches “amirzzz”")
    mina.click("text=Clear all filters")
    expect(mina.locator("#clients tr[data-row]")).to_have_count(4)


def test_a_client_is_found_and_switched_off_by_keys_alone(mina: Page) -> None:
    mina.keyboard.press("j")
    mina.keyboard.press("j")
    second = mina.locator("#clients tr[data-row]").nth(1)
    expect(second).to_have_class("cur")
    mina.keyboard.press("b")
    expect(mina.locator("dialog")).to_contain_text("Switch off 1 client?")
    mina.keyboard.type("waits for payment")
    mina.keyboard.press("Enter")
    expect(mina.locator("dialog #outcome")).to_contain_text("1 done.")
    hold = Hold.objects.get(reason="manual")
    assert hold.note == "waits for payment"
    assert str(hold.client.uuid) == second.get_attribute("data-row")
    mina.keyboard.press("Escape")
    row = mina.locator(f"[data-row='{hold.client.uuid}']")
    expect(row).to_contain_text("Off: by hand")


def test_a_range_is_ticked_and_escape_lets_it_go(mina: Page) -> None:
    for key in ("j", "x", "j", "j", "Shift+X"):
        mina.keyboard.press(key)
    expect(mina.locator("[data-picked]")).to_have_text("3 selected")
    expect(mina.locator("tr[aria-selected=true]")).to_have_count(3)
    mina.keyboard.press("Escape")
    expect(mina.locator("[data-bulk]")).to_be_hidden()


def test_cells_change_in_place_and_rows_wait_to_be_shown(mina: Page, kestrel: Tenant) -> None:
    mina.evaluate("window.sameDocument = true")
    peer = Peer.objects.filter(tenant=kestrel).order_by("pk")[0]
    tick = mina.locator(f"[data-row='{peer.client.uuid}'] .tick")
    tick.check()
    Client.objects.filter(pk=peer.client_id).update(version=9)
    Hold.objects.create(
        tenant=kestrel, client=peer.client, reason="manual",
        opened_at=peer.created_at, opened_by="x",
    )  # fmt: skip
    make_client(kestrel, name="Newest")
    cell = mina.locator(f"#c-{peer.client.uuid.hex[:12]}-state")
    expect(cell).to_contain_text("Off: by hand", timeout=15_000)
    expect(tick).to_be_checked()
    note = mina.locator("#changed")
    expect(note).to_contain_text("1 change, show")
    assert "Newest" not in mina.locator("#clients").inner_text()
    assert mina.evaluate("window.sameDocument") is True
    note.locator("a").click()
    expect(mina.locator("#clients")).to_contain_text("Newest")


def test_the_list_of_keys_and_the_way_by_keys(mina: Page) -> None:
    mina.keyboard.press("?")
    expect(mina.locator("dialog")).to_contain_text("tick up to here")
    mina.keyboard.press("Escape")
    mina.keyboard.press("g")
    mina.keyboard.press("j")
    mina.wait_for_url("**/t/kestrel/jobs/")


def test_a_view_is_kept(mina: Page) -> None:
    mina.click(".chips >> text=State")
    mina.click("dialog >> text=Applying")
    mina.wait_for_url("**?state=pending")
    mina.click("text=Save this view")
    mina.fill("dialog [name=name]", "Waits")
    mina.click("dialog button[type=submit]")
    mina.wait_for_load_state()
    mina.goto(LIST)
    expect(mina.locator("#tabs")).to_contain_text("Waits")


@pytest.mark.parametrize("width", [1360, 1024, 390])
def test_nothing_is_cut_off_at_the_edge(mina: Page, width: int) -> None:
    mina.set_viewport_size({"width": width, "height": 800})
    cut = mina.locator("html").evaluate("box => box.scrollWidth - box.clientWidth")
    assert cut <= 0
