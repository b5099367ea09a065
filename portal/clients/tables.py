"""The table of clients for its templates: lines, heads, chips, what is said when it is empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b

from django.utils.translation import get_language, gettext

from portal import formats
from portal.clients import queries
from portal.clients.address import Address
from portal.clients.columns import COLUMNS, Column
from portal.clients.places import Place
from portal.clients.rows import Row, row_of
from portal.clients.wording import CHIPS, OFFERED, Chip, chips_of, value_words


@dataclass(frozen=True)
class Head:
    """The head of a column; ``link`` sorts by it, ``sorted`` says how it is sorted now."""

    column: Column
    link: str
    sorted: str


@dataclass(frozen=True)
class Line:
    """A row and where it leads."""

    row: Row
    url: str


@dataclass(frozen=True)
class InTheWay:
    """Why nothing is shown: the condition without which there would be most, and how many."""

    words: str
    count: int
    link: str


@dataclass(frozen=True)
class Table:
    """One page of a list of clients. What is not asked for is not read."""

    place: Place
    address: Address
    at: datetime

    @cached_property
    def window(self) -> queries.Window:
        rows = queries.narrowed(self.place.rows, self.address.filters)
        return queries.window(rows, self.address, self.at)

    @cached_property
    def pulse(self) -> queries.Pulse:
        return queries.pulse(self.window.ids, self.at)

    @property
    def etag(self) -> str:
        """Names what is shown, in the reader's language and ways."""
        parts = (self.pulse.text, get_language(), formats.number(1.5, 1), self.address.columns)
        return f'"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        views = queries.views_of(self.place.rows, self.window.ids)
        shows = "today" in self.address.columns
        moved = queries.today(self.window.ids, self.at) if shows else {}
        everybody = self.place.caller is None
        return tuple(
            Line(
                row_of(one, self.at, moved, tenant=one.client.tenant.name if everybody else ""),
                self.place.client_url(one.client),
            )
            for one in views
        )

    @property
    def list_name(self) -> str:
        """The rows in their order, short: the page counts what changed in it."""
        return " ".join(line.row.key for line in self.lines)

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(one for one in COLUMNS if one.name in self.address.columns)

    @property
    def shown(self) -> frozenset[str]:
        """The names of the columns."""
        return frozenset(self.address.columns)

    @property
    def name_head(self) -> Head:
        return self._head(Column("name", gettext("Client"), sort="name"))

    @property
    def heads(self) -> tuple[Head, ...]:
        return tuple(self._head(column) for column in self.columns)

    def _head(self, column: Column) -> Head:
        if not column.sort:
            return Head(column, "", "")
        now, up, down = self.address.sort, column.sort, f"-{column.sort}"
        first, second = (down, up) if column.falls else (up, down)
        link = self.address.sorted_by(second if now == first else first).query
        return Head(column, link, {up: "ascending", down: "descending"}.get(now, ""))

    @cached_property
    def chips(self) -> tuple[Chip, ...]:
        return chips_of(self.address, self.place.caller)

    @property
    def offered(self) -> Iterator[tuple[str, str]]:
        """The conditions that can be added: words, and where they are chosen."""
        for name in OFFERED:
            if name not in self.address.conditions and (self.place.caller or name != "plan"):
                yield str(CHIPS[name]), f"{self.place.filter_url(name)}?{self.address.query}"

    @property
    def is_bare(self) -> bool:
        """Whether nothing narrows it down: then no row means that there is no client."""
        return not self.address.conditions

    @property
    def following(self) -> str:
        cursor = self.window.following
        return self.address.at(cursor).query if cursor else ""

    @property
    def preceding(self) -> str:
        cursor = self.window.preceding
        return self.address.at(cursor).query if cursor else ""

    @property
    def in_the_way(self) -> InTheWay | None:
        """Of an empty view; None when no condition alone is to blame."""
        if len(self.address.conditions) < 2:
            return None
        name, count = queries.in_the_way(self.place.rows, self.address)
        if not count:
            return None
        value = value_words(name, self.address.conditions[name], self.place.caller)
        words = f"“{value}”" if name == "q" else value
        return InTheWay(words, count, self.address.having(**{name: ""}).query)
