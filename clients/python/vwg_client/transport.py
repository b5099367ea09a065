"""Sending one request until it is answered: time-outs, retries and what may be sent twice.

Every POST carries an Idempotency-Key, made here unless the caller has one, so that it can be sent
again after a time-out and still happens once.
"""

from __future__ import annotations

import json
import random
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlencode
from uuid import uuid4

from vwg_client.errors import Unreachable, problem_of

#: Answers after which the same request may do better.
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_BUSY: Final = "idempotency-in-progress"
#: After so many looks at a request that still runs, the pauses grow no more.
_STEADY: Final = 5
_LONGEST_PAUSE: Final = 60.0
_VISIBLE: Final = re.compile(r"[!-~]+", re.ASCII)


class Answer(NamedTuple):
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Sender(Protocol):
    """How a request leaves this process. Raises OSError when there is no answer."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, timeout: float
    ) -> Answer: ...


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token to another place."""

    def redirect_request(self, *_: Any) -> None:
        return None


def send(
    method: str, url: str, headers: Mapping[str, str], data: bytes | None, timeout: float
) -> Answer:
    """One request by urllib. Raises OSError when there is no answer."""
    request = urllib.request.Request(url, data, dict(headers), method=method)  # noqa: S310
    try:
        try:
            response = _OPENER.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            return Answer(response.status, dict(response.headers), response.read())
    except HTTPException as error:  # half an answer is none
        raise ConnectionError(f"{type(error).__name__}: {error}") from error


_OPENER: Final = urllib.request.build_opener(_NoRedirect)


@dataclass
class Transport:
    """Where to send, as whom, and how patiently.

    ``timeout`` seconds for one answer, ``attempts`` for one request. While an earlier try with the
    same key still runs, it waits ``busy_for`` seconds: longer than the portal holds the key of one
    that cannot end any more (60 s).
    """

    url: str
    token: str = field(repr=False)
    tenant: str | None = None
    timeout: float = 30.0
    attempts: int = 5
    busy_for: float = 75.0
    sender: Sender = send
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("the URL begins with https:// (or http:// on this machine)")
        self.url = self.url.rstrip("/")
        self.token = _visible("token", self.token)
        if self.tenant is not None:
            self.tenant = _visible("tenant", self.tenant)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        wait: int | None = None,
        accept: str = "application/json",
        content: tuple[str, bytes] | None = None,
    ) -> Answer:
        """Send until it is answered. Raises `Problem` for a refusal, `Unreachable` for silence.

        ``if_match`` is the ETag of what was read. ``wait`` seconds for the change to be live.
        ``content`` is a media type and a body that is no JSON.
        """
        headers = {"Accept": accept, "Authorization": f"Bearer {self.token}"}
        if self.tenant is not None:
            headers["X-VWG-Tenant"] = self.tenant
        if if_match is not None:
            headers["If-Match"] = if_match
        if wait:
            headers["Prefer"] = f"wait={wait}"
        key = None
        if method == "POST":
            key = str(uuid4()) if idempotency_key is None else idempotency_key
            key = headers["Idempotency-Key"] = _visible("idempotency_key", key)
        data = None
        if content is not None:
            headers["Content-Type"], data = content
        elif body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        url = f"{self.url}/api/v1{path}{_asked(query)}"
        return self._insist((method, url, headers, data, self.timeout + (wait or 0)), key)

    def _insist(self, request: Any, key: str | None) -> Answer:
        what = f"{request[0]} {request[1]}"
        # After a lost answer If-Match would refuse the version that the first try made.
        once = request[0] == "PATCH" and "If-Match" in request[2]
        attempt, busy, waited, unclear = 0, 0, 0.0, False
        while True:
            attempt += 1
            try:
                answer = self.sender(*request)
            except OSError as error:
                unclear = True
                if once or attempt >= self.attempts:
                    reason = f"{what}: no answer ({error})"
                    raise Unreachable(reason, idempotency_key=key) from error
                self.sleep(_pause(attempt, None))
                continue
            if 200 <= answer.status < 300:
                return answer
            if request[0] == "DELETE" and answer.status == 404 and unclear:
                return Answer(204, {}, b"")  # an earlier try did it, and its answer was lost
            # A proxy that gave up, a commit that was not confirmed: it may be done all the same.
            unclear = unclear or answer.status >= 500
            after = _seconds(answer.headers)
            if _is_busy(answer):
                if waited >= self.busy_for:
                    raise Unreachable(f"{what}: an earlier try still runs", idempotency_key=key)
                attempt, busy = attempt - 1, busy + 1
                pause = max(_pause(min(busy, _STEADY), None), min(after or 0.0, _LONGEST_PAUSE))
                waited += pause
            else:
                if attempt >= self.attempts or not _may_do_better(answer, once):
                    raise problem_of(answer.status, answer.data, answer.headers, after, key)
                pause = _pause(attempt, after)
            self.sleep(pause)


def _visible(name: str, text: str) -> str:
    """A header's value without the newline of the file it was read from. Never quoted: it may be
    the token.
    """
    found = text.strip()
    if not _VISIBLE.fullmatch(found):
        raise ValueError(f"the {name} must be of visible ASCII characters, at least one")
    return found


def _is_busy(answer: Answer) -> bool:
    """Whether an earlier try with the same key still runs."""
    return answer.status == 409 and _BUSY.encode() in answer.data


def _may_do_better(answer: Answer, once: bool) -> bool:
    if once:
        return answer.status in (429, 503)  # refused before anything was done
    return answer.status in _AGAIN and b"/not-applied" not in answer.data


def _seconds(headers: Mapping[str, str]) -> float | None:
    for name, value in headers.items():
        if name.lower() == "retry-after" and value.isdigit():
            return float(value)
    return None


def _pause(attempt: int, after: float | None) -> float:
    """0.2 s, doubled with each try, and half of it by chance; or what the server asked for."""
    if after is not None:
        return min(after, _LONGEST_PAUSE)
    return 0.2 * float(2 ** (attempt - 1)) * (0.5 + random.random() / 2)  # noqa: S311  spreads retries


def _asked(query: Mapping[str, Any] | None) -> str:
    shown = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in (query or {}).items()
        if value is not None
    }
    return f"?{urlencode(shown)}" if shown else ""
