"""What an operator does on his own pages, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gateways.models import Interface, Job, JobItem
from peers.models import Peer
from tenants.models import Tenant
from tests.browser.chromium import Watched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_home_tells_of_a_new_alarm_without_a_reload(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    page.evaluate("window.sameDocument = true")
    expect(page.locator("#alarms")).to_contain_text("1 device is in quarantine")
    Peer.objects.filter(quarantine_reason="").update(quarantine_reason="refused")
    expect(page.locator("#alarms")).to_contain_text("devices are in quarantine", timeout=12_000)
    assert page.evaluate("window.sameDocument") is True
    page.click("#alarms a:has-text('quarantine')")
    expect(page.locator("h1")).to_have_text("Quarantine")


def test_a_reseller_is_suspended_after_its_consequences_are_told(watched: Watched) -> None:
    page = watched.page
    page.goto("/tenants/")
    page.click("a:has-text('Kestrel Net')")
    page.click("a[href$='/suspend/']")
    expect(page.locator("dialog")).to_contain_text("Resuming brings back exactly those")
    page.fill("dialog [name=reason]", "unpaid")
    page.click("dialog .btn-bad")
    expect(page.locator(".toast")).to_contain_text("Kestrel Net is suspended.")
    expect(page.locator(".verdict")).to_contain_text("unpaid")
    assert Tenant.objects.get(slug="kestrel").status == "suspended"
    page.click("a[href$='/resume/']")
    page.click("dialog .btn-main")
    expect(page.locator(".verdict")).to_contain_text("clients")
    assert Tenant.objects.get(slug="kestrel").status == "active"


def test_another_port_is_asked_for_before_anybody_is_disturbed(
    watched: Watched, gateway: Interface
) -> None:
    page = watched.page
    page.goto(f"/interfaces/{gateway.uuid}/")
    page.click("a[href$='/edit/']")
    page.fill("[name=listen_port]", "51999")
    page.click("button[type=submit].btn-main")
    expect(page.locator("main")).to_contain_text("packets of a moment are lost")
    gateway.refresh_from_db()
    assert gateway.listen_port == 51820
    page.fill("[name=typed]", "fra1")
    page.click(".sheet-end button")
    page.wait_for_url("**/jobs/**")
    gateway.refresh_from_db()
    assert gateway.listen_port == 51999


def test_unknown_peers_are_adopted_from_the_page_of_their_interface(
    watched: Watched, gateway: Interface
) -> None:
    Interface.objects.filter(pk=gateway.pk).update(guard_keys=["a" * 43 + "="] * 2)
    page = watched.page
    page.goto(f"/interfaces/{gateway.uuid}/")
    page.click("a[href$='/adopt/']")
    page.select_option("dialog [name=tenant]", "kestrel")
    page.click("dialog footer .btn-main")
    page.wait_for_url("**/jobs/**")
    item = JobItem.objects.get(action=JobItem.Action.ADOPT)
    assert item.job.tenant == Tenant.objects.get(slug="kestrel")
    assert Job.objects.filter(pk=item.job_id, actor_name="oscar").exists()


@pytest.mark.parametrize("width", [1360, 390])
@pytest.mark.parametrize(
    "path", ["/", "/tenants/", "/tenants/kestrel/", "/gateways/", "/pools/", "/audit/", "/system/"]
)
def test_nothing_is_cut_off_at_the_edge(watched: Watched, path: str, width: int) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    cut = page.locator("html").evaluate("box => box.scrollWidth - box.clientWidth")
    assert cut <= 0
