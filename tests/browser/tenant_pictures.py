"""Screenshots of a tenant's own pages, as its owner sees them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.chromium import Watched
from tests.browser.operator_pictures import DRESSES
from tests.browser.reseller import OWNER, a_resellers_day

TENANT = "/t/kestrel/"
PAGES = {
    "home": "",
    "plans": "plans/",
    "plan-new": "plans/new/",
    "usage": "usage/",
    "tokens": "tokens/",
    "token-new": "tokens/new/",
    "members": "members/",
    "settings": "settings/",
    "history": "history/",
}
#: A page and the link on it that opens a dialog.
DIALOGS = {
    "plan-remove": ("plans/", "td a[href$='/remove/']"),
    "token-revoke": ("tokens/", "td a[href$='/revoke/']"),
    "member-new": ("members/", "a[href$='/members/new/']"),
    "member-role": ("members/", "td a[href$='/role/']"),
    "member-remove": ("members/", "td a[href$='/remove/']"),
}


def shoot_tenant(
    browser: Browser, base: str, out: Path, dresses: Collection[str] = tuple(DRESSES)
) -> None:
    """Every page of `PAGES`, dialog of `DIALOGS` and form that was refused, in these dresses."""
    a_resellers_day()
    for dress in dresses:
        watched = Watched(browser, base, **DRESSES[dress])
        page = watched.sign_in(OWNER, TENANT)
        for name, path in PAGES.items():
            page.goto(TENANT + path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=out / f"tenant-{name}-{dress}.png", full_page=True)
        for name, (path, link) in DIALOGS.items():
            page.goto(TENANT + path)
            page.click(link)
            page.wait_for_selector("dialog[open] footer .btn")
            page.screenshot(path=out / f"tenant-{name}-{dress}.png")
        if dress == "phone":
            page.goto(TENANT)
            page.click(".bar-m summary")
            page.screenshot(path=out / "tenant-menu-phone.png")
        _made(page, out, dress)
        _refused(page, out, dress)
        print("tenant", dress, [fault for fault in watched.faults if "400" not in fault])
        watched.context.close()


def _made(page: Page, out: Path, dress: str) -> None:
    """A token's text, that is shown once."""
    page.goto(f"{TENANT}tokens/new/")
    page.fill("[name=name]", f"made {dress}")
    page.select_option("[name=kind]", "*:read")
    page.click("main form .btn-main")
    page.wait_for_selector("main .key")
    page.screenshot(path=out / f"tenant-token-made-{dress}.png", full_page=True)


def _refused(page: Page, out: Path, dress: str) -> None:
    """A plan that slows down to nothing."""
    page.goto(f"{TENANT}plans/new/")
    page.fill("[name=total_gb]", "20 GB")
    page.select_option("[name=at_limit]", "throttle")
    page.click("main form .btn-main")
    page.wait_for_selector(".err")
    page.screenshot(path=out / f"tenant-plan-refused-{dress}.png", full_page=True)
