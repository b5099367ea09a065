"""Filters of lists: an allow-list per view; anything else in the query is refused.

A view says::

    filters = {"status": Choice("status", Job.Status.values), "client": Identifier("client__uuid")}

Nothing of a request ever becomes a keyword of ``filter()`` (CVE-2025-64459).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from rest.fields import bad_characters

M = TypeVar("M", bound=Model)
PAGING: Final = frozenset({"limit", "cursor", "ordering"})
_LONGEST: Final = 255


class Filter(Protocol):
    """A condition made of one parameter's text. Raises ValueError with a sentence to show."""

    def __call__(self, value: str) -> Q: ...

    def schema(self) -> dict[str, Any]:
        """The parameter as OpenAPI describes it."""
        ...


@dataclass(frozen=True)
class Choice:
    """One of a set of words, compared with one column."""

    field: str
    choices: Collection[str]

    def __call__(self, value: str) -> Q:
        if value not in self.choices:
            raise ValueError(f"This must be one of: {', '.join(sorted(self.choices))}.")
        return Q(**{self.field: value})

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": sorted(self.choices)}


@dataclass(frozen=True)
class Text:
    """A text, looked up in some columns, one of which must match (``name__icontains``)."""

    lookups: tuple[str, ...]

    def __call__(self, value: str) -> Q:
        found = Q()
        for lookup in self.lookups:
            found |= Q(**{lookup: value})
        return found

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": _LONGEST}


@dataclass(frozen=True)
class Flag:
    """``true`` or ``false``: the condition, or its opposite."""

    condition: Q

    def __call__(self, value: str) -> Q:
        if value not in ("true", "false"):
            raise ValueError("This must be true or false.")
        return self.condition if value == "true" else ~self.condition

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Identifier:
    """A public id."""

    field: str

    def __call__(self, value: str) -> Q:
        try:
            return Q(**{self.field: UUID(value)})
        except ValueError:
            raise ValueError("This must be a UUID.") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}


@dataclass(frozen=True)
class Moment:
    """An RFC 3339 time with its offset, compared by a look-up (``created_at__gte``)."""

    lookup: str

    def __call__(self, value: str) -> Q:
        try:
            moment = parse_datetime(value)
            if moment is None or is_naive(moment):
                raise ValueError
            return Q(**{self.lookup: moment.astimezone(UTC)})
        except (ValueError, OverflowError):  # an offset may lead out of the calendar
            raise ValueError(
                "This must be a time with its offset, like 2026-01-31T12:00:00Z."
            ) from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


def check_query(request: Request | HttpRequest, allowed: Collection[str]) -> None:
    """Refuse (ValidationError, 400) parameters that are unknown, repeated or hold controls."""
    errors = {}
    for name, values in request.GET.lists():
        if name not in allowed:
            errors[name] = _error("There is no such parameter.", "unknown_parameter")
        elif len(values) > 1:
            errors[name] = _error("This may be given once.", "repeated")
        elif len(values[0]) > _LONGEST and name != "cursor":
            errors[name] = _error(f"This is longer than {_LONGEST} characters.", "max_length")
        elif reason := bad_characters(values[0]):
            errors[name] = _error(f"This cannot be used: {reason}.", "characters")
    if errors:
        raise ValidationError(errors)


def apply_filters(
    rows: QuerySet[M],
    request: Request | HttpRequest,
    filters: Mapping[str, Filter],
    paging: Collection[str] = PAGING,
) -> QuerySet[M]:
    """The rows that the query asks for; ``paging`` are the parameters of pages. Raises
    ValidationError.
    """
    check_query(request, {*paging, *filters})
    for name, condition in filters.items():
        value = request.GET.get(name)
        if value is None:
            continue
        try:
            rows = rows.filter(condition(value))
        except ValueError as error:
            raise ValidationError({name: _error(str(error), "invalid")}) from None
    return rows


class AllowListedFilters(BaseFilterBackend):
    """`apply_filters` with the view's ``filters`` (and ``paging``, if its pages take others)."""

    def filter_queryset(self, request: Request, queryset: Any, view: APIView) -> Any:
        paging = getattr(view, "paging", PAGING)
        return apply_filters(queryset, request, getattr(view, "filters", {}), paging)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        filters: Mapping[str, Filter] = getattr(view, "filters", {})
        return [
            {"name": name, "in": "query", "required": False, "schema": condition.schema()}
            for name, condition in filters.items()
        ]


def _error(text: str, code: str) -> list[ErrorDetail]:
    return [ErrorDetail(text, code)]
