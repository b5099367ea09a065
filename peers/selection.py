"""Many clients of one request: named by their ids, by the seller's ids, or by a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from peers.filters import CLIENT_FILTERS
from peers.models import Client
from peers.queries import visible_clients
from rest.errors import Invalid
from tenants.scoping import Caller

MAX_SELECTED: Final = 1000


@dataclass(frozen=True)
class Selected:
    """The clients in the order they were named; ``missing`` are names that lead to none."""

    clients: list[Client]
    missing: list[str]


def select_clients(
    caller: Caller,
    *,
    ids: Sequence[UUID] | None = None,
    external_ids: Sequence[str] | None = None,
    filter: Mapping[str, Any] | None = None,
) -> Selected:
    """Up to 1,000 of the tenant's clients. Exactly one of the three must be given.

    ``filter`` takes what the list of clients takes. Raises `Invalid` (``one_of``, ``too_many``).
    """
    given = [
        name
        for name, value in (("ids", ids), ("external_ids", external_ids), ("filter", filter))
        if value is not None
    ]
    if len(given) != 1:
        raise Invalid("Give one of ids, external_ids and filter.", code="one_of")
    if filter is not None:
        found = list(matching_clients(caller, filter).order_by("-pk")[: MAX_SELECTED + 1])
        if len(found) > MAX_SELECTED:
            raise _too_many("filter")
        return Selected(found, [])
    if ids is not None:
        return _named(caller, "uuid", given[0], ids)
    return _named(caller, "external_id", given[0], external_ids or ())


def matching_clients(caller: Caller, conditions: Mapping[str, Any]) -> QuerySet[Client]:
    """The tenant's living clients that meet all conditions, which are those of the list.

    Raises `Invalid` for a condition that there is not, and for a value it does not take.
    """
    rows = visible_clients(caller)
    for name, value in conditions.items():
        field = f"filter.{name}"
        condition = CLIENT_FILTERS.get(name)
        if condition is None:
            raise Invalid("There is no such filter.", field=field, code="unknown_parameter")
        text = str(value).lower() if isinstance(value, bool) else value
        if not isinstance(text, str):
            raise Invalid("This must be a text.", field=field)
        try:
            rows = rows.filter(condition(text))
        except ValueError as error:
            raise Invalid(str(error), field=field) from None
    return rows


def _named(caller: Caller, column: str, field: str, names: Sequence[Any]) -> Selected:
    wanted = list(dict.fromkeys(names))
    if len(wanted) > MAX_SELECTED:
        raise _too_many(field)
    rows = visible_clients(caller).filter(**{f"{column}__in": wanted})
    found = {getattr(row, column): row for row in rows}
    return Selected(
        [found[name] for name in wanted if name in found],
        [str(name) for name in wanted if name not in found],
    )


def _too_many(field: str) -> Invalid:
    return Invalid(f"At most {MAX_SELECTED} clients at a time.", field=field, code="too_many")
