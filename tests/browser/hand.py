"""A person at a browser: clicks, fields and keys are counted; the screen is looked at."""

from __future__ import annotations

from io import BytesIO

import zxingcpp
from PIL import Image
from playwright.sync_api import Page

#: What has the focus, if a person can see that it has: its outline, or the mark of the row.
_FOCUS = """() => {
  const at = document.activeElement;
  const row = document.querySelector("dialog[open]") ? null : document.querySelector("tr.cur");
  const shown = at === document.body ? row : at;
  if (!shown) return "nothing has the focus";
  const box = shown.getBoundingClientRect(), style = getComputedStyle(shown);
  const name = `${shown.tagName.toLowerCase()} ${shown.textContent.trim().slice(0, 30)}`;
  if (!box.width || box.bottom < 0 || box.top > innerHeight) return `${name} is out of sight`;
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  return ring || shown === row || style.boxShadow !== "none" ? "" : `${name} does not show it`;
}"""


class Hand:
    """Clicks, fields and keys of one person on one page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.fields = self.keys = 0

    def click(self, selector: str) -> None:
        self.clicks += 1
        self.page.click(selector)

    def fill(self, selector: str, text: str) -> None:
        self.fields += 1
        self.page.fill(selector, text)

    def press(self, *keys: str) -> None:
        """Keys, after each of which the focus must be seen."""
        for key in keys:
            self.keys += 1
            self.page.keyboard.press(key)
        self.look_for_focus()

    def type(self, text: str) -> None:
        """Into what has the focus."""
        self.keys += len(text)
        self.page.keyboard.type(text)
        self.look_for_focus()

    def tab_to(self, wanted: str, *, most: int = 60) -> None:
        """Tab until what is so called, or says so, has the focus; it is seen at every step."""
        for _ in range(most):
            name, text = self.page.evaluate(
                "[document.activeElement.name, document.activeElement.textContent.trim()]"
            )
            if name == wanted or text.startswith(wanted):
                return
            self.press("Tab")
        raise AssertionError(f"{most} times Tab do not lead to {wanted}")

    def look_for_focus(self) -> None:
        fault = self.page.evaluate(_FOCUS)
        assert not fault, fault


def scanned(page: Page) -> str:
    """The QR code on the screen, as a phone's camera reads it."""
    page.locator(".qr img").scroll_into_view_if_needed()
    picture = Image.open(BytesIO(page.screenshot()))
    [code] = zxingcpp.read_barcodes(picture)
    return str(code.text)


def watch(page: Page, selector: str, words: str) -> None:
    """From now on the page itself notes when it first shows these words (`seen_at`)."""
    page.evaluate(
        """([selector, words]) => {
          window.seen = new Promise(done => {
            const look = () => {
              const box = document.querySelector(selector);
              if (box && box.textContent.includes(words)) done(Date.now() / 1000);
            };
            new MutationObserver(look).observe(
              document.body, {subtree: true, childList: true, characterData: true});
          });
        }""",
        [selector, words],
    )


def seen_at(page: Page) -> float:
    """When it showed them, in Unix seconds. The page was not loaded anew meanwhile."""
    return float(page.evaluate("window.seen"))
