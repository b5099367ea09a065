"""A reseller's morning with one client, in a real browser: made, handed out, changed by two."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from peers.delivery import deliver, qr_svg
from peers.models import Client, Peer
from peers.queries import find_peer
from tenants.scoping import Caller
from tests.browser.chromium import Watched
from tests.browser.one_client import a_client, a_seller
from tests.browser.test_accessible import found_on

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOME = "/t/kestrel/"
NEW = "/t/kestrel/clients/new/"


@pytest.fixture
def mina(live_server: LiveServer) -> Caller:
    return a_seller("kestrel")


@pytest.fixture
def sara(mina: Caller) -> Client:
    return a_client(mina)


@pytest.fixture
def watched(chrome: Browser, live_server: LiveServer, mina: Caller) -> Iterator[Watched]:
    """Mina's page, that ends without console error, CSP fault, request out."""
    page = Watched(chrome, live_server.url)
    page.sign_in("mina-kestrel", HOME)
    yield page
    page.context.close()
    assert page.faults == []


def path(client: Client) -> str:
    return f"{HOME}clients/{client.uuid}/"


def dark_modules(page: Page) -> list[bool]:
    """The QR code that is on the page, looked at as a camera does: dark or light, cell by cell."""
    cells: list[bool] = page.locator(".qr img").evaluate(
        """async image => {
          await image.decode();
          const count = image.naturalWidth, size = 8 * count;
          const canvas = new OffscreenCanvas(size, size), brush = canvas.getContext("2d");
          brush.fillStyle = "white"; brush.fillRect(0, 0, size, size);
          brush.drawImage(image, 0, 0, size, size);
          const {data} = brush.getImageData(0, 0, size, size);
          const cells = [];
          for (let y = 4; y < size; y += 8)
            for (let x = 4; x < size; x += 8) cells.push(data[4 * (y * size + x)] < 128);
          return cells;
        }"""
    )
    return cells


def test_a_client_is_made_with_one_field_and_its_qr_code_is_that_of_its_file(
    watched: Watched, sara: Client, mina: Caller
) -> None:
    """From a page with "New client": one click, one field, one click."""
    page = watched.page
    page.goto(NEW)
    page.keyboard.type("Kian gaming")  # the field has the focus
    page.click("text=Create and show QR")
    page.wait_for_url("**file=**")
    expect(page.locator("#made")).to_contain_text("Being applied.")
    expect(page.locator("input[name=plan]")).to_have_count(0)
    client = Client.objects.get(name="Kian gaming")
    assert client.plan is not None
    assert client.plan.name == "Gamer 50"  # as the one before
    peer = find_peer(mina, client.peers.get().uuid)
    seen = dark_modules(page)
    page.set_content(f"<div class=qr><img src='data:image/svg+xml;base64,{_picture(peer)}'></div>")
    assert seen == dark_modules(page)
    assert sum(seen) > 500


def _picture(peer: Peer) -> str:
    return base64.b64encode(qr_svg(deliver(peer).text)).decode()


def test_it_turns_live_without_a_reload(watched: Watched, sara: Client) -> None:
    page = watched.page
    page.goto(NEW)
    page.fill("[name=name]", "Kian")
    page.click("text=Create and show QR")
    page.wait_for_url("**file=**")
    page.evaluate("window.sameDocument = true")
    Peer.objects.filter(client__name="Kian").update(applied_generation=1, verified_generation=1)
    expect(page.locator("#made")).to_contain_text("Live", timeout=8_000)
    expect(page.locator("#verdict")).to_contain_text("On, and never used.")
    assert page.evaluate("window.sameDocument") is True


def test_with_the_keyboard_alone(watched: Watched, sara: Client) -> None:
    page = watched.page
    page.goto(NEW)
    page.keyboard.type("Kian")
    page.keyboard.press("Enter")
    page.wait_for_url("**file=**")
    assert Client.objects.filter(name="Kian").count() == 1


def test_switching_off_asks_first_and_says_so_afterwards(watched: Watched, sara: Client) -> None:
    page = watched.page
    page.goto(path(sara))
    expect(page.locator("#verdict")).to_contain_text("On.")
    page.click("text=Switch off")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Its 2 devices: the connection stops within a second.")
    expect(dialog).to_contain_text("Nobody else is touched.")
    expect(dialog.locator("[name=note]")).to_be_focused()
    page.keyboard.type("waits for payment")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_contain_text("waits for payment")
    expect(page.locator(".toast")).to_contain_text("Sara Moradi is switched off.")
    expect(page.locator(".row > a", has_text="Switch on")).to_be_visible()


def test_of_two_tabs_the_second_is_told(watched: Watched, sara: Client) -> None:
    first = watched.page
    second = watched.context.new_page()
    for tab in (first, second):
        tab.goto(path(sara))
        tab.click(".push >> text=Edit")
        expect(tab.locator("dialog[open] [name=note]")).to_be_visible()
    first.fill("dialog [name=note]", "Pays by card")
    first.click("dialog button[type=submit]")
    expect(first.locator(".toast")).to_contain_text("Saved.")
    second.fill("dialog [name=note]", "Pays in cash")
    second.fill("dialog [name=tags]", "tehran")
    second.click("dialog button[type=submit]")
    note = second.locator("dialog .note-warn")
    expect(note).to_contain_text("mina-kestrel changed this client meanwhile.")
    second.click("dialog summary >> text=Show the difference")
    expect(note.locator("tr", has_text="Note")).to_contain_text("Pays by card")
    expect(second.locator("dialog [name=note]")).to_have_value("Pays in cash")
    second.click("dialog >> text=Save mine over it")
    expect(second.locator(".toast")).to_contain_text("Saved.")
    sara.refresh_from_db()
    assert (sara.note, sara.tags) == ("Pays in cash", ["tehran"])


def test_a_share_link_is_made_copied_and_opened(watched: Watched, sara: Client) -> None:
    page = watched.page
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(path(sara))
    page.click(".row > a >> text=Share link")
    page.click("dialog button[type=submit]")
    field = page.locator("dialog #link-url")
    expect(field).to_be_visible()
    page.click("dialog [data-copy]")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == field.input_value()
    assert re.search(r"/s/[\w-]{43}$", copied)


def test_the_chart_is_walked_with_arrow_keys(watched: Watched, sara: Client) -> None:
    page = watched.page
    page.goto(path(sara))
    page.click("#usage >> text=7 d")
    expect(page.locator("#usage .pt")).to_have_count(7)
    assert "range=7d" in page.url
    page.locator("#usage .pt[tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#usage .pt").nth(5)).to_be_focused()
    expect(page.locator("#usage .pt").nth(5).locator(".tip")).to_be_visible()


@pytest.mark.parametrize("width", [1360, 1024, 390])
def test_nothing_is_cut_off_at_the_edge(watched: Watched, sara: Client, width: int) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 800})
    for url in (f"{path(sara)}?file={sara.peers.order_by('pk')[0].uuid}", NEW,
                f"{HOME}clients/many/", f"{path(sara)}edit/", f"{path(sara)}history/"):  # fmt: skip
        page.goto(url)
        cut = page.locator("html").evaluate("box => box.scrollWidth - box.clientWidth")
        assert cut <= 0, (url, cut)


def test_from_the_list_a_client_is_two_clicks_and_one_field_away(
    watched: Watched, sara: Client
) -> None:
    """Counted, so that it stays so; wg-easy's is three clicks and one field."""
    page = watched.page
    page.goto(f"{HOME}clients/")
    clicks = [".top a[href$='/clients/new/'], a.btn-main[href$='/clients/new/']",
              "dialog[open] button[type=submit]"]  # fmt: skip
    page.click(clicks[0])
    expect(page.locator("dialog[open] [name=name]")).to_be_focused()
    page.keyboard.type("Kian gaming")
    page.click(clicks[1])
    expect(page.locator(".qr img")).to_be_visible()
    assert len(clicks) == 2
    assert Client.objects.get(name="Kian gaming").plan is not None


def test_from_the_list_with_the_keyboard_alone(watched: Watched, sara: Client) -> None:
    page = watched.page
    page.goto(f"{HOME}clients/")
    page.keyboard.press("c")
    expect(page.locator("dialog[open] [name=name]")).to_be_focused()
    page.keyboard.type("Kian gaming")
    page.keyboard.press("Enter")
    expect(page.locator(".qr img")).to_be_visible()


def test_a_list_is_previewed_and_then_made(watched: Watched, sara: Client) -> None:
    page = watched.page
    page.goto(f"{HOME}clients/many/")
    page.fill("[name=lines]", "shop-{01..12}")
    page.click("text=Preview")
    expect(page.locator("#preview")).to_contain_text("12 clients can be created.")
    page.click("text=Create 12 clients")
    page.wait_for_url("**/jobs/**")
    assert Client.objects.filter(name__startswith="shop-").count() == 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(watched: Watched, sara: Client, scheme: str) -> None:
    page = watched.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    home, phone = path(sara), sara.peers.order_by("pk")[0].uuid
    acts = ("switch-off", "kick", "extend", "top-up", "plan", "delete", "edit", "links/new")
    found = []
    for url in (home, f"{home}?file={phone}&new=1", f"{home}history/", NEW,
                f"{HOME}clients/many/", *(f"{home}{act}/" for act in acts),
                f"{home}devices/{phone}/keys/"):  # fmt: skip
        page.goto(url)
        found += found_on(page)
    page.goto(home)
    page.click("text=Switch off")
    page.wait_for_selector("dialog[open] footer .btn")
    found += found_on(page)
    assert found == [], "\n".join(found)
