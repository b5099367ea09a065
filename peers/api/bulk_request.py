"""From the body of a bulk request to its entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from drf_standardized_errors.formatter import flatten_errors
from rest_framework.exceptions import ValidationError

from peers.api.bulk_serializers import ARGUMENTS, BulkTarget
from peers.api.serializers import ClientCreate
from peers.models import BulkRun
from peers.services.bulk.choice import by_filter, resolve
from peers.services.bulk.entries import Entry, Failure
from rest.errors import Invalid
from rest.fields import StrictSerializer
from rest.views import checked
from tenants.scoping import Caller

_CHOICES: Final = ("items", "ids", "external_ids", "filter")
_NO_FIELD: Final = "non_field_errors"


def entries_of(caller: Caller, wanted: Mapping[str, Any]) -> list[Entry]:
    """An entry per client that the request means. Raises `Invalid` and ValidationError."""
    action, common = wanted["action"], wanted.get("arguments", {})
    given = [name for name in _CHOICES if name in wanted]
    if len(given) != 1:
        raise Invalid(f"Give one of {', '.join(_CHOICES)}.", code="one_of")
    if action == BulkRun.Action.CREATE:
        if given != ["items"]:
            raise Invalid("New clients are items.", field=given[0], code="one_of")
        return _new_clients(wanted["items"], common)
    if given == ["items"]:
        return _targets(caller, wanted["items"], ARGUMENTS[action], common)
    values = checked(ARGUMENTS[action](data=common, partial=True))
    if given == ["filter"]:
        found = by_filter(caller, wanted["filter"])
    else:
        named = wanted[given[0]]
        found = resolve(caller, [Entry(n, ref=str(one)) for n, one in enumerate(named)], named)
    return [replace(entry, values=values) for entry in found]


def _new_clients(items: Sequence[Mapping[str, Any]], common: Mapping[str, Any]) -> list[Entry]:
    shape = ClientCreate()
    entries = []
    for index, item in enumerate(items):
        body = {**common, **item}
        ref = item.get("external_id")
        ref = ref if isinstance(ref, str) else ""
        values, failure = _shaped(shape, body)
        entries.append(Entry(index, ref=ref[:120], values=values, failure=failure))
    return entries


def _targets(
    caller: Caller,
    items: Sequence[Mapping[str, Any]],
    kind: type[StrictSerializer],
    common: Mapping[str, Any],
) -> list[Entry]:
    target, shape = BulkTarget(), kind(partial=True)
    entries: list[Entry] = []
    named: list[UUID | str] = []
    for index, item in enumerate(items):
        found, failure = _shaped(target, item)
        values: dict[str, Any] = {}
        if failure is None:
            values, failure = _shaped(shape, {**common, **found.get("arguments", {})})
        whom = found.get("id") or found.get("external_id") or ""
        named.append(whom)
        entries.append(
            Entry(
                index, ref=str(whom), version=found.get("version"), values=values, failure=failure
            )
        )
    return resolve(caller, entries, named)


def _shaped(
    shape: StrictSerializer, body: Mapping[str, Any]
) -> tuple[dict[str, Any], Failure | None]:
    """The values of a body, or the first thing that is wrong with its shape."""
    try:
        return dict(shape.run_validation(body)), None
    except ValidationError as error:
        first = flatten_errors(error.detail)[0]
        parts = [part for part in (first.attr or "").split(".") if part and part != _NO_FIELD]
        return {}, Failure(first.code, first.detail, ".".join(parts) or None)
