"""Many rows taken away a few at a time, so that nobody else waits long for the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet


def drop_some(
    rows: QuerySet[Any],
    number: int,
    *,
    first: Callable[[type[Any], Sequence[int]], None] | None = None,
) -> int:
    """Delete up to ``number`` of the rows, in their order or else the oldest first, and return how
    many there were.

    ``first`` is called before, with the model and the keys. Call it until it returns 0.
    """
    ordered = rows if rows.ordered else rows.order_by("pk")
    ids = list(ordered.values_list("pk", flat=True)[:number])
    if ids:
        if first is not None:
            first(rows.model, ids)
        rows.filter(pk__in=ids).delete()
    return len(ids)
