"""Fields of forms that people write into as they speak: bytes, speeds, lists, moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.utils.translation import gettext, gettext_lazy

#: Persian and Arabic digits and separators, as people type them.
_LATIN: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩\u066b\u066c", "01234567890123456789.,")
_QUANTITY: Final = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)\s*(.*)")
_BYTES: Final[Mapping[str, int]] = {
    "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "pb": 10**15,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
    "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "": 10**9,
}  # fmt: skip
_KBITS: Final[Mapping[str, int]] = {
    "kbit/s": 1, "mbit/s": 1000, "gbit/s": 10**6, "kbit": 1, "mbit": 1000, "gbit": 10**6,
    "k": 1, "m": 1000, "g": 10**6, "kbps": 1, "mbps": 1000, "gbps": 10**6, "": 1000,
}  # fmt: skip
_SECONDS: Final[Mapping[str, int]] = {
    "s": 1, "min": 60, "h": 3600, "d": 86_400, "": 3600,
}  # fmt: skip
_SPLIT: Final = re.compile(r"[,،\n]")


def _units(units: Mapping[str, int], *names: str) -> dict[str, int]:
    """With the names of units in the reader's language."""
    return {**units, **{gettext(name).lower(): units[name.lower()] for name in names}}


def quantity(text: str, units: Mapping[str, int]) -> int:
    """A number with its unit, as a whole number of the smallest. Raises ValueError."""
    found = _QUANTITY.fullmatch(text.translate(_LATIN).strip())
    unit = found[2].strip().lower() if found else ""
    if found is None or unit not in units:
        raise ValueError(text)
    try:
        value = Decimal(found[1].replace(",", "")) * units[unit]
    except InvalidOperation:
        raise ValueError(text) from None
    if value != value.to_integral_value():
        raise ValueError(text)
    return int(value)


def exactly(value: int, units: Mapping[str, int]) -> str:
    """A quantity without rounding, in the largest unit that does: 50 GB, 1500 MB."""
    names = {one: name for name, one in reversed(list(units.items())) if name}
    for one in sorted(names, reverse=True):
        whole = Decimal(value) / one
        if value >= one and whole == round(whole, 2):
            text = f"{whole.normalize():f}"
            return f"{text} {_written(names[one])}"
    return f"{value} {_written(names[min(names)])}"


def _written(unit: str) -> str:
    return {
        "b": gettext("B"), "kb": gettext("kB"), "mb": gettext("MB"), "gb": gettext("GB"),
        "tb": gettext("TB"), "gib": "GiB", "mbit/s": "Mbit/s", "gbit/s": "Gbit/s",
    }.get(unit, unit)  # fmt: skip


class ByteField(forms.CharField):
    """A number of bytes as people write it: 50 GB; a number alone means GB."""

    shown: Final = {name: _BYTES[name] for name in ("b", "kb", "mb", "gb", "gib", "tb")}
    trouble: Final = gettext_lazy("“%s” is no amount of data. Write it like 50 GB or 1.5 TB.")

    def units(self) -> Mapping[str, int]:
        """The units that may be written."""
        return _units(_BYTES, "B", "kB", "MB", "GB", "TB")

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return quantity(text, self.units())
        except ValueError:
            raise forms.ValidationError(str(self.trouble) % text[:40]) from None

    def prepare_value(self, value: Any) -> Any:
        return exactly(value, self.shown) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        try:
            before = initial if isinstance(initial, int) else self.to_python(initial)
            return bool(before != self.to_python(data))
        except forms.ValidationError:
            return True


class RateField(ByteField):
    """A speed as people write it: 50 Mbit/s; a number alone means Mbit/s."""

    shown: Final = {name: _KBITS[name] for name in ("kbit/s", "mbit/s", "gbit/s")}  # type: ignore[misc]
    trouble: Final = gettext_lazy("“%s” is no speed. Write it like 50 Mbit/s or 512 kbit/s.")  # type: ignore[misc]

    def units(self) -> Mapping[str, int]:
        return _KBITS


class SpanField(ByteField):
    """A span of time as people write it: 12 h, 3 d; a number alone means hours. Empty: none."""

    shown: Final = {name: _SECONDS[name] for name in ("s", "min", "h", "d")}  # type: ignore[misc]
    trouble: Final = gettext_lazy("“%s” is no span of time. Write it like 12 h or 3 d.")  # type: ignore[misc]

    def units(self) -> Mapping[str, int]:
        return _SECONDS

    def to_python(self, value: Any) -> Any:
        return super().to_python(value) or 0

    def prepare_value(self, value: Any) -> Any:
        return "" if value == 0 else super().prepare_value(value)


class ObjectField(forms.JSONField):
    """An object of JSON; nothing is an empty one. What may be in it, the services decide."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "in key", "dir": "ltr"})

    def to_python(self, value: Any) -> Any:
        return {} if value in ("", None) else super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        return "" if value == {} else super().prepare_value(value)


class ListField(forms.CharField):
    """Words between commas."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        parts = (part.strip() for part in _SPLIT.split(str(value or "")))
        return [part for part in parts if part]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class WordsField(ListField):
    """Words between blanks or commas: addresses, networks."""

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, list) else str(value or "").replace(",", " ").split()


class MomentField(forms.DateTimeField):
    """A day and a time of day in the reader's time zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            value = value.replace(second=0, microsecond=0)
        return super().prepare_value(value)


class WholeField(forms.IntegerField):
    """A whole number, in the digits that the reader types."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr"})

    def to_python(self, value: Any) -> int | None:
        return super().to_python(value.translate(_LATIN) if isinstance(value, str) else value)


def dress(form: forms.BaseForm) -> None:
    """Give the fields of a form the classes and attributes of the design."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, forms.CheckboxInput | forms.RadioSelect):
            widget.attrs.setdefault("class", "tick")
            continue
        widget.attrs.setdefault("class", "in")
        widget.attrs.setdefault("autocomplete", "off")
        if isinstance(widget, forms.TextInput | forms.Textarea):
            widget.attrs.setdefault("dir", "auto")


def mark(form: forms.BaseForm) -> None:
    """Tell those who do not see the page which fields were refused, and where it says why."""
    for name in form.errors:
        if name in form.fields:
            attrs = {"aria-invalid": "true", "aria-describedby": f"{name}-err"}
            form.fields[name].widget.attrs.update(attrs)
