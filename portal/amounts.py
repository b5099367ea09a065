"""Amounts as people type them: 50 GB, 1.5 TB, 100 Mbit/s; and back, so that nothing is lost."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

_BYTES: Final = {
    "": 10**9, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "pb": 10**15,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "k": 10**3, "m": 10**6, "g": 10**9,
    "t": 10**12,
}  # fmt: skip
_KBIT: Final = {
    "": 1000, "kbit": 1, "mbit": 1000, "gbit": 10**6, "kbit/s": 1, "mbit/s": 1000,
    "gbit/s": 10**6, "k": 1, "m": 1000, "g": 10**6,
}  # fmt: skip
_TYPED: Final = re.compile(r"\s*([0-9]+(?:[.,][0-9]+)?)\s*([a-z/]*)\s*", re.ASCII)
#: Persian and Arabic digits and separators, as keyboards give them.
_LATIN: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫٬", "01234567890123456789.,")  # noqa: RUF001
_LARGEST: Final = 2**63 - 1


def read(text: str, units: dict[str, int]) -> int:
    """The amount in the smallest unit. Raises ValueError."""
    found = _TYPED.fullmatch(text.translate(_LATIN).lower())
    if found is None or found[2] not in units:
        raise ValueError(text)
    try:
        amount = Decimal(found[1].replace(",", ".")) * units[found[2]]
    except InvalidOperation:
        raise ValueError(text) from None
    if amount != amount.to_integral_value() and units[found[2]] == 1:
        raise ValueError(text)
    if amount > _LARGEST:
        raise ValueError(text)
    return int(amount)


def written(amount: int, units: tuple[tuple[str, int], ...]) -> str:
    """The amount in the largest unit that it is a short number of."""
    for name, size in units:
        share = Decimal(amount) / size
        if share >= 1 and share == round(share, 3):
            return f"{share.normalize():f} {name}"
    return f"{amount} {units[-1][0]}"


class Amount(forms.CharField):
    """A number with a unit, or nothing for no limit."""

    units: dict[str, int] = {}
    shown: tuple[tuple[str, int], ...] = ()
    example = ""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput({"class": "in", "dir": "ltr"})
        super().__init__(**{"required": False, "max_length": 40, "widget": widget, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return written(value, self.shown) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return read(text, self.units)
        except ValueError:
            words = gettext("“%(typed)s” is not an amount. Write it like %(example)s.")
            raise ValidationError(words % {"typed": text, "example": self.example}) from None


class ByteCount(Amount):
    """Bytes; a bare number is gigabytes."""

    units = _BYTES
    shown = (("PB", 10**15), ("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 1000), ("B", 1))
    example = "50 GB"


class Speed(Amount):
    """Kilobits a second; a bare number is megabits."""

    units = _KBIT
    shown = (("Gbit/s", 10**6), ("Mbit/s", 1000), ("kbit/s", 1))
    example = "100 Mbit/s"
