"""Whom an act on many means: those that are ticked, a whole view, or what failed of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from peers.bulk_queries import find_run, visible_items
from peers.models import Client
from peers.queries import visible_clients
from peers.selection import matching_clients
from peers.services.bulk.choice import resolve
from peers.services.bulk.entries import Entry
from portal import formats
from portal.clients.address import Address
from rest.errors import Invalid
from tenants.scoping import Caller

#: A worker does these in batches; the API takes less in one request, for it answers each.
MOST: Final = 20_000


@dataclass(frozen=True)
class Selection:
    """The clients of an act. ``address`` is the list that one comes from, and goes back to."""

    address: Address
    is_whole: bool
    ids: tuple[UUID, ...]

    @classmethod
    def of(cls, caller: Caller, query: QueryDict) -> Selection:
        """Read from a form. Raises `Missing` for a run that is not the tenant's."""
        address = Address.of(query)
        if run := _uuid(query.get("run", "")):
            return cls(address, False, tuple(_failed(caller, run)))
        ids = (_uuid(text) for text in query.getlist("id"))
        chosen = tuple(dict.fromkeys(one for one in ids if one is not None))
        return cls(address, query.get("all") == "1", chosen)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a form carries on."""
        whole = [("all", "1")] if self.is_whole else [("id", str(one)) for one in self.ids]
        return [*self.address.parameters.items(), *whole]

    def rows(self, caller: Caller) -> QuerySet[Client]:
        """The living clients that it means. Raises `Invalid` where its view is not understood."""
        if not self.is_whole:
            return visible_clients(caller).filter(uuid__in=self.ids)
        if self.address.strange:  # one condition less would mean more clients
            raise Invalid(_("A filter of this view is not understood."), code="unknown_parameter")
        return matching_clients(caller, self.address.filters)

    def entries(self, caller: Caller, values: Mapping[str, Any]) -> Sequence[Entry]:
        """An entry for each; one that is gone meanwhile has failed already.

        Raises `Invalid` for none, and for too many.
        """
        if self.is_whole:
            found = list(
                self.rows(caller).order_by("pk").values_list("uuid", flat=True)[: MOST + 1]
            )
            entries = [Entry(n, ref=str(one), client=one) for n, one in enumerate(found)]
        else:
            named = [Entry(n, ref=str(one)) for n, one in enumerate(self.ids)]
            entries = resolve(caller, named, self.ids)
        if not entries:
            raise Invalid(_("No client is selected."), code="empty")
        if len(entries) > MOST:
            text = _("At most %s clients at a time. Narrow the view down.")
            raise Invalid(text % formats.number(MOST), code="too_many")
        return [replace(entry, values=values) for entry in entries]


def _failed(caller: Caller, run_id: UUID) -> list[UUID]:
    """Whom the entries of a run named that failed."""
    items = visible_items(caller, find_run(caller, run_id)).filter(outcome="failed")
    refs = items.order_by("index").values_list("ref", flat=True)
    return [one for one in map(_uuid, refs) if one is not None]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
