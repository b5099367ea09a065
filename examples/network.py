"""vwg's API on a network that loses requests and answers: ask until there is an answer."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

#: How often a request is hung up on before its answer, or given next to no time.
HANG_UP, NO_TIME = 0.12, 0.08
TIMEOUT_S: Final = 30.0
GIVE_UP_S: Final = 180.0


class Refused(Exception):
    """An answer of 400 or more that asking again does not mend."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Silence(Exception):
    """There was no answer, and the request must not be sent again as it is."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    tag: str
    again: str | None
    content: bytes


@dataclass
class Figures:
    """What happened on the network."""

    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


class Api:
    """One portal, one token, any number of threads; each request on a connection of its own."""

    def __init__(
        self, url: str, token: str, figures: Figures, *, calm: bool = False, keyed: bool = True
    ) -> None:
        self._parts = urlsplit(url)
        self._token = token
        self._figures = figures
        self._calm = calm
        self._keyed = keyed
        self._dice = random.Random()  # noqa: S311  chance, not a secret

    def call(self, method: str, path: str, body: object = None, if_match: str = "") -> Any:
        """What the answer says. Raises Refused; with ``if_match``, an ETag, also Silence."""
        return json.loads(self._insist(method, path, body, if_match=if_match).content or b"null")

    def read(self, path: str) -> tuple[Any, str]:
        """A thing, and the ETag to send as ``if_match`` with what is decided about it."""
        answer = self._insist("GET", path)
        return json.loads(answer.content), answer.tag

    def file(self, path: str, accept: str) -> bytes:
        """A file of this media type."""
        return self._insist("GET", path, accept=accept).content

    def pages(self, path: str) -> Iterator[Any]:
        """Every row of a list."""
        page = path
        while True:
            found = self.call("GET", page)
            yield from found["results"]
            if found["next"] is None:
                return
            page = f"{path.partition('?')[0]}?{urlsplit(found['next']).query}"

    def note(self, what: str) -> None:
        """Count something that happened."""
        self._figures.note(what)

    def _insist(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        accept: str = "application/json",
        if_match: str = "",
    ) -> Answer:
        """Send until there is an answer; with ``if_match`` once, and then Silence."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": accept}
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body)
        if method == "POST" and self._keyed:
            headers["Idempotency-Key"] = str(uuid4())
        if if_match:
            headers["If-Match"] = if_match
        end = time.monotonic() + GIVE_UP_S
        for attempt in range(1, 1000):
            if time.monotonic() > end:
                raise Refused(f"{method} {path}: no answer in {GIVE_UP_S:.0f} s")
            self.note("requests" if attempt == 1 else "sent again")
            try:
                answer = self._once(method, path, headers, data)
            except (OSError, HTTPException):
                self.note("without an answer")
                if if_match:
                    raise Silence from None
                time.sleep(self._dice.uniform(0.0, 0.1) * min(attempt, 10))
                continue
            if answer.status < 400:
                return answer
            if answer.again is None and answer.status < 500:
                text = f"{method} {path}: {answer.status} {answer.content.decode()}"
                raise Refused(text, answer.status)
            self.note(f"told to wait ({answer.status})")
            time.sleep(min(float(answer.again or 0.5), 30.0))
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, headers: dict[str, str], data: str | None) -> Answer:
        """One request, and perhaps an accident."""
        accident = 1.0 if self._calm else self._dice.random()
        timeout = TIMEOUT_S
        if HANG_UP <= accident < HANG_UP + NO_TIME:
            timeout = self._dice.uniform(0.001, 0.05)
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(str(self._parts.netloc), timeout=timeout)
        try:
            connection.request(method, f"/api/v1{path}", data, headers)
            if accident < HANG_UP:
                time.sleep(self._dice.uniform(0.0, 0.02))
                raise ConnectionAbortedError("hung up before the answer")
            found: HTTPResponse = connection.getresponse()
            if found.headers.get("Idempotency-Replayed"):
                self.note("answered again")
            said = found.headers
            tag, again = said.get("ETag", ""), said.get("Retry-After")
            return Answer(found.status, tag, again, found.read())
        finally:
            connection.close()
