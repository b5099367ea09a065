"""Screenshots of what people see of their own: a customer's connections, and the account pages."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from gateways.models import Interface
from peers.models import Client, CustomerAccess
from tenants.models import Tenant
from tests.browser.chromium import PASSWORD, Watched
from tests.browser.one_client import a_client, a_seller
from tests.browser.operator_pictures import DRESSES
from tests.make import make_client, make_peer, make_user

CUSTOMER: Final = "sara@example.org"
#: Pages about oneself; those that ask for the password again come last.
PAGES: Final = {
    "profile": "account/",
    "sessions": "account/sessions/",
    "security": "account/security/",
    "password": "account/password/",
    "email": "account/email/",
    "app": "account/security/app/",
    "codes": "account/security/codes/",
    "passkey": "account/security/passkeys/add/",
}
#: Pages for nobody yet.
DOORS: Final = {
    "sign-in": "sign-in/",
    "forgotten": "password/",
    "forgotten-sent": "password/sent/",
    "key-over": "password/1-never/",
    "inactive": "sign-in/inactive/",
}


def a_customer(interface: Interface) -> Client:
    """Sara, who has a connection of one seller that is much used, one more, and one elsewhere."""
    caller = a_seller(
        "shown", brand_name="Kestrel Net", brand_color="#8a3b12", brand_color_dark="#f0a074",
        support_url="https://t.me/kestrelnet",
    )  # fmt: skip
    Tenant.objects.update(customers_sign_in=True)
    sara = make_user(CUSTOMER, email=CUSTOMER, first_name="Sara", last_name="Moradi")
    first = a_client(caller, interface)
    second = make_client(caller.tenant, name="خانهٔ مادر", quota_bytes=20 * 10**9)
    make_peer(second, interface, name="router")
    other = make_client(Tenant.objects.get(slug="default"), name="Office")
    for client in (first, second, other):
        CustomerAccess.objects.create(tenant=client.tenant, client=client, user=sara)
    return first


def shoot_own(
    browser: Browser,
    base: str,
    out: Path,
    interface: Interface,
    dresses: Collection[str] = tuple(DRESSES),
) -> None:
    """Every page in these dresses."""
    client = a_customer(interface)
    for dress in dresses:
        watched = Watched(browser, base, **DRESSES[dress])
        _doors(watched.page, out, dress)
        page = watched.sign_in(CUSTOMER, "/my/")
        _connections(page, out, dress, client)
        _account(page, out, dress)
        print("own", dress, [fault for fault in watched.faults if "40" not in fault])
        watched.context.close()
        _seller(Watched(browser, base, **DRESSES[dress]), out, dress, client)


def _take(page: Page, out: Path, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=out / f"own-{name}.png", full_page=True)


def _doors(page: Page, out: Path, dress: str) -> None:
    for name, path in DOORS.items():
        page.goto(path)
        _take(page, out, f"{name}-{dress}")


def _connections(page: Page, out: Path, dress: str, client: Client) -> None:
    _take(page, out, f"list-{dress}")
    login = client.logins.get()
    page.goto(f"my/{login.uuid}/")
    _take(page, out, f"one-{dress}")
    page.click("#devices form button")
    page.wait_for_selector(".conf")
    _take(page, out, f"file-{dress}")


def _account(page: Page, out: Path, dress: str) -> None:
    for name, path in PAGES.items():
        page.goto(path)
        if page.locator("[name=password]").count() == 1 and "again" in page.url:
            _take(page, out, f"again-{dress}")
            page.fill("[name=password]", PASSWORD)
            page.click("main .btn-main")
            page.wait_for_url(f"**/{path}**")
        _take(page, out, f"{name}-{dress}")


def _seller(watched: Watched, out: Path, dress: str, client: Client) -> None:
    place: Any = f"/t/{client.tenant.slug}/clients/{client.uuid}/"
    page = watched.sign_in("mina-shown", place)
    _take(page, out, f"seller-{dress}")
    page.click("#logins .more")
    page.wait_for_selector("dialog[open] [name=email]")
    page.screenshot(path=out / f"own-invite-{dress}.png")
    page.goto(f"/t/{client.tenant.slug}/settings/")
    _take(page, out, f"settings-{dress}")
    print("seller", dress, watched.faults)
    watched.context.close()
