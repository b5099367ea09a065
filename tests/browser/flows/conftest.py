"""One running vwg for all flows: an operator, and a reseller whom he invites."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import Watched
from tests.browser.hand import Hand, scanned
from tests.live.conftest import figure as figure  # a fixture
from tests.live.lab import Client
from tests.live.site import Site
from tests.stack.conftest import CLUSTER_URL, short_path
from tests.stack.processes import Stack

PASSWORD = "a staple of paper clips"
MAIL = "mina@kestrel.example"
HOME = "/t/kestrel-net/"


@dataclass
class Seller:
    """The reseller after her first minute: her browser, and what that minute was."""

    watched: Watched
    hand: Hand
    seconds: float
    config: str
    device: Client


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """On PostgreSQL, with its wall of rows, where there is one."""
    place = short_path(tmp_path_factory)
    with Site(place, stack=Stack(place, cluster_url=CLUSTER_URL)) as running:
        yield running


def browser_of(chrome: Browser, site: Site, **options: str) -> Watched:
    """A browser of one person."""
    return Watched(chrome, f"http://localhost:{site.stack.port}", **options)


@pytest.fixture(scope="module")
def operator(chrome: Browser, site: Site) -> Iterator[Watched]:
    watched = browser_of(chrome, site)
    page = watched.page
    page.goto("/")
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", site.stack.env["VWG_ADMIN_PASSWORD"])
    page.click("button.btn-main")
    page.wait_for_url("**/")
    yield watched
    watched.context.close()
    assert watched.faults == []


@pytest.fixture(scope="module")
def invitation(operator: Watched, site: Site) -> str:
    """The link in the mail of a reseller whom the operator has just made."""
    page = operator.page
    page.goto("/tenants/new/")
    page.fill("[name=name]", "Kestrel Net")
    page.fill("[name=owner]", MAIL)
    page.click("text=Make the reseller")
    page.wait_for_url("**/tenants/kestrel-net/")
    folder = site.stack.state / "mail"
    site.stack.wait_until(lambda: any(folder.glob("*")), "the invitation is sent")
    return link_in(folder)


def link_in(folder: Path) -> str:
    """The one link of the newest mail."""
    newest = max(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    text = message_from_bytes(newest.read_bytes()).get_payload(decode=True)
    assert isinstance(text, bytes)
    [link] = re.findall(r"http://\S+", text.decode())
    return str(link)


@pytest.fixture(scope="module")
def seller(chrome: Browser, site: Site, invitation: str) -> Iterator[Seller]:
    """From the link in her mail to a client that works: nothing else is prepared for her."""
    watched = browser_of(chrome, site)
    page = watched.page
    hand = Hand(page)
    begin = time.monotonic()
    page.goto(invitation)
    hand.fill("[name=password1]", PASSWORD)
    hand.fill("[name=password2]", PASSWORD)
    hand.click("button.btn-main")
    page.wait_for_url(f"**{HOME}")
    hand.click("main a:has-text('New client')")
    hand.fill("[name=name]", "Sara Moradi")
    hand.click("text=Create and show QR")
    page.wait_for_selector(".qr img")
    config = scanned(page)
    device = site.lab.add_client(config)
    device.wait_until_reaches(site.address())
    yield Seller(watched, hand, time.monotonic() - begin, config, device)
    watched.context.close()
    assert watched.faults == []
