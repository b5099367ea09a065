"""Strict JSON bodies: what two readers could understand in two ways is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, Final

from django.conf import settings
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import JSONParser

_UTF8: Final = frozenset({"", "utf-8", "utf8"})


class TooLarge(APIException):
    """The body has more bytes than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class StrictJSONParser(JSONParser):
    """``application/json`` in UTF-8 (RFC 8259, with the advice of RFC 7493 made law).

    Refused with 400: duplicate keys, NaN and infinities, numbers too large for a float, lone
    surrogates, NUL characters, nesting beyond Python's depth. Another charset is 415, a body over
    the limit 413.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        charset = parse_header_parameters(media_type or "")[1].get("charset", "")
        request = (parser_context or {}).get("request")
        encoding = request.headers.get("Content-Encoding", "identity") if request else "identity"
        if charset.lower() not in _UTF8 or encoding.lower() != "identity":
            raise UnsupportedMediaType(media_type or "", "JSON is sent in UTF-8, uncompressed.")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLarge
        try:
            return parse(raw)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON that can be used: {_reason(error)}.") from None


def parse(raw: bytes) -> Any:
    """The value of one JSON text. Raises ValueError or RecursionError."""
    value = json.loads(
        raw.decode("utf-8"),
        object_pairs_hook=_object,
        parse_constant=_refuse_constant,
        parse_float=_finite,
    )
    _check_texts(value)
    return value


class _Refused(ValueError):
    """A text of our own, which may be shown."""


def _reason(error: Exception) -> str:
    if isinstance(error, _Refused):
        return str(error)
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower()}, line {error.lineno} column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("a key occurs twice in one object")
    return found


def _refuse_constant(name: str) -> Any:
    raise _Refused(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused("a number is too large")
    return number


def _check_texts(value: Any) -> None:
    """Walk without recursion; refuse what no database text can hold."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            if "\0" in found:
                raise _Refused("a text holds a NUL character")
            if not found.isascii() and any("\ud800" <= char <= "\udfff" for char in found):
                raise _Refused("a text holds half of a surrogate pair")
        elif isinstance(found, dict):
            waiting.extend(found)
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
