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
    """What may be said of any write beside its fields."""

    idempotency_key: str | None
    if_match: int | None
    wait: int | None


def options_of(fields: dict[str, Any]) -> dict[str, Any]:
    """Take the options out of the keywords of a call; what is left are fields of the body."""
    return {name: fields.pop(name) for name in Options.__annotations__ if name in fields}


def one(*parts: str) -> str:
    """A path of these parts, each quoted."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def client_path(ref: str, *parts: str) -> str:
    """The path of a client, by its id or by the shop's own."""
    if isinstance(ref, External):
        return one("clients", "by-external-id", ref, *parts)
    return one("clients", ref, *parts)


class Group:
    """Calls that share a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return json.loads(self._transport.call("GET", path, query=query).data)

    def _post(self, path: str, fields: Mapping[str, Any] | None = None, **query: Any) -> Any:
        return self._write("POST", path, dict(fields or {}), query)

    def _patch(self, path: str, fields: Mapping[str, Any], **query: Any) -> Any:
        return self._write("PATCH", path, dict(fields), query)

    def _write(self, method: str, path: str, fields: dict[str, Any], query: dict[str, Any]) -> Any:
        options = options_of(fields)
        answer = self._transport.call(method, path, fields, query=query, **options)
        return json.loads(answer.data) if answer.data else None

    def _delete(self, path: str, **options: Any) -> Any:
        """None, or the job where the call waited for it."""
        data = self._transport.call("DELETE", path, **options).data
        return json.loads(data) if data and options.get("wait") else None

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
