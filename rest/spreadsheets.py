"""Tables as CSV that is safe to open: what somebody typed never runs as a formula."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from django.http import StreamingHttpResponse

from rest.errors import Invalid

MEDIA: Final = "text/csv"
#: What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection), full width too.
_BEGINS: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
#: Without it Excel reads Persian as Latin.
_BOM: Final = "\ufeff"


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str, /) -> str:
        return text


def cell(value: Any) -> Any:
    """A value as it stands in a cell: a text that reads as a formula gets an apostrophe in front,
    which spreadsheets take away again.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_BEGINS):
        return f"'{value}"
    return value


def lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The table line by line."""
    write: Callable[[Sequence[Any]], Any] = csv.writer(_Line()).writerow
    yield f"{_BOM}{write(header)}"
    for row in rows:
        yield str(write([cell(value) for value in row]))


def as_file(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """The table as an attachment of this name, which is made of [a-z0-9.-]."""
    return StreamingHttpResponse(
        lines(header, rows),
        content_type=f"{MEDIA}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def wants_csv(named: str | None, accept: str) -> bool:
    """Whether a request asks for CSV: by ``format``, else by ``Accept``. Raises `Invalid`."""
    if named is None:
        return MEDIA in accept.lower()
    if named not in ("csv", "json"):
        raise Invalid("This must be csv or json.", field="format", code="invalid_choice")
    return named == "csv"
