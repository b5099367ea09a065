"""What every group of calls is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict
from urllib.parse import parse_qs, quote, urlsplit

from vwg_client.transport import Answer, Transport


class External(str):
    """The shop's own id of a client, wherever a client is named: ``External("order-4711")``."""

    __slots__ = ()


class Options(TypedDict, total=False):
    """What may be said of any write beside its fields.

    ``if_match``: what was read by itself (or its ETag); only if it is still that.
    """

    idempotency_key: str | None
    if_match: Mapping[str, Any] | str | None
    wait: int | None


class Read(dict[str, Any]):
    """A body that an answer had, with the ETag that came with it."""

    etag: str | None = None


def options_of(fields: dict[str, Any]) -> dict[str, Any]:
    """Take the options out of the keywords of a call; what is left are fields of the body."""
    options = {name: fields.pop(name) for name in Options.__annotations__ if name in fields}
    if options.get("if_match") is not None:
        options["if_match"] = etag_of(options["if_match"])
    return options


def etag_of(read: Mapping[str, Any] | str) -> str:
    """The ETag of what was read. Raises ValueError for what has none, as rows of a list."""
    found = read if isinstance(read, str) else getattr(read, "etag", None)
    if found is None:
        raise ValueError("this came without an ETag: read it by itself, and give that")
    return found


def body_of(answer: Answer) -> Any:
    """What an answer says; None where it says nothing."""
    body = json.loads(answer.data) if answer.data else None
    if not isinstance(body, dict):
        return body
    read = Read(body)
    read.etag = next(
        (text for name, text in answer.headers.items() if name.lower() == "etag"), None
    )
    return read


def one(*parts: str) -> str:
    """A path of these parts, each quoted."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def client_path(ref: str, *parts: str) -> str:
    """The path of a client, by its id or by the shop's own."""
    if isinstance(ref, External):
        return one("clients", "by-external-id", ref, *parts)
    return one("clients", ref, *parts)


class Span(TypedDict, total=False):
    """What a series is asked for: 24 hours unless said. Times with their offset, or days of the
    time zone ("2026-01-31"), which is the tenant's unless named.
    """

    by: str
    since: str
    until: str
    timezone: str


class Stretch(TypedDict, total=False):
    """A month ("2026-01"), or from when to when: times with their offset, or days."""

    month: str
    since: str
    until: str


def span_query(span: Mapping[str, Any]) -> dict[str, Any]:
    """The query of such a time; ``from`` is a word of Python's own."""
    names = {"since": "from", "until": "to"}
    return {names.get(name, name): value for name, value in span.items()}


class Group:
    """Calls that share a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return body_of(self._transport.call("GET", path, query=query))

    def _post(self, path: str, fields: Mapping[str, Any] | None = None, **query: Any) -> Any:
        return self._write("POST", path, dict(fields or {}), query)

    def _patch(self, path: str, fields: Mapping[str, Any], **query: Any) -> Any:
        return self._write("PATCH", path, dict(fields), query)

    def _write(self, method: str, path: str, fields: dict[str, Any], query: dict[str, Any]) -> Any:
        options = options_of(fields)
        return body_of(self._transport.call(method, path, fields, query=query, **options))

    def _delete(self, path: str, **options: Any) -> Any:
        """None, or the job where the call waited for it."""
        wait = options.get("wait")
        answer = self._transport.call("DELETE", path, **options_of(options))
        return body_of(answer) if wait else None

    def _raw(self, path: str, accept: str, query: Mapping[str, Any] | None = None) -> Answer:
        return self._transport.call("GET", path, query=query, accept=accept)

    def _pages(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """Every row of a list, page by page, each page when it is needed."""
        asked = {"limit": 200, **query}
        while True:
            page = self._get(path, asked)
            yield from page["results"]
            if page["next"] is None:
                return
            asked["cursor"] = parse_qs(urlsplit(page["next"]).query)["cursor"][0]
