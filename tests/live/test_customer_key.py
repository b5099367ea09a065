"""A key made in a real browser carries a real tunnel, and its private half was nowhere else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.browser.chromium import Watched, chromium
from tests.live.site import Site

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.browser]


def test_the_key_of_the_share_page_makes_a_tunnel(site: Site) -> None:
    made = site.add_client("Leila's phone", key_mode="customer")
    device = made["devices"][0]
    assert device["public_key"] in site.peers()  # nobody has its private half
    link = site.call(
        "POST",
        f"/api/v1/peers/{device['id']}/share-links",
        {"allows_key": True, "single_use": True},
    ).body

    text = _file_made_in_a_browser(site, link["url"])
    phone = site.lab.add_client(text)

    assert phone.wait_until_reaches(site.address(4)) < 10
    for address in (site.address(4), site.address(6), site.lab.beyond_ip, site.lab.beyond_ip6):
        assert phone.ping(address) == 3, address
    peers = site.peers()
    assert phone.public_key in peers
    assert device["public_key"] not in peers
    shown = site.call("GET", f"/api/v1/peers/{device['id']}").body
    assert shown["public_key"] == phone.public_key
    assert (shown["awaits_key"], shown["private_key_known"]) == (False, False)
    assert _files_with(site.stack.state, phone.private_key) == []
    assert (
        site.call("GET", link["url"].removeprefix(site.stack.env["VWG_PUBLIC_URL"])).status == 404
    )


def _file_made_in_a_browser(site: Site, url: str) -> str:
    """Open the link as a customer, have the key made, and take the file that the page offers."""
    base = site.stack.env["VWG_PUBLIC_URL"]
    with chromium() as browser:
        watched = Watched(browser, base)
        page = watched.page
        page.goto(url.removeprefix(base))
        page.click("#make-key")
        with page.expect_download() as download:
            page.click("#key a.btn-main")
        text = download.value.path().read_text()
        assert text == page.locator("#key .conf").text_content()
        watched.context.close()
        assert watched.faults == []
    return text


def _files_with(folder: Path, secret: str) -> list[Path]:
    """Files of the whole stack (database, its journal, logs, Redis) that hold this text."""
    time.sleep(0.5)  # what is still being written
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
