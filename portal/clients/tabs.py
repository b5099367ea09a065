"""The views above the table: those that are built in and those that the reader kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.clients import queries
from portal.clients.address import Address
from portal.clients.kept import kept_views
from portal.clients.tables import Table

BUILT_IN: Final[tuple[tuple[Promise | str, str], ...]] = (
    (_("All"), ""),
    (_("Online"), "online=true"),
    (_("Ends this week"), "ends=7&sort=ends"),
    (_("Over 90 %"), "over=90&sort=-share"),
    (_("Off: quota"), "state=over-quota"),
    (_("Not used yet"), "connected=false"),
)


@dataclass(frozen=True)
class Tab:
    """A view with its name. ``uuid``: of one that the reader kept, and may forget."""

    words: str
    address: Address
    is_current: bool
    uuid: UUID | None = None

    @property
    def link(self) -> str:
        return self.address.view


@dataclass(frozen=True)
class Tally:
    """How many clients there are: in the view, in all, and in each tab."""

    matching: int
    all: int
    tabs: tuple[tuple[Tab, int], ...]


def tabs_of(table: Table, user: Any) -> tuple[Tab, ...]:
    """The tabs of a list; one of them is current, if its conditions are the view's."""
    own = kept_views(table.place.caller, user)
    named: list[tuple[str, Address, UUID | None]] = [
        (str(words), Address.read(text), None) for words, text in BUILT_IN
    ]
    named += [(one.name, Address.read(one.query), one.uuid) for one in own]
    current = _current([address for _, address, _ in named], table.address)
    return tuple(
        Tab(words, address, place == current, uuid)
        for place, (words, address, uuid) in enumerate(named)
    )


def _current(views: list[Address], now: Address) -> int | None:
    """The view itself, else one with the same conditions."""
    exact = (place for place, one in enumerate(views) if one.view == now.view)
    same = (place for place, one in enumerate(views) if one.conditions == now.conditions)
    return next(exact, next(same, None))


def counted(table: Table, tabs: tuple[Tab, ...] = ()) -> Tally:
    """Each view counted once."""
    rows, known = table.place.rows, dict[str, int]()

    def count(address: Address) -> int:
        key = repr(sorted(address.conditions.items()))
        if key not in known:
            known[key] = queries.narrowed(rows, address.filters).count()
        return known[key]

    return Tally(
        count(table.address), count(Address()), tuple((tab, count(tab.address)) for tab in tabs)
    )
