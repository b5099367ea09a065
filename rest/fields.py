"""Serializer fields and a serializer that refuse what others quietly repair."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

#: Overrides and isolates of direction: they make a text read as another (CVE-2021-42574).
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Control (\x1b, \x85), surrogate, line separator (U+2028), paragraph separator (U+2029).
_CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
#: RFC 3339, 5.6.
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
#: Blank glyphs that Unicode counts as letters or symbols.
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def bad_characters(text: str) -> str | None:
    """Why a text may not be stored and shown, None when it may.

    Zero-width joiners inside a word are right (Persian needs them); a text of nothing visible
    is not.
    """
    if any(char in _BIDI for char in text):
        return "direction overrides are not allowed"
    if any(unicodedata.category(char) in _CONTROLS for char in text):
        return "control characters and line breaks are not allowed"
    if text and not any(_is_visible(char) for char in text):
        return "nothing in it can be seen"
    return None


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNPS" and char not in _BLANK_LETTERS


class PlainText(serializers.CharField):
    """One line of visible text, stored exactly as sent; never a number turned into text.

    ``max_length`` counts characters. Empty is refused unless ``allow_blank``.
    """

    default_error_messages = {
        "not_text": "This must be a text.",
        "characters": "This text cannot be used: {reason}.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str):
            reason = bad_characters(data)
            if reason:
                self.fail("characters", reason=reason)
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        return data


class StrictInteger(serializers.IntegerField):
    """A JSON integer: no true, no 1.0, no "1"."""

    default_error_messages = {"invalid": "This must be an integer."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class StrictBoolean(serializers.BooleanField):
    """true or false: no "yes", no 1."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class StrictUUID(serializers.UUIDField):
    """An id as the API writes it, with its dashes."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid", value=data)
        found: UUID = super().to_internal_value(data)
        return found


class StrictMoment(serializers.DateTimeField):
    """A time as RFC 3339 writes it, with its offset ("2026-01-31T12:00:00Z"), kept in UTC."""

    default_error_messages = {
        "invalid": "This must be a time with its offset, like 2026-01-31T12:00:00Z."
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            self.fail("invalid")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):  # February 30th; an offset that leads out of time
            self.fail("invalid")


class StrictChoice(serializers.ChoiceField):
    """One of the words: not a number that reads like one."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Any]):
    """A JSON object of known fields.

    An unknown field is refused. A read-only field is accepted if its value is the current one (so
    that what was read can be sent back), else refused. Of ``moving`` ones any value is: they are
    others by the time they come back.
    """

    moving: frozenset[str] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        refused = self._refused(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if refused and isinstance(error.detail, dict):
                raise ValidationError({**error.detail, **refused}) from None
            raise
        if refused:
            raise ValidationError(refused)
        return value

    def _refused(self, data: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
        refused: dict[str, list[ErrorDetail]] = {}
        current: Mapping[str, Any] | None = None
        for name in data:
            field = self.fields.get(name)
            if field is None:
                refused[str(name)] = [ErrorDetail("There is no such field.", "unknown_field")]
            elif field.read_only and name not in self.moving:
                if current is None:
                    current = self._current()
                if name not in current or current[name] != data[name]:
                    refused[name] = [ErrorDetail("This field cannot be changed.", "read_only")]
        return refused

    def _current(self) -> Mapping[str, Any]:
        instance = getattr(self, "instance", None)
        return {} if instance is None else self.to_representation(instance)
