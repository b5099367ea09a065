"""A page of a long list, found by keyset: it costs the same wherever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError

from rest.pagination import Cursor, Order

M = TypeVar("M", bound=Model)
SIZE = 50
CURSOR = "cursor"


@dataclass(frozen=True)
class Window(Generic[M]):
    """The rows, and the queries of the pages before and after them ("" where there is none)."""

    rows: list[M]
    before: str
    after: str


def window(
    rows: QuerySet[M], request: HttpRequest, *, ordering: str = "-id", size: int = SIZE
) -> Window[M]:
    """The page of these rows that the request's cursor names; the first one for a wrong cursor."""
    order = Order.of(rows, ordering, ordering.removeprefix("-"))
    cursor = _cursor(request, ordering)
    backwards = cursor is not None and cursor.backwards
    rows = rows.order_by(*order.by(backwards))
    if cursor is not None:
        rows = rows.filter(order.beyond(cursor))
    found = list(rows[: size + 1])
    more, page = len(found) > size, found[:size]
    if backwards:
        page.reverse()
    has_after = bool(page) if backwards else more
    has_before = more if backwards else cursor is not None and bool(page)

    def link(row: M, *, back: bool) -> str:
        edge = Cursor(ordering, order.value(row), row.pk, back).encode()
        kept = [(key, value) for key, value in request.GET.items() if key != CURSOR]
        return urlencode([*kept, (CURSOR, edge)])

    return Window(
        page,
        before=link(page[0], back=True) if has_before else "",
        after=link(page[-1], back=False) if has_after else "",
    )


def _cursor(request: HttpRequest, ordering: str) -> Cursor | None:
    text = request.GET.get(CURSOR)
    if not text:
        return None
    try:
        return Cursor.decode(text, ordering)
    except ValidationError:
        return None
