"""One Chromium for tests and screenshots: offline, and it notes what should not happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

PASSWORD = "correct horse battery"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


#: The browser that runs, if one does: Playwright has one event loop in a thread.
_running: list[Browser] = []


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium: the one that runs already, else one for as long as it is asked.

    A file of tests that follows ``tests/browser`` in the same process finds that one running.
    """
    if _running:
        yield _running[-1]
        return
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        _running.append(browser)
        try:
            yield browser
        finally:
            _running.remove(browser)
            browser.close()


class Watched:
    """A page that remembers console errors, CSP violations and requests to other hosts."""

    def __init__(self, browser: Browser, base: str, **options: Any) -> None:
        self.context = browser.new_context(base_url=base, reduced_motion="reduce", **options)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.base = base
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._request)

    def sign_in(self, name: str, path: str = "/status/") -> Page:
        """Through the door, as a person would."""
        self.page.goto(path)
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("button.btn-main")
        self.page.wait_for_url(f"**{path}")
        return self.page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith((self.base, "data:")):
            self.faults.append(f"request: {request.url}")
