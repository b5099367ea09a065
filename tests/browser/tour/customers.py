"""What a customer opens: the link that the reseller sent."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

from tests.browser.tour.shots import NOBODY, page


def _file(at: Page) -> None:
    at.click("aside .btn-main")
    at.wait_for_selector(".qr img")


def _key(at: Page) -> None:
    at.click("details summary")
    at.click("#make-key")
    at.wait_for_selector("#key .qr svg")


SHARE: Final = (
    page("share", "In the reseller's name and colour: whether it works, what is left, what to do.",
         "share", "{used}", who=NOBODY),
    page("share-file", "The QR code and the file, when they are asked for.", "share", "{used}",
         who=NOBODY, steps=_file),
    page("share-off", "Why it does not work, and whom to ask.", "share", "{paused}", who=NOBODY),
    page("share-once", "A link for one use warns before it is used.", "share", "{once}",
         who=NOBODY),
    page("share-outdated", "The file on the phone is an old one.", "share", "{outdated}",
         who=NOBODY),
    page("share-key", "The key is made in the browser and never leaves it.", "share", "{keyless}",
         who=NOBODY, steps=_key),
    page("share-gone", "A link that is none.", "share", "/s/nobody-made-this-one", who=NOBODY,
         expects="404"),
)  # fmt: skip
