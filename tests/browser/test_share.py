"""The customers' page in a real browser: without script, on a phone, and with a key made in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.sync_api import Browser, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from peers.models import Peer, ShareLink
from tests.browser.chromium import Watched
from tests.browser.shared import Shared, shared_links

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture(autouse=True)
def filler_by_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    """segno puts a byte of zeros before the filler where none belongs (7.4.10); readers skip it."""

    def write(bits: Any, version: int, length: int) -> None:
        bits.extend([0] * (-length % 8))

    monkeypatch.setattr("segno.encoder.write_padding_bits", write)


@pytest.fixture
def links(live_server: LiveServer) -> Shared:
    return shared_links()


@pytest.fixture
def customer(chrome: Browser, live_server: LiveServer) -> Iterator[Watched]:
    """A customer's browser, that ends without console error, CSP fault, request out."""
    watched = Watched(chrome, live_server.url)
    yield watched
    watched.context.close()
    assert watched.faults == []


def test_without_script_the_button_shows_file_and_code(
    chrome: Browser, live_server: LiveServer, links: Shared
) -> None:
    watched = Watched(chrome, live_server.url, java_script_enabled=False)
    page = watched.page
    page.goto(links.used)
    expect(page.locator("h1")).to_have_text("Your connection is on.")
    expect(page.locator(".qr")).to_have_count(0)
    page.click("aside .btn-main")
    expect(page.locator(".conf")).to_contain_text("PrivateKey = ")
    expect(page.locator(".qr img")).to_be_visible()
    with page.expect_download() as download:
        page.click("aside .btn-main")
    assert download.value.suggested_filename == "sara-moradi.conf"
    watched.context.close()
    assert watched.faults == []


def test_a_link_for_one_use_is_downloaded_from_its_only_page(
    customer: Watched, links: Shared
) -> None:
    page = customer.page
    page.goto(links.once)
    page.click("aside .btn-main")
    with page.expect_download() as download:
        page.click("aside .btn-main")
    assert download.value.suggested_filename == "omid-laptop.conf"
    assert download.value.path().read_text() == page.locator(".conf").text_content()
    gone = customer.context.request.get(links.once)
    assert gone.status == 404


@pytest.mark.parametrize("dress", [{}, {"color_scheme": "dark"}, PHONE, {"locale": "fa-IR"}])
@pytest.mark.parametrize("kind", ["used", "outdated", "keyless"])
def test_nothing_is_cut_off_and_the_accent_is_the_sellers(
    kind: str, dress: dict[str, Any], chrome: Browser, live_server: LiveServer, links: Shared
) -> None:
    watched = Watched(chrome, live_server.url, **dress)
    page = watched.page
    page.goto(getattr(links, kind))
    cut = page.locator("html").evaluate("box => box.scrollWidth - box.clientWidth")
    assert cut <= 0
    accent = page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--accent')"
    )
    assert accent.strip() == ("#f0a074" if "color_scheme" in dress else "#8a3b12")
    rtl = page.locator("html").get_attribute("dir")
    assert rtl == ("rtl" if "locale" in dress else "ltr")
    watched.context.close()
    assert watched.faults == []


def test_the_key_is_made_here_and_only_its_public_half_is_sent(
    customer: Watched, links: Shared
) -> None:
    page, sent = customer.page, list[str]()

    def note(request: Request) -> None:
        sent.append(f"{request.method} {request.url} {request.post_data or ''}")

    page.on("request", note)
    page.goto(links.keyless)
    page.click("#make-key")
    text = page.locator("#key .conf").text_content() or ""
    private = _value(text, "PrivateKey")
    key = X25519PrivateKey.from_private_bytes(base64.b64decode(private)).public_key()
    public = base64.b64encode(key.public_bytes_raw()).decode()
    peer = Peer.objects.get(client__name="Leila")
    assert (peer.public_key, peer.awaits_key) == (public, False)
    posted = [line for line in sent if line.startswith("POST")]
    assert len(posted) == 1
    assert private not in " ".join(sent)
    assert base64.urlsafe_b64encode(base64.b64decode(private)).decode() not in " ".join(sent)
    assert ShareLink.objects.get(peer=peer).uses == 1
    assert _drawn(page) == _expected(text)
    with page.expect_download() as download:
        page.click("#key a.btn-main")
    assert download.value.suggested_filename == "leila.conf"
    assert download.value.path().read_text() == text


def test_a_browser_that_cannot_make_keys_says_so_and_takes_a_pasted_one(
    customer: Watched, links: Shared
) -> None:
    page = customer.page
    page.add_init_script(
        "SubtleCrypto.prototype.generateKey = () => Promise.reject(new Error('unsupported'))"
    )
    page.goto(links.keyless)
    page.click("#make-key")
    expect(page.locator("#key-trouble")).to_contain_text("paste a key")
    key = base64.b64encode(X25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    page.click("details summary")
    page.fill("[name=public_key]", key)
    page.click("details button")
    expect(page.locator(".conf")).to_contain_text("# PrivateKey = ")
    assert Peer.objects.get(client__name="Leila").public_key == key


def test_an_answer_that_got_lost_is_asked_for_again_with_the_same_key(
    customer: Watched, links: Shared
) -> None:
    page, failed = customer.page, list[int]()

    def lose(route: Any) -> None:
        if failed:
            route.continue_()
            return
        failed.append(1)
        route.fetch()  # the server hears it
        route.abort()  # and the page does not hear the answer

    page.route("**/key", lose)
    page.goto(links.keyless)
    page.click("#make-key")
    expect(page.locator("#key-trouble")).to_contain_text("Try again")
    page.click("#make-key")
    expect(page.locator("#key .conf")).to_contain_text("PrivateKey = ")
    customer.faults.clear()  # the lost answer


def test_codes_are_the_servers_module_by_module(customer: Watched, links: Shared) -> None:
    """Every version (1 to 40) full, and some with filler."""
    page = customer.page
    page.goto(links.keyless)
    lengths = [*_CAPACITY, 1, 15, 16, 133, 153, 155, 229, 270, 272, 585, 2952]
    texts = [("Ab1=/+\n[].:,# " * 220)[:length] for length in lengths]
    drawn = page.evaluate("texts => texts.map(text => vwgQr.matrix(text).map(r => [...r]))", texts)
    for text, found in zip(texts, drawn, strict=True):
        assert found == _expected(text), len(text)
    for bad in ("é", "a" * 2954):
        assert page.evaluate(
            "text => { try { vwgQr.matrix(text); return false } catch { return true } }", bad
        )


#: Bytes that fit into each version at level L (ISO/IEC 18004, table 7).
_CAPACITY = (
    17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858,
    929, 1003, 1091, 1171, 1273, 1367, 1465, 1528, 1628, 1732, 1840, 1952, 2068, 2188, 2303, 2431,
    2563, 2699, 2809, 2953,
)  # fmt: skip


def _expected(text: str) -> list[list[int]]:
    code = segno.make_qr(text, error="l", mask=2, boost_error=False, mode="byte")
    return [[int(module) for module in row] for row in code.matrix]


def _drawn(page: Page) -> list[list[int]]:
    """The modules of the picture, read from its path."""
    side, path = page.locator("#key .qr svg").evaluate(
        "svg => [svg.viewBox.baseVal.width, svg.querySelector('path').getAttribute('d')]"
    )
    count = int(side) - 8
    rows = [[0] * count for _ in range(count)]
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        for step in range(int(run)):
            rows[int(y) - 4][int(x) - 4 + step] = 1
    return rows


def _value(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{name} = ")).split(" = ")[1]
