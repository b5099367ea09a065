"""Pictures of the tour's pages, in four looks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

from django.core.cache import cache
from django.db import connection
from django.db.models import DateTimeField, Value
from playwright.sync_api import Browser, Page

from gateways import schedule
from portal.system import host
from tenants.models import Tenant
from tests.browser.chromium import PASSWORD, Watched
from tests.browser.tour.door import GUARDED
from tests.browser.tour.fate import NOW, Chance
from tests.browser.tour.shots import Shot
from tests.browser.tour.world import SECRET
from tests.integration.pages.account.conftest import code_of

DESK: Final = {"width": 1280, "height": 800}
#: Nobody scrolls further in a picture.
MOST: Final = 2400
PHONE: Final = {"width": 390, "height": 844}
AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36"
LOOKS: Final[Mapping[str, dict[str, Any]]] = {
    "light": {"viewport": DESK, "locale": "en-GB"},
    "dark": {"viewport": DESK, "locale": "en-GB", "color_scheme": "dark"},
    "fa": {"viewport": DESK, "locale": "fa-IR"},
    "phone": {"viewport": PHONE, "has_touch": True, "locale": "en-GB"},
}
#: What the host says of itself, on every machine.
_HOST: Final = host.Host(
    4, (0.42, 0.37, 0.31), 8_330_000_000, 5_120_000_000, 80 * 10**9, 61 * 10**9
)
_VERSIONS: Final = [
    ("Python", "3.11.2"), ("Linux", "6.1.0-28-amd64"), ("PostgreSQL", "15.14"), ("Django", "5.2.8"),
    ("celery", "5.5.3"), ("gunicorn", "23.0.0"),
]  # fmt: skip


#: What stands on a page for the server of the tests, whose port is another each time.
_CALLED: Final = """() => {
  const base = /http:\\/\\/localhost:\\d+/g;
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const said = text => text.replaceAll(base, "https://vwg.example.net");
  while (words.nextNode()) {
    const node = words.currentNode;
    if (node.data.search(base) >= 0) node.data = said(node.data);
  }
  for (const field of document.querySelectorAll("input, textarea")) {
    if (field.type !== "file" && field.value.search(base) >= 0) field.value = said(field.value);
  }
}"""


class Album:
    """Takes pictures into ``out`` and keeps what went wrong."""

    def __init__(
        self, browser: Browser, base: str, out: Path, places: Mapping[str, str], chance: Chance
    ) -> None:
        self.browser, self.base, self.out = browser, base, out
        self.places, self.chance = places, chance
        self.faults: list[str] = []
        self._world = sqlite3.connect(":memory:", check_same_thread=False)
        connection.ensure_connection()
        connection.connection.backup(self._world)

    def take(self, shots: Sequence[Shot], look: str) -> None:
        """All of them in one look, on the world as it was made."""
        self._restore(look)
        open_for: dict[str, Watched] = {}
        for shot in shots:
            if shot.phone and look != "phone":
                continue
            try:
                self._one(shot, look, open_for)
            except Exception as error:  # the others are looked at as well
                self.faults.append(f"{shot.name} {look}: {str(error).splitlines()[0]}")
        for watched in open_for.values():
            watched.context.close()

    def _restore(self, look: str) -> None:
        self._world.backup(connection.connection)
        cache.clear()
        language = "fa" if look == "fa" else "en"
        Tenant.objects.filter(slug="kestrel").update(language=language)

    def _one(self, shot: Shot, look: str, open_for: dict[str, Watched]) -> None:
        self.chance.begin(f"sign-in {shot.who}")
        if not shot.who and shot.who in open_for:
            open_for.pop(shot.who).context.close()
        if shot.who not in open_for:
            open_for[shot.who] = self._opened(shot.who, look)
        watched = open_for[shot.who]
        watched.faults.clear()
        self.chance.begin(shot.name)
        with _trouble(shot.name):
            self._go(watched.page, shot)
        if not shot.cut:
            _unroll(watched.page)
        watched.page.evaluate(_CALLED)
        watched.page.screenshot(path=self.out / f"{shot.name}-{look}.png")
        watched.page.set_viewport_size(LOOKS[look]["viewport"])
        faults = [one for one in watched.faults if not shot.expects or shot.expects not in one]
        wide = watched.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            faults.append(f"{wide} px wider than the screen")
        self.faults += [f"{shot.name} {look}: {one}" for one in faults]

    def _opened(self, who: str, look: str) -> Watched:
        watched = Watched(self.browser, self.base, user_agent=AGENT, **LOOKS[look])
        watched.context.clock.set_fixed_time(NOW)
        watched.page.set_default_timeout(8000)
        if who:
            _sign_in(watched, who)
        return watched

    def _go(self, page: Page, shot: Shot) -> None:
        path = shot.path.format(**self.places)
        page.goto(shot.over.format(**self.places) if shot.over else path)
        if shot.over:
            _open_dialog(page, path)
        if shot.steps is not None:
            shot.steps(page)
        if shot.until:
            page.wait_for_selector(shot.until)
        page.wait_for_load_state("networkidle")


def _sign_in(watched: Watched, who: str) -> None:
    page = watched.page
    page.goto("/account/")
    page.fill("[name=login]", who)
    page.fill("[name=password]", PASSWORD)
    page.click("button.btn-main")
    if who == GUARDED:
        page.fill("[name=code]", code_of(SECRET))
        page.click("button.btn-main")
    page.wait_for_url("**/account/")


def _unroll(page: Page) -> None:
    """A screen as high as the page: the menu beside it goes down with it."""
    size = page.viewport_size or {"width": 0, "height": 0}
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({**size, "height": max(size["height"], min(height, MOST))})


def _open_dialog(page: Page, path: str) -> None:
    """By the link that leads there, if the page shows one."""
    links = page.locator(f"a[href='{path}']")
    seen = [one for one in links.all() if one.is_visible()]
    if seen:
        seen[0].click()
    else:
        page.evaluate("path => htmx.ajax('GET', path, '#dialog')", path)
    page.wait_for_selector("dialog[open] #dialog-title")


def _now() -> Value:
    """What the database says of the time."""
    return Value(NOW, output_field=DateTimeField())


@contextmanager
def _trouble(name: str) -> Iterator[None]:
    """A host that is the same on every machine; for two pictures, things break."""
    told = mock.Mock(return_value=_HOST)
    broken = mock.Mock(side_effect=RuntimeError("the tour breaks this page"))
    with (
        mock.patch.object(host, "host", broken if name == "broken" else told),
        mock.patch.object(host, "versions", return_value=_VERSIONS),
        mock.patch.object(host, "database_bytes", return_value=48_300_000),
        mock.patch.object(schedule, "Now", side_effect=_now),
    ):
        yield
