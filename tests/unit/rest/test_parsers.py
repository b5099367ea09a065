"""Bodies that two readers could understand in two ways are refused."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.exceptions import ParseError, UnsupportedMediaType

from rest.parsers import StrictJSONParser, TooLarge


def read(raw: bytes, media_type: str = "application/json") -> Any:
    return StrictJSONParser().parse(io.BytesIO(raw), media_type, {})


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        ('"نام 😀"'.encode(), "نام 😀"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"[]", []),
    ],
)
def test_good_json_is_read(raw: bytes, value: Any) -> None:
    assert read(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 2}',
        b'{"b": [{"a": 1, "a": 1}]}',
        b"NaN",
        b'{"a": Infinity}',
        b"[-Infinity]",
        b"1e999",
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'["a\\u0000b"]',
        b'{"a\\u0000": 1}',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"{",
        b"",
        b"{} {}",
        b"{'a': 1}",
        b"[" * 100_000,
        b"1" * 5_000,
    ],
)
def test_bad_json_is_a_400(raw: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        read(raw)
    assert len(str(caught.value.detail)) < 150


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
def test_utf8_may_be_named(charset: str) -> None:
    assert read(b"{}", f"application/json; charset={charset}") == {}


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "latin-1"])
def test_another_charset_is_a_415(charset: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        read(b"{}", f"application/json; charset={charset}")


def test_a_body_over_the_limit_is_a_413(settings: LazySettings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert read(b'"12345678"') == "12345678"
    with pytest.raises(TooLarge):
        read(b'"123456789"')
