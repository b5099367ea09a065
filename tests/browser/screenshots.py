"""Screenshots of the pages with realistic rows: `python -m tests.browser.screenshots OUTDIR`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps an event loop in this thread

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from playwright.sync_api import Browser  # noqa: E402
from pytest_django.live_server_helper import LiveServer  # noqa: E402

from deploy.catalogues import build  # noqa: E402
from gateways.models import Interface  # noqa: E402
from tests.browser.account_pictures import shoot_own  # noqa: E402
from tests.browser.chromium import Watched, chromium  # noqa: E402
from tests.browser.client_pictures import shoot_clients  # noqa: E402
from tests.browser.one_client_pictures import shoot_one_client  # noqa: E402
from tests.browser.operator_pictures import DRESSES as ALL  # noqa: E402
from tests.browser.operator_pictures import shoot_operator  # noqa: E402
from tests.browser.scene import ordinary_day  # noqa: E402
from tests.browser.shared import Shared, shared_links  # noqa: E402
from tests.browser.tenant_pictures import shoot_tenant  # noqa: E402
from tests.make import make_user  # noqa: E402

DESK = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}


def main(out: Path, only: str = "") -> None:
    """Take every picture into ``out``, or the group that ``only`` names, if it does: "status",
    "operator", "tenant", "clients", "client", "share", "own"; after a colon the dresses of
    "tenant" or "own", as "tenant:light,fa".
    """
    out.mkdir(parents=True, exist_ok=True)
    build()
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    make_user("oscar", operator="full", is_staff=True, is_superuser=True)
    wg0 = ordinary_day()
    server = LiveServer("127.0.0.1")
    try:
        with chromium() as browser:
            group, _, dresses = only.partition(":")
            if group in ("", "operator"):
                shoot_operator(browser, server.url, out)
            if group in ("", "tenant"):
                shoot_tenant(browser, server.url, out, dresses.split(",") if dresses else ALL)
            if group in ("", "clients"):
                shoot_clients(browser, server.url, out)
            if group in ("", "client"):
                shoot_one_client(browser, server.url, out, wg0)
            if group in ("", "own"):
                shoot_own(
                    browser, server.url, out, wg0, dresses.split(",") if dresses else tuple(ALL)
                )
            if group in ("", "status"):
                shoot(browser, server.url, out)
            if group in ("", "share"):
                shoot_shares(browser, server.url, out, wg0)
    finally:
        server.stop()


def shoot(browser: Browser, base: str, out: Path) -> None:
    """The status page in every dress, then the dialogs."""
    dresses: dict[str, dict[str, Any]] = {
        "status-light": {"viewport": DESK},
        "status-dark": {"viewport": DESK, "color_scheme": "dark"},
        "status-fa": {"viewport": DESK, "locale": "fa-IR"},
        "status-phone": {"viewport": PHONE, "has_touch": True},
        "status-phone-fa": {"viewport": PHONE, "has_touch": True, "locale": "fa-IR"},
    }
    for name, options in dresses.items():
        watched = Watched(browser, base, **options)
        if name == "status-light":
            watched.page.goto("/")
            watched.page.screenshot(path=out / "sign-in.png")
            watched.page.fill("[name=login]", "oscar")
            watched.page.fill("[name=password]", "wrong")
            watched.page.click("button.btn-main")
            watched.page.wait_for_selector(".err")
            watched.page.screenshot(path=out / "sign-in-refused.png")
        page = watched.sign_in("oscar")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=out / f"{name}.png", full_page="phone" not in name)
        if name in ("status-light", "status-fa", "status-phone", "status-dark"):
            dialogs(watched, out, name.removeprefix("status-"))
        print(name, watched.faults)
        watched.context.close()


def dialogs(watched: Watched, out: Path, dress: str) -> None:
    """Apply, add with a refusal, the new device's QR code, remove."""
    page = watched.page
    page.click("a[href='/apply/']")
    page.wait_for_selector("dialog[open] footer .btn-main")
    page.screenshot(path=out / f"apply-{dress}.png")
    page.keyboard.press("Escape")
    page.click(".row > a[href='/peers/new/']")
    page.wait_for_selector("dialog[open] [name=name]")
    page.fill("[name=name]", "Tablet of Mina")
    page.click("dialog summary")
    page.fill("[name=addresses]", "10.252.0.1")
    page.screenshot(path=out / f"add-{dress}.png")
    page.click("dialog button[type=submit]")
    page.wait_for_selector("dialog .err")
    page.screenshot(path=out / f"add-refused-{dress}.png")
    page.fill("[name=addresses]", "")
    page.click("dialog button[type=submit]")
    page.wait_for_selector("dialog .qr img")
    page.screenshot(path=out / f"qr-{dress}.png")
    page.click("dialog .btn-bad")
    page.wait_for_selector("dialog #remove", state="attached")
    page.screenshot(path=out / f"remove-{dress}.png")


def shoot_shares(browser: Browser, base: str, out: Path, interface: Interface) -> None:
    """The customers' page in every dress: as it opens, with the file, outdated, with a key to make,
    switched off, and where there is none.
    """
    dresses: dict[str, dict[str, Any]] = {
        "light": {"viewport": DESK},
        "dark": {"viewport": DESK, "color_scheme": "dark"},
        "fa": {"viewport": DESK, "locale": "fa-IR"},
        "phone": {"viewport": PHONE, "has_touch": True},
        "phone-fa-dark": {
            "viewport": PHONE, "has_touch": True, "locale": "fa-IR", "color_scheme": "dark"
        },
    }  # fmt: skip
    for name, options in dresses.items():
        links = shared_links(interface, language="fa" if "fa" in name else "en")
        watched = Watched(browser, base, **options)
        share(watched, links, out, name)
        print("share", name, [fault for fault in watched.faults if "404" not in fault])
        watched.context.close()


def share(watched: Watched, links: Shared, out: Path, dress: str) -> None:
    """One dress of the customers' page."""
    page = watched.page

    def take(name: str) -> None:
        page.screenshot(path=out / f"share-{name}-{dress}.png", full_page=True)

    page.goto(links.used)
    take("landing")
    page.click("aside .btn-main")
    page.wait_for_selector(".qr img")
    take("file")
    page.goto(links.off)
    take("off")
    page.goto(links.once)
    take("once")
    page.goto(links.outdated)
    take("outdated")
    page.goto(links.keyless)
    page.click("details summary")
    take("key")
    page.click("#make-key")
    page.wait_for_selector("#key .qr svg")
    take("key-made")
    page.goto(links.gone)
    take("gone")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
