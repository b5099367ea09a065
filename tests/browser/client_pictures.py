"""Pictures of the list of clients and of what is done with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from django.utils import timezone
from playwright.sync_api import Browser

from peers.models import Client
from quotas.models import Usage
from tenants.models import Tenant
from tests.browser.chromium import Watched
from tests.make import make_plan, make_user

DESK: Final = {"width": 1360, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
DRESSES: Final[dict[str, dict[str, Any]]] = {
    "light": {"viewport": DESK},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "fa": {"viewport": DESK, "locale": "fa-IR"},
    "phone": {"viewport": PHONE, "has_touch": True},
    "phone-fa": {"viewport": PHONE, "has_touch": True, "locale": "fa-IR"},
}
LIST: Final = "/t/default/clients/"


def shoot_clients(browser: Browser, base: str, out: Path) -> None:
    """The list in every dress, then its dialogs where there is room for them."""
    _sell()
    for dress, options in DRESSES.items():
        watched = Watched(browser, base, **options)
        page = watched.sign_in("leila", LIST)

        def take(name: str) -> None:
            page.wait_for_load_state("networkidle")  # noqa: B023  taken before the next dress
            page.screenshot(path=out / f"clients-{name}-{dress}.png")  # noqa: B023

        take("list")
        page.locator("tbody .tick").nth(2).check()
        take("picked")
        if "phone" not in dress:
            _dialogs(watched, take)
        page.goto(f"{LIST}?q=zahra&state=expired")
        take("empty")
        print("clients", dress, watched.faults)
        watched.context.close()


def _dialogs(watched: Watched, take: Any) -> None:
    page = watched.page
    page.click("[name=act][value=disable]")
    page.wait_for_selector("dialog[open] [name=note]")
    take("ask")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open] .keys")
    take("keys")
    page.keyboard.press("Escape")
    page.click(".chips a[href*='/filter/plan/']")
    page.wait_for_selector("dialog[open] .pickrow")
    take("choose")
    page.keyboard.press("Escape")
    page.click("a[href*='/columns/']")
    page.wait_for_selector("dialog[open] .opt")
    take("columns")
    page.keyboard.press("Escape")


def _sell() -> None:
    """Plans, ends, tags and usage for the clients of the ordinary day."""
    chance, now = Random(2), timezone.now()
    tenant = Tenant.objects.get(slug="default")
    make_user("leila", tenant=tenant)
    sizes = (("Basic 20", 20), ("Gamer 50", 50), ("Shop 200", 200))
    plans = [make_plan(tenant, name=name, total_bytes=size * 10**9) for name, size in sizes]
    for client in Client.objects.filter(tenant=tenant):
        client.plan = chance.choice(plans)
        client.quota_bytes = client.plan.total_bytes or 0
        client.expires_at = now + timedelta(days=chance.uniform(-3, 40))
        client.tags = chance.sample(["vip", "shop", "shiraz"], chance.randrange(3))
        client.first_connected_at = now
        client.created_at = now - timedelta(days=20)
        client.save()
        share = chance.choice([0.1, 0.4, 0.62, 0.95, 1.0])
        Usage.objects.create(
            client=client, tenant=tenant, billed_down=int(client.quota_bytes * share)
        )
