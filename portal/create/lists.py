"""From what was pasted to the clients it means: names, patterns, or a table. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from portal.fields import ByteField, ListField, WholeField

#: Clients of one list.
MOST: Final = 1000
_PATTERN: Final = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}", re.ASCII)
#: The columns of a table, by the names that people give them.
_COLUMNS: Final[Mapping[str, str]] = {
    "name": "name", "client": "name", "نام": "name", "کاربر": "name",
    "external_id": "external_id", "reference": "external_id", "id": "external_id",
    "شناسه": "external_id", "email": "email", "e-mail": "email", "ایمیل": "email",
    "telegram": "telegram_id", "telegram_id": "telegram_id", "تلگرام": "telegram_id",
    "note": "note", "یادداشت": "note", "tags": "tags", "برچسب": "tags",
    "plan": "plan", "بسته": "plan", "quota": "quota_bytes", "data": "quota_bytes",
    "quota_bytes": "quota_bytes", "حجم": "quota_bytes", "days": "duration_days",
    "duration_days": "duration_days", "روز": "duration_days", "device": "device_name",
    "device_name": "device_name", "دستگاه": "device_name", "public_key": "public_key",
    "key": "public_key",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A client that a list means; ``trouble`` is why it cannot be, with the field to blame."""

    line: int
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""


class TooMany(ValueError):
    """The list means more than `MOST` clients."""


def rows_of(text: str, plans: Mapping[str, UUID]) -> list[Row]:
    """The clients of a list, in its order. ``plans`` by their names. Raises `TooMany`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    first, _, _ = text.lstrip("\n").partition("\n")
    delimiter = _delimiter(first)
    found: list[Row] = []
    for row in _table(text, delimiter, plans) if delimiter else _names(text):
        found.append(row)
        if len(found) > MOST:
            raise TooMany
    return found


def _delimiter(header: str) -> str:
    """What parts the columns of a table; empty where the first line is no head of one."""
    for mark in ("\t", ";", ","):
        heads = [_head(one) for one in header.split(mark)]
        if "name" in heads and (len(heads) > 1 or header.strip().lower() == "name"):
            return mark
    return "," if _head(header) == "name" and header.strip().lower() == "name" else ""


def _head(text: str) -> str:
    return _COLUMNS.get(text.strip().strip('"').strip().lower(), "")


def _names(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        name = line.strip()
        if name:
            yield from (Row(number, one, {"name": one}) for one in expanded(name))


def expanded(pattern: str) -> Iterator[str]:
    """The names of a pattern: shop-{001..050} is fifty; without one, the words themselves."""
    found = _PATTERN.search(pattern)
    if found is None:
        yield pattern
        return
    low, high = int(found[1]), int(found[2])
    width = len(found[1]) if found[1].startswith("0") else 0
    if high - low >= MOST:
        raise TooMany
    for number in range(low, high + 1):
        yield f"{pattern[: found.start()]}{number:0{width}d}{pattern[found.end() :]}"


def _table(text: str, delimiter: str, plans: Mapping[str, UUID]) -> Iterator[Row]:
    reader = csv.reader(StringIO(text), delimiter=delimiter, skipinitialspace=True)
    heads: list[str] = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if not heads:
            heads = [_head(cell) or f"?{cell.strip()}" for cell in cells]
            continue
        yield _row(reader.line_num, heads, cells, plans)


def _row(line: int, heads: Sequence[str], cells: Sequence[str], plans: Mapping[str, UUID]) -> Row:
    said = {head: cell.strip() for head, cell in zip(heads, cells, strict=False) if cell.strip()}
    name = said.get("name", "")
    unknown = next((head for head in said if head.startswith("?")), None)
    if unknown is not None:
        text = gettext("There is no column “%s”.") % unknown[1:]
        return Row(line, name, {}, text)
    if len(cells) > len(heads):
        return Row(line, name, {}, gettext("It has more columns than the first line."))
    values: dict[str, Any] = {}
    for head, text in said.items():
        try:
            values[head] = _READ.get(head, str)(text) if head != "plan" else _plan(text, plans)
        except ValidationError as error:
            return Row(line, name, {}, " ".join(error.messages))
    return Row(line, name, {"name": name, **values})


def _plan(text: str, plans: Mapping[str, UUID]) -> UUID:
    if text not in plans:
        raise ValidationError(gettext("There is no plan “%s”.") % text)
    return plans[text]


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "quota_bytes": lambda text: ByteField().clean(text),
    "duration_days": lambda text: WholeField().clean(text),
    "tags": lambda text: ListField().clean(text),
}
