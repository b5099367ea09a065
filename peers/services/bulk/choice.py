"""Whom a bulk request means: the set is fixed when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from peers.queries import visible_clients
from peers.selection import matching_clients
from peers.services.bulk.acts import NOT_FOUND
from peers.services.bulk.entries import Entry, Failure
from rest.errors import Invalid
from tenants.scoping import Caller

MOST: Final = 1000
_TWICE: Final = Failure("duplicate", "This client is named twice in this request.")


def by_filter(caller: Caller, conditions: Mapping[str, str]) -> list[Entry]:
    """An entry for each of the tenant's clients that the list would show with these filters.

    Raises `Invalid` for an unknown filter, for none, and for more than 1,000 clients.
    """
    if not conditions:
        raise Invalid("Name at least one condition.", field="filter", code="empty")
    rows = matching_clients(caller, conditions).order_by("pk")
    found = list(rows.values_list("uuid", flat=True)[: MOST + 1])
    if len(found) > MOST:
        raise Invalid(
            f"More than {MOST} clients match; choose fewer.", field="filter", code="too_many"
        )
    return [Entry(index, ref=str(one), client=one) for index, one in enumerate(found)]


def resolve(caller: Caller, entries: Sequence[Entry], named: Sequence[UUID | str]) -> list[Entry]:
    """The entries with whom they mean: ``named`` has an id or an external id for each.

    What is not found, foreign clients among them, and what is named twice, is a failure of its
    entry. One query.
    """
    ids = {one for one in named if isinstance(one, UUID)}
    external = {one for one in named if isinstance(one, str)}
    rows = visible_clients(caller).filter(Q(uuid__in=ids) | Q(external_id__in=external))
    known: dict[Any, UUID] = {}
    for uuid, external_id in rows.values_list("uuid", "external_id"):
        known[uuid] = uuid
        if external_id is not None:
            known[external_id] = uuid
    return list(_found(entries, (known.get(one) for one in named)))


def _found(entries: Sequence[Entry], clients: Iterable[UUID | None]) -> Iterable[Entry]:
    seen: set[UUID] = set()
    for entry, client in zip(entries, clients, strict=True):
        if entry.failure is not None:
            yield entry
        elif client is None:
            yield replace(entry, failure=NOT_FOUND)
        elif client in seen:
            yield replace(entry, failure=_TWICE)
        else:
            seen.add(client)
            yield replace(entry, client=client)
