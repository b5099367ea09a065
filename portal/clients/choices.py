"""The values that a condition of the list can have, each as a link."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Count, Q
from django.utils.translation import gettext, ngettext

from gateways.models import Interface
from peers.models import Client, Peer
from peers.sold import MAX_DAYS
from portal import formats
from portal.clients.tables import Table
from portal.clients.wording import CHIPS, STATE_WORDS
from tenants.scoping import visible

#: So many tags are offered; any can be written.
TAGS: Final = 30


@dataclass(frozen=True)
class Value:
    """One value: words, the view with it, and how many of all clients have it if that is known."""

    words: str
    link: str
    count: int | None = None


@dataclass(frozen=True)
class Choice:
    """A condition: what it is called, its values, and the field in which others are written."""

    name: str
    title: str
    values: tuple[Value, ...]
    field: str = ""
    most: int | None = None


def of(table: Table, name: str) -> Choice:
    """The choice of this condition, for a view."""
    pairs = _VALUES[name](table)
    values = tuple(
        Value(words, table.address.having(**{name: value}).query, count)
        for value, words, count in pairs
    )
    fields = {
        "tag": gettext("Another tag"),
        "ends": gettext("Within so many days"),
        "over": gettext("At so many percent"),
    }
    most = {"ends": MAX_DAYS, "over": 100}.get(name)
    return Choice(name, str(CHIPS[name]), values, fields.get(name, ""), most)


Found = Iterator[tuple[str, str, int | None]]


def _states(_: Table) -> Found:
    for state, words in STATE_WORDS.items():
        yield state, str(words), None


def _online(_: Table) -> Found:
    yield "true", gettext("online"), None
    yield "false", gettext("not online"), None


def _plans(table: Table) -> Found:
    counts = table.place.rows.filter(plan__isnull=False).order_by().values("plan__uuid")
    named = counts.annotate(n=Count("pk")).values_list("plan__uuid", "plan__name", "n")
    for uuid, name, count in sorted(named, key=lambda row: str(row[1]).casefold()):
        yield str(uuid), name, count


def _interfaces(table: Table) -> Found:
    caller = table.place.caller
    peers = Peer.objects.filter(deleted_at__isnull=True)
    if caller is not None:
        peers = visible(peers, caller)
    counts = dict(
        peers.order_by()
        .values("interface")
        .annotate(n=Count("client", distinct=True))
        .values_list("interface", "n")
    )
    for row in Interface.objects.filter(Q(pk__in=list(counts))).select_related("gateway"):
        yield str(row.uuid), f"{row.gateway.slug} {row.name}", counts[row.pk]


def _tags(table: Table) -> Found:
    caller = table.place.caller
    for tag, count in _tag_counts(None if caller is None else caller.tenant_id):
        yield tag, tag, count


def _tag_counts(tenant_id: int | None) -> list[tuple[str, int]]:
    postgresql = connection.vendor == "postgresql"
    spread = "jsonb_array_elements_text(c.tags) AS t(value)"
    spread = spread if postgresql else "json_each(c.tags) AS t"
    whose, values = ("AND c.tenant_id = %s", [tenant_id]) if tenant_id else ("", [])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.value, COUNT(*) FROM {Client._meta.db_table} c, {spread}"  # noqa: S608
            f" WHERE c.deleted_at IS NULL {whose}"
            f" GROUP BY t.value ORDER BY COUNT(*) DESC, t.value LIMIT {TAGS}",
            values,
        )
        return [(str(tag), int(count)) for tag, count in cursor.fetchall()]


def _ends(_: Table) -> Found:
    for days in (1, 3, 7, 14, 30):
        text = ngettext("within %s day", "within %s days", days)
        yield str(days), text % formats.number(days), None


def _over(_: Table) -> Found:
    for percent in (50, 80, 90, 100):
        yield str(percent), gettext("%s %% or more used") % formats.number(percent), None


_VALUES: Final[Mapping[str, Callable[[Table], Found]]] = {
    "state": _states,
    "online": _online,
    "plan": _plans,
    "interface": _interfaces,
    "tag": _tags,
    "ends": _ends,
    "over": _over,
}
NAMES: Final = frozenset(_VALUES)
