"""What the list of clients shows is in its address: conditions, order, columns, the page's edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict

from peers.filters import CLIENT_FILTERS
from portal.clients.columns import USUAL, chosen
from rest.fields import bad_characters

#: The parameter of the address -> the filter of the API's list. Each stands alone: so a view's
#: conditions are the same for the table, the file and an act on all of them.
CONDITIONS: Final[Mapping[str, str]] = {
    "q": "search",
    "state": "state",
    "off": "off",
    "online": "online",
    "connected": "connected",
    "plan": "plan",
    "interface": "interface",
    "tag": "tag",
    "ends": "ends_within",
    "over": "used_over",
    "outdated": "file_outdated",
}
#: The name of an order -> what the rows are sorted by (`portal.clients.queries.sortable`).
SORTS: Final = ("made", "name", "state", "plan", "used", "share", "ends", "seen")
NEWEST: Final = "-made"
_LONGEST: Final = 120


@dataclass(frozen=True)
class Address:
    """One view of the list."""

    conditions: Mapping[str, str] = field(default_factory=dict)
    sort: str = NEWEST
    columns: tuple[str, ...] = USUAL
    cursor: str = ""
    #: Conditions that cannot be understood; they narrow nothing down, and the page says so.
    strange: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> Address:
        """Read from a query, which a person may have written."""
        conditions, strange = dict[str, str](), list[str]()
        for name in CONDITIONS:
            value = query.get(name, "").strip()[:_LONGEST]
            if value and _is_understood(name, value):
                conditions[name] = value
            elif value:
                strange.append(value)
        sort = query.get("sort", NEWEST)
        return cls(
            conditions,
            sort if sort.removeprefix("-") in SORTS else NEWEST,
            chosen([*query.getlist("cols"), *query.getlist("col")]),
            query.get("cursor", ""),
            tuple(strange),
        )

    @classmethod
    def read(cls, text: str) -> Address:
        """Of a query as text."""
        return cls.of(QueryDict(text))

    @property
    def search(self) -> str:
        return self.conditions.get("q", "")

    @property
    def filters(self) -> dict[str, str]:
        """The conditions as the API's list and bulk requests name them."""
        return {CONDITIONS[name]: value for name, value in self.conditions.items()}

    def having(self, **conditions: str) -> Address:
        """The same view with these conditions; an empty one takes it away. From its first page."""
        both = {**self.conditions, **conditions}
        kept = {name: both[name] for name in CONDITIONS if both.get(name)}
        return replace(self, conditions=kept, cursor="")

    def sorted_by(self, sort: str) -> Address:
        return replace(self, sort=sort, cursor="")

    def at(self, cursor: str) -> Address:
        return replace(self, cursor=cursor)

    @property
    def parameters(self) -> dict[str, str]:
        """What an address says, and nothing that goes without saying."""
        found = dict(self.conditions)
        if self.sort != NEWEST:
            found["sort"] = self.sort
        if self.columns != USUAL:
            found["cols"] = ",".join(self.columns)
        return found

    @property
    def query(self) -> str:
        """The view with its page, as a query."""
        cursor = {"cursor": self.cursor} if self.cursor else {}
        return urlencode({**self.parameters, **cursor})

    @property
    def view(self) -> str:
        """The view from its first page; the same text for the same view."""
        return urlencode(self.parameters)


def _is_understood(name: str, value: str) -> bool:
    if bad_characters(value):
        return False
    try:
        CLIENT_FILTERS[CONDITIONS[name]](value)
    except ValueError:
        return False
    return True
