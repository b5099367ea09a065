"""What people do with the portal, from the first click to what happens on the wire."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import Watched
from tests.browser.flows.conftest import HOME, Seller
from tests.browser.hand import scanned, seen_at, watch
from tests.live.conftest import Figure
from tests.live.lab import Client, inside
from tests.live.site import Site

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.browser]

LIST = f"{HOME}clients/"
MEGABYTE = 10**6


def test_a_new_reseller_has_a_working_client_within_a_minute(
    seller: Seller, site: Site, figure: Figure
) -> None:
    """With the link of her invitation alone. wg-easy, signed in already: 3 clicks, 1 field."""
    assert seller.device.ping(site.address(), count=5) == 5
    assert seller.seconds < 60
    assert (seller.hand.clicks, seller.hand.fields) == (3, 3)  # the first with her password
    figure("first_client.seconds", seller.seconds)
    figure("first_client.clicks", seller.hand.clicks)
    figure("first_client.fields", seller.hand.fields)


def test_the_code_on_the_screen_is_the_file(seller: Seller) -> None:
    """On a wide screen, on a phone, in the dark."""
    page = seller.watched.page
    with page.expect_download() as download:
        page.click("text=Download the file")
    assert download.value.path().read_text() == seller.config
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    assert scanned(page) == seller.config
    page.set_viewport_size({"width": 1280, "height": 720})
    page.emulate_media(color_scheme="light")


def made(page: Page, name: str, **more: str) -> str:
    """A new client, made as a person does; the text of its code."""
    page.goto(f"{LIST}new/")
    page.fill("[name=name]", name)
    if more:
        page.click("summary:has-text('More')")
    for field, value in more.items():
        page.fill(f"[name={field}]", value)
    page.click("text=Create and show QR")
    page.wait_for_selector(".qr img")
    return scanned(page)


def use_up(device: Client, address: str, size: int) -> None:
    """Send and get back twice so many bytes; what is left over is not answered."""
    count = 2 * size // (2 * 1200)
    inside(device.netns, "ping", "-n", "-q", "-c", str(count), "-i", "0.002", "-s", "1200",
           "-W", "0.3", address, check=False)  # fmt: skip


def test_who_uses_up_the_quota_is_seen_to_go_off(
    seller: Seller, site: Site, figure: Figure
) -> None:
    """Within 5 s of the worker's block, on the client's page and in the list, without a reload."""
    page, table = seller.watched.page, seller.watched.context.new_page()
    device = site.lab.add_client(made(page, "Kian", quota_bytes="1 MB"))
    device.wait_until_reaches(site.address())
    expect(page.locator("#verdict")).to_contain_text("1 device is connected now.", timeout=15_000)
    table.goto(f"{LIST}?q=Kian")
    expect(table.locator("#clients tr[data-row]")).to_contain_text("Online")
    watch(page, "#verdict", "Off: ")
    watch(table, "#clients tr[data-row]", "Off: quota")
    use_up(device, site.address(), MEGABYTE)
    seen = {"page": seen_at(page), "list": seen_at(table)}
    blocked = float(
        site.python(
            "from quotas.models import Hold\n"
            "print(Hold.objects.get(client__name='Kian').opened_at.timestamp())\n"
        )
    )
    for place, at in seen.items():
        figure(f"quota_seen.{place}.seconds", at - blocked)
        assert at - blocked < 5, place
    expect(page.locator("#verdict")).to_contain_text("A top-up brings it back at once.")
    assert device.ping(site.address()) == 0
    table.close()


def test_five_hundred_are_made_with_the_progress_in_sight(
    seller: Seller, site: Site, figure: Figure
) -> None:
    page = seller.watched.page
    page.goto(f"{LIST}many/")
    page.fill("[name=lines]", "shop-{001..500}")
    page.click("text=Preview")
    expect(page.locator("#preview")).to_contain_text("500 clients can be created.")
    page.add_init_script(
        """window.progress = [];
        addEventListener("DOMContentLoaded", () => {
          const look = () => {
            const bar = document.querySelector("#outcome progress");
            if (bar && window.progress.at(-1) !== bar.value) window.progress.push(bar.value);
          };
          look();
          new MutationObserver(look).observe(document.body, {subtree: true, childList: true});
        });"""
    )
    page.click("text=Create 500 clients")
    page.wait_for_url("**/jobs/**")
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text("All 500 done.", timeout=60_000)
    expect(outcome).to_contain_text("500 changes are live on the gateways", timeout=60_000)
    steps = page.evaluate("window.progress")
    assert steps
    assert steps == sorted(steps)
    took = outcome.locator("dt:text-is('Took') + dd").inner_text()
    figure("bulk_500.took", took)
    figure("bulk_500.progress_steps", len(steps))
    page.reload()
    each: list[str] = []
    while True:
        each += page.locator(".tbl tbody tr").all_inner_texts()
        onwards = page.locator("a[rel=next]")
        if not onwards.count():
            break
        onwards.click()
        page.wait_for_load_state()
    assert len(each) == 500
    assert len({re.sub(r"\s.*", "", text) for text in each}) == 500
    assert len(site.peers()) >= 500


def curl(token: str, url: str, *more: str) -> int:
    """The status that curl got."""
    argv = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
            "-H", f"Authorization: Bearer {token}", url, *more]  # fmt: skip
    return int(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)


def test_a_token_works_with_curl_at_once_and_when_revoked_no_more(
    seller: Seller, site: Site
) -> None:
    page = seller.watched.page
    page.goto(f"{HOME}tokens/")
    page.click("text=New token")
    page.fill("[name=name]", "till")
    page.select_option("[name=kind]", "*")
    page.click("text=Issue the token")
    token = page.input_value("#token-text")
    said = page.inner_text("pre.conf")
    assert token in said
    url = said.split()[-1]
    assert curl(token, url) == 200
    clients = f"{site.stack.url}/api/v1/clients"
    body = ("-H", "Content-Type: application/json", "-d", '{"name": "by curl"}')
    assert curl(token, clients, *body) == 201
    page.goto(f"{LIST}?q=by+curl")
    expect(page.locator("#clients tr[data-row]")).to_have_count(1)
    page.goto(f"{HOME}tokens/")
    page.click("td a[href$='/revoke/']")
    page.click("dialog >> text=Revoke the token")
    expect(page.locator("main")).to_contain_text("No tokens yet")
    assert curl(token, url) == 401


def test_a_suspended_reseller_is_told_and_can_change_nothing(
    seller: Seller, operator: Watched, site: Site
) -> None:
    page, office = seller.watched.page, operator.page
    page.goto(LIST)
    office.goto("/tenants/kestrel-net/suspend/")
    office.fill("[name=reason]", "unpaid")
    office.click(".btn-bad[type=submit]")
    expect(office.locator(".verdict")).to_contain_text("Suspended.")
    site.stack.wait_until(
        lambda: not seller.device.ping(site.address(), count=1, wait=0.25), "her clients stop"
    )
    expect(page.locator("#offline")).to_contain_text("These pages are closed to you now")
    page.click("#offline >> text=See why")
    expect(page.locator("main")).to_contain_text("This tenant is suspended.")
    for path in (HOME, LIST, f"{LIST}new/", f"{HOME}tokens/"):
        page.goto(path)
        expect(page.locator("main")).to_contain_text("This tenant is suspended.")
        assert page.locator("input:not([type=hidden]), select, textarea").count() == 0
    office.goto("/tenants/kestrel-net/resume/")
    office.click(".btn-main[type=submit]")
    expect(office.locator(".verdict")).not_to_contain_text("Suspended.")
    seller.device.wait_until_reaches(site.address())
    page.goto(LIST)
    expect(page.locator("#clients tr[data-row]").first).to_be_visible()
    seller.watched.faults[:] = [one for one in seller.watched.faults if "403" not in one]
