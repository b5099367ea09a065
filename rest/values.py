"""Checking values by meaning: the parts that every app's table of checks is made of.

A check takes a value and the name of its field, and returns the value as it is stored or raises
`Invalid` naming the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rest.errors import Invalid
from rest.fields import bad_characters
from wireguard.errors import InvalidConfig, InvalidKey

Check = Callable[[object, str], Any]


def check_text(value: object, field: str, *, longest: int) -> str:
    """One line of text that a person can read, or ""."""
    if not isinstance(value, str):
        raise Invalid("This is not a text.", field=field)
    if len(value) > longest:
        raise Invalid(f"At most {longest} characters.", field=field, code="max_length")
    reason = bad_characters(value)
    if reason:
        raise Invalid(f"This text cannot be used: {reason}.", field=field, code="characters")
    return value


def check_fields(values: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """The values of those fields that ``checks`` knows, each checked. Raises `Invalid`."""
    return {name: check(values[name], name) for name, check in checks.items() if name in values}


def checked_by(check: Callable[[object], Any], value: object, field: str) -> Any:
    """The value as a check of `wireguard` returns it. Raises `Invalid`."""
    try:
        return check(value)
    except InvalidConfig as error:
        raise Invalid(sentence(error.message), field=field) from None
    except InvalidKey as error:
        raise Invalid(sentence(str(error)), field=field, code="key_invalid") from None


def listed(value: object, field: str, most: int) -> list[object]:
    """The entries of a list that is not too long. Raises `Invalid`."""
    if not isinstance(value, list | tuple):
        raise Invalid("This is not a list.", field=field)
    if len(value) > most:
        raise Invalid(f"At most {most} entries.", field=field, code="too_many")
    return list(value)


def sentence(text: str) -> str:
    """A driver's words as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."
