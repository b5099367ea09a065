"""Pictures of a client's page, its dialogs, and the forms of new ones, in every dress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Browser, Page

from gateways.models import Interface
from peers.models import Client
from peers.services.switching import disable_client, enable_client
from tenants.scoping import Caller
from tests.browser.chromium import Watched
from tests.browser.one_client import a_client, a_seller

DESK = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}
DRESSES: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "fa": {"viewport": DESK, "locale": "fa-IR"},
    "phone": {"viewport": PHONE, "has_touch": True},
    "phone-fa": {"viewport": PHONE, "has_touch": True, "locale": "fa-IR"},
}
LIST = "name,reference,plan\nSara,A-20931,\nKian,A-7,Gamer 50\nOmid,A-7,\nTara,A-9,None such"


def shoot_one_client(browser: Browser, base: str, out: Path, interface: Interface) -> None:
    """The page of Sara Moradi, who is on, and then off by hand."""
    mina = a_seller("pictured")
    sara = a_client(mina, interface)
    for dress, options in DRESSES.items():
        watched = Watched(browser, base, **options)
        page = watched.sign_in("mina-pictured", "/t/pictured/")
        _one(page, out, dress, mina, sara)
        print("client", dress, watched.faults)
        watched.context.close()


def _one(page: Page, out: Path, dress: str, mina: Caller, sara: Client) -> None:
    clients = "/t/pictured/clients/"
    home = f"{clients}{sara.uuid}/"
    phone = sara.peers.order_by("pk")[0]

    def take(name: str, path: str) -> None:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=out / f"client-{name}-{dress}.png", full_page=True)

    take("page", home)
    page.locator(".chart .pt").nth(3).focus()
    page.screenshot(path=out / f"client-value-{dress}.png")
    for name in ("switch-off", "extend", "plan", "delete", "edit", "links/new", "devices/new"):
        take(name.replace("/", "-"), f"{home}{name}/")
    take("file", f"{home}?file={phone.uuid}&new=1")
    take("new", f"{clients}new/")
    take("many", f"{clients}many/")
    page.fill("[name=lines]", LIST)
    page.click("[name=preview]")
    page.wait_for_selector("#preview")
    page.screenshot(path=out / f"client-many-preview-{dress}.png", full_page=True)
    disable_client(caller=mina, client_id=sara.uuid, at=timezone.now(), note="waits for payment")
    take("off", home)
    enable_client(caller=mina, client_id=sara.uuid, at=timezone.now())
    applied = F("generation")
    sara.peers.update(applied_generation=applied, verified_generation=applied)
