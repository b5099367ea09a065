"""What a person sees and does in the portal, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gateways.models import Interface, Job
from peers.models import Peer
from tests.browser.chromium import Watched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_states_refresh_without_a_reload(watched: Watched, gateway: Interface) -> None:
    page = watched.page
    page.evaluate("window.sameDocument = true")
    peer = Peer.objects.order_by("-pk")[0]
    cell = page.locator(f"#p-{peer.uuid}-status")
    expect(cell).to_contain_text("Applying")
    Peer.objects.filter(pk=peer.pk).update(applied_generation=1, verified_generation=1)
    expect(cell).to_contain_text("Confirmed", timeout=12_000)
    assert page.evaluate("window.sameDocument") is True
    assert any("/live/" in url for url in watched.requests)


def test_adding_shows_the_qr_code_and_the_list_follows(watched: Watched) -> None:
    page = watched.page
    page.click(".row > a[href='/peers/new/']")
    page.fill("dialog [name=name]", "Tablet of Mina")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .qr img")).to_be_visible()
    assert page.locator("dialog .qr img").evaluate("image => image.naturalWidth") > 0
    page.keyboard.press("Escape")
    expect(page.locator("#peers")).to_contain_text("Tablet of Mina")
    assert page.url.endswith("/status/")


def test_apply_asks_first_and_then_shows_the_job(watched: Watched) -> None:
    page = watched.page
    page.click("a[href='/apply/']")
    expect(page.locator("dialog")).to_contain_text("Nobody else is touched.")
    before = Job.objects.count()
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog #outcome")).to_have_attribute("aria-busy", "true")
    assert Job.objects.count() == before + 1
    job = Job.objects.order_by("-pk")[0]
    Job.objects.filter(pk=job.pk).update(
        status="succeeded", done=1, tier=1, finished_at=job.created_at, message="Applied."
    )
    expect(page.locator("dialog #outcome")).to_contain_text("Applied.", timeout=5_000)
    expect(page.locator("dialog #outcome")).to_have_attribute("aria-busy", "false")


def test_removing_asks_first(watched: Watched) -> None:
    page = watched.page
    peer = Peer.objects.filter(deleted_at__isnull=True).order_by("-pk")[0]
    page.click(f"#p-{peer.uuid} a[href$='/remove/']")
    expect(page.locator("dialog")).to_contain_text("This device stops for good")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog #outcome")).to_be_visible()
    peer.refresh_from_db()
    assert peer.deleted_at is not None


@pytest.mark.parametrize("width", [1360, 1024, 390])
def test_nothing_is_cut_off_at_the_edge(watched: Watched, width: int) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 800})
    for box in ("#peers .wrap", "html"):
        cut = page.locator(box).evaluate("box => box.scrollWidth - box.clientWidth")
        assert cut <= 0, (box, cut)


def test_search_narrows_the_list_while_one_types(watched: Watched) -> None:
    page = watched.page
    page.keyboard.press("/")
    page.keyboard.type("cafe")
    expect(page.locator("#peers tbody tr")).to_have_count(2)
    expect(page.locator("[type=search]")).to_be_focused()
    assert "q=cafe" in page.url
