"""What is wrong with an answer, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

from tests.integration.safety.hostile import ATTRIBUTE, ELEMENT

#: Attributes whose value is an address.
_ADDRESSES: Final = {
    "href", "src", "action", "formaction", "data", "poster", "cite", "background", "srcset",
    "hx-get", "hx-post", "hx-put", "hx-delete", "hx-patch", "hx-push-url", "data-poll", "ping",
    "xlink:href",
}  # fmt: skip
#: Elements that load what their address names.
_LOADING: Final = {"script", "img", "link", "iframe", "object", "embed", "source", "use", "image"}
_SCHEMES: Final = {"", "http", "https", "mailto", "tel", "otpauth"}
_FILE_NAME: Final = re.compile(
    r'(attachment|inline); filename="[\w.\-]+"(; filename\*=UTF-8\'\'[\w.%\-]+)?'
)


class _Reader(HTMLParser):
    """Notes every element and attribute that could run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        here = f"<{tag}> at line {self.getpos()[0]}"
        given = dict(attrs)
        if tag == ELEMENT:
            self.faults.append(f"a stored text became an element: {here}")
        inline = tag == "style" or (tag == "script" and not given.get("src"))
        if inline and given.get("type") != "application/json":
            self.faults.append(f"inline {tag}: {here}")
        self._script = tag == "script" and bool(given.get("src"))
        for name, value in attrs:
            self._judge(tag, name, value or "", here)

    def _judge(self, tag: str, name: str, value: str, here: str) -> None:
        if name.startswith("on") or name == ATTRIBUTE:
            self.faults.append(f"{name}={value!r}: {here}")
        if name == "style" or name.startswith("hx-on"):
            self.faults.append(f"inline {name}: {here}")
        if name in _ADDRESSES:
            address = re.sub(r"[\x00-\x20]", "", value)
            parts = urlsplit(address)
            if parts.scheme.lower() not in _SCHEMES and not (
                tag in ("img", "a") and address.startswith("data:")
            ):
                self.faults.append(f"{name}={value!r}: {here}")
            if parts.netloc and tag in _LOADING | {"form"}:
                self.faults.append(f"leads to another host, {name}={value!r}: {here}")

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.faults.append(f"a script with a body at line {self.getpos()[0]}")

    def handle_endtag(self, tag: str) -> None:
        self._script = False


def in_markup(text: str) -> list[str]:
    """Script and style that stand in a page, or that a stored text brought there."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.faults


def in_headers(answer: Any, *, framed: bool = False) -> list[str]:
    """What every answer says, whatever it is; ``framed``: a page of ours may show it in itself."""
    return list(_in_headers(answer, framed))


def _in_headers(answer: Any, framed: bool) -> Iterator[str]:
    policy = answer.get("Content-Security-Policy", "")
    rules = {part.split()[0]: part.split()[1:] for part in policy.split(";") if part.split()}
    for name, wanted in (
        ("default-src", ["'self'"]), ("object-src", ["'none'"]), ("base-uri", ["'none'"]),
        ("frame-ancestors", ["'self'"] if framed else ["'none'"]),
    ):  # fmt: skip
        if rules.get(name) != wanted:
            yield f"CSP: {name} {rules.get(name)}"
    if "unsafe" in policy or "*" in policy:
        yield f"CSP: {policy}"
    framing = "SAMEORIGIN" if framed else "DENY"
    for name, wanted_text in (("X-Frame-Options", framing), ("X-Content-Type-Options", "nosniff")):
        if answer.get(name) != wanted_text:
            yield f"{name}: {answer.get(name)}"
    if answer.get("Referrer-Policy") not in ("same-origin", "no-referrer"):
        yield f"Referrer-Policy: {answer.get('Referrer-Policy')}"
    disposition = answer.get("Content-Disposition")
    if disposition and not _FILE_NAME.fullmatch(disposition):
        yield f"Content-Disposition: {disposition}"


def is_page(answer: Any) -> bool:
    """Whether a browser reads it as HTML."""
    kind = answer.get("Content-Type", "")
    return "html" in kind or "xml" in kind or (bool(answer.get("Content-Length")) and not kind)


def body_of(answer: Any) -> bytes:
    """The whole answer."""
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)
