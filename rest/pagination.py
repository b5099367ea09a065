"""Keyset pagination: a page costs the same wherever it is, and nothing is skipped or shown twice.

A cursor holds the sort value and the primary key of the row at a page's edge. The key breaks
ties, so any number of equal values is walked through (DRF's own cursor gives up after 1,000).
There is no COUNT. Nulls sort last in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import FieldDoesNotExist
from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import F, Field, Model, Q, QuerySet
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from rest.opaque import seal, unseal

if TYPE_CHECKING:  # REST framework imports this module while it imports its views
    from rest_framework.views import APIView

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
_PURPOSE: Final = "vwg cursors"


@dataclass(frozen=True)
class Cursor:
    """The edge of a page: rows after it (or before it, when ``backwards``) are the next page."""

    ordering: str
    value: Any
    pk: int
    backwards: bool = False

    def encode(self) -> str:
        """An opaque text: it tells no number, and none made up by the caller reaches SQL."""
        value = self.value
        if isinstance(value, date):  # and datetime
            value = value.isoformat()
        elif not isinstance(value, str | int | float | bool | None):
            value = str(value)
        return seal([self.ordering, value, self.pk, self.backwards], purpose=_PURPOSE)

    @classmethod
    def decode(
        cls, text: str, ordering: str, *, parameter: str = "cursor", remedy: str = "Begin again."
    ) -> Cursor:
        """Read a cursor made for this ordering. Raises ValidationError (400)."""
        try:
            found, value, pk, backwards = unseal(text, purpose=_PURPOSE)
        except ValueError:
            raise _refuse(parameter, f"This cursor is not one of ours. {remedy}") from None
        if found != ordering:
            raise _refuse(parameter, "This cursor belongs to another ordering.")
        return cls(ordering, value, pk, backwards)


class KeysetPagination(BasePagination):
    """``?limit=&ordering=&cursor=``; answers ``{"results", "next", "previous"}``.

    The view's ``ordering_fields`` (a sequence of column names, or a mapping from public name to
    column) are what ``ordering`` may name, with "-" for descending; ``ordering`` is its default.
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        limit = self._limit(request)
        ordering, column = self._ordering(request, view)
        self._request, self._order = request, Order.of(queryset, ordering, column)
        text = request.query_params.get("cursor")
        cursor = Cursor.decode(text, ordering) if text is not None else None
        backwards = cursor is not None and cursor.backwards
        rows = queryset.order_by(*self._order.by(backwards))
        if cursor is not None:
            rows = rows.filter(self._order.beyond(cursor))
        found = list(rows[: limit + 1])
        more, page = len(found) > limit, found[:limit]
        if backwards:
            page.reverse()
        self._page = page
        self._has_next = bool(page) if backwards else more
        self._has_previous = more if backwards else cursor is not None and bool(page)
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "results": data,
                "next": self._link(-1, backwards=False) if self._has_next else None,
                "previous": self._link(0, backwards=True) if self._has_previous else None,
            }
        )

    def _link(self, position: int, *, backwards: bool) -> str:
        row = self._page[position]
        cursor = Cursor(self._order.ordering, self._order.value(row), row.pk, backwards)
        url = remove_query_param(self._request.build_absolute_uri(), "cursor")
        return str(replace_query_param(url, "cursor", cursor.encode()))

    def _limit(self, request: Request) -> int:
        text = request.query_params.get("limit", str(DEFAULT_LIMIT))
        if not (text.isascii() and text.isdigit() and len(text) <= 4):
            raise _refuse("limit", f"This must be a number from 1 to {MAX_LIMIT}.")
        if not 1 <= int(text) <= MAX_LIMIT:
            raise _refuse("limit", f"This must be a number from 1 to {MAX_LIMIT}.")
        return int(text)

    def _ordering(self, request: Request, view: APIView | None) -> tuple[str, str]:
        """The public ordering and the column it means."""
        allowed = _columns(view)
        ordering = str(request.query_params.get("ordering", getattr(view, "ordering", "-id")))
        name = ordering.removeprefix("-")
        if name not in allowed:
            raise _refuse("ordering", f"This must be one of: {', '.join(sorted(allowed))}.")
        return ordering, allowed[name]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": link,
                "previous": link,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        names = sorted(_columns(view))
        return [
            _parameter("cursor", {"type": "string"}),
            _parameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            ),
            _parameter(
                "ordering", {"type": "string", "enum": [*names, *(f"-{name}" for name in names)]}
            ),
        ]


@dataclass(frozen=True)
class Order:
    """A column and a direction, with the primary key behind it."""

    ordering: str
    column: str
    nullable: bool
    field: Field[Any, Any] | None

    @classmethod
    def of(cls, rows: QuerySet[Any], ordering: str, column: str) -> Order:
        """How these rows are sorted by a column or an annotation."""
        annotation = rows.query.annotations.get(column)
        if annotation is not None:
            return cls(ordering, column, True, annotation.output_field)
        field = _field(rows.model, column)
        nullable = field is None or field.null or "__" in column
        return cls(ordering, column, nullable, field)

    @property
    def descending(self) -> bool:
        return self.ordering.startswith("-")

    def by(self, backwards: bool) -> list[Any]:
        """The terms of ORDER BY. Read backwards everything turns round, nulls come first."""
        descending = self.descending != backwards
        key = "-pk" if descending else "pk"
        if self.column in ("id", "pk"):
            return [key]
        if not self.nullable:
            return [f"-{self.column}" if descending else self.column, key]
        nulls = {"nulls_first": True} if backwards else {"nulls_last": True}
        column = F(self.column)
        return [column.desc(**nulls) if descending else column.asc(**nulls), key]

    def beyond(self, cursor: Cursor) -> Q:
        """The rows after the cursor in reading direction."""
        side = "lt" if self.descending != cursor.backwards else "gt"
        tie = Q(**{f"pk__{side}": cursor.pk})
        if self.column in ("id", "pk"):
            return tie
        null = Q(**{f"{self.column}__isnull": True})
        if cursor.value is None:
            return (null & tie) | ~null if cursor.backwards else null & tie
        value = self._parse(cursor.value)
        # The first term is implied by the second; it lets the index find the place.
        found = Q(**{f"{self.column}__{side}e": value}) & (
            Q(**{f"{self.column}__{side}": value}) | (Q(**{self.column: value}) & tie)
        )
        return found | null if self.nullable and not cursor.backwards else found

    def value(self, row: Model) -> Any:
        """The row's sort value."""
        if self.column in ("id", "pk"):
            return row.pk
        found: Any = row
        for name in self.column.split("__"):
            found = getattr(found, name, None)
        return found

    def _parse(self, value: Any) -> Any:
        if self.field is None:
            return value
        try:
            return self.field.to_python(value)
        except ModelValidationError:
            raise _refuse("cursor", "This cursor is not one of ours.") from None


def _columns(view: APIView | None) -> dict[str, str]:
    declared: Mapping[str, str] | Sequence[str] = getattr(view, "ordering_fields", ())
    columns = dict(declared) if isinstance(declared, Mapping) else {name: name for name in declared}
    return {"id": "pk", **columns}


def _field(model: type[Model], column: str) -> Field[Any, Any] | None:
    found: Any = None
    for name in column.split("__"):
        try:
            found = model._meta.get_field(model._meta.pk.name if name == "pk" else name)
        except FieldDoesNotExist:
            return None
        model = found.related_model or model
    return found if isinstance(found, Field) else None


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _refuse(parameter: str, text: str) -> ValidationError:
    return ValidationError({parameter: [ErrorDetail(text, "invalid")]})
