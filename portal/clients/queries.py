"""What the list of clients reads: one page of it in a constant number of queries, whatever the
number of clients, and whether that page changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any, Final

from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    When,
)
from django.db.models.functions import Coalesce, Greatest, Lower, NullIf
from django.utils.timezone import localtime
from rest_framework.exceptions import ValidationError

from gateways.models import Interface, JobItem
from peers.conditions import devices_of_client, strongest_hold
from peers.filters import CLIENT_FILTERS, online
from peers.models import Client, Peer
from peers.queries import ONLINE_WITHIN, ClientView, view_clients
from portal.clients.address import Address
from quotas.models import Hold, Meter, Usage
from quotas.usage import by_meter, of_clients
from rest.pagination import Cursor, Order
from tenants.prepared import Prepared

PAGE: Final = 50


@dataclass(frozen=True)
class Window:
    """Which clients are on the page, in order; cursors of the pages beside it, "" for none."""

    ids: tuple[int, ...]
    following: str
    preceding: str

    @property
    def is_all(self) -> bool:
        """Whether nothing of the view is elsewhere."""
        return not (self.following or self.preceding)


@dataclass(frozen=True)
class Pulse:
    """Whether something on the page changed: a text that is another one then; and how old the
    oldest reading is that it shows."""

    text: str
    observed_at: datetime | None


def narrowed(rows: QuerySet[Client], conditions: Mapping[str, str]) -> QuerySet[Client]:
    """Those that meet the conditions, which are understood (`Address.of`)."""
    for name, value in conditions.items():
        rows = rows.filter(CLIENT_FILTERS[name](value))
    return rows


def window(rows: QuerySet[Client], address: Address, at: datetime) -> Window:
    """The page of these clients that the address names. A cursor of another order is no cursor."""
    rows, column = sortable(rows, address.sort.removeprefix("-"), at)
    order = Order.of(rows, address.sort, column)
    cursor = _cursor(address)
    backwards = cursor is not None and cursor.backwards
    if cursor is not None:
        rows = rows.filter(order.beyond(cursor))
    rows = rows.order_by(*order.by(backwards))
    found = list(rows.values_list("pk", column)[: PAGE + 1])
    more, page = len(found) > PAGE, found[:PAGE]
    if backwards:
        page.reverse()

    def edge(place: int, *, backwards: bool) -> str:
        pk, value = page[place]
        return Cursor(address.sort, value, pk, backwards).encode()

    follows = bool(page) if backwards else more
    precedes = more if backwards else cursor is not None and bool(page)
    return Window(
        tuple(pk for pk, _ in page),
        edge(-1, backwards=False) if follows else "",
        edge(0, backwards=True) if precedes else "",
    )


def _cursor(address: Address) -> Cursor | None:
    if not address.cursor:
        return None
    try:
        return Cursor.decode(address.cursor, address.sort)
    except ValidationError:
        return None


# -- What the rows may be sorted by ---------------------------------------------------------

_UP: Final = F("usage__billed_up") - F("usage__base_up")
_DOWN: Final = F("usage__billed_down") - F("usage__base_down")


def sortable(rows: QuerySet[Client], name: str, at: datetime) -> tuple[QuerySet[Client], str]:
    """The rows with the column of this order (`portal.clients.address.SORTS`)."""
    columns = {"made": "pk", "ends": "expires_at"}
    if name in columns:
        return rows, columns[name]
    return rows.annotate(order=_ORDERS[name](at)), "order"


def _share() -> Case:
    """Percent of the limit that is nearest; null without one."""
    together = F("quota_bytes") + Coalesce(F("usage__extra_bytes"), 0)
    apart = Greatest(
        Coalesce(_percent(_UP, F("upload_quota_bytes")), 0),
        Coalesce(_percent(_DOWN, F("download_quota_bytes")), 0),
    )
    limited = Q(upload_quota_bytes__isnull=False) | Q(download_quota_bytes__isnull=False)
    return Case(
        When(quota_bytes__isnull=False, then=_percent(_UP + _DOWN, together)),
        When(limited, then=apart),
        output_field=BigIntegerField(),
    )


def _percent(used: Any, limit: Any) -> ExpressionWrapper[Any]:
    # By hundredths of the limit: a product of both is too large for a column.
    parts = NullIf(limit / 100, 0, output_field=BigIntegerField())
    return ExpressionWrapper(Coalesce(used, 0) / parts, output_field=BigIntegerField())


def _last_seen() -> Subquery:
    newest = devices_of_client().order_by().values("client").annotate(m=Max("last_handshake_at"))
    return Subquery(newest.values("m"))


def _by_state(at: datetime) -> Case:
    """Who is off first, by the reason; then who is online; then the others."""
    return Case(
        When(Exists(_open_holds()), then=strongest_hold()),
        When(online(at), then=100),
        default=101,
        output_field=BigIntegerField(),
    )


def _open_holds() -> QuerySet[Hold]:
    return Hold.objects.filter(client=OuterRef("pk"), closed_at__isnull=True)


_ORDERS: Final[Mapping[str, Callable[[datetime], Any]]] = {
    "name": lambda _: Lower("name", output_field=TextField()),
    "plan": lambda _: Lower("plan__name", output_field=TextField()),
    "used": lambda _: ExpressionWrapper(_UP + _DOWN, output_field=BigIntegerField()),
    "share": lambda _: _share(),
    "seen": lambda _: _last_seen(),
    "state": _by_state,
}


# -- The page, and whether it changed ---------------------------------------------------------


def _of_clients(model: type[Any], columns: Sequence[str], **conditions: Any) -> Prepared[Any]:
    def build(ids: Any) -> QuerySet[Any, Any]:
        rows: QuerySet[Any, Any] = model.objects.filter(client_id__in=ids, **conditions)
        return rows.order_by("client_id", "pk").values_list(*columns)

    return Prepared(build, [int])


_VERSIONS: Final = Prepared(
    lambda ids: Client.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "version"),
    [int],
)
_PEERS: Final = _of_clients(
    Peer,
    (
        "pk", "generation", "applied_generation", "verified_generation", "observed_present",
        "blocked", "quarantine_reason", "interface__enabled", "interface__state",
        "last_handshake_at", "interface_id", "interface__observed_at", "interface__simulated",
    ),
    deleted_at__isnull=True,
)  # fmt: skip
_HOLDS: Final = _of_clients(Hold, ("client_id", "reason"), closed_at__isnull=True)
_USED: Final = _of_clients(
    Usage,
    ("client_id", "period", "billed_up", "billed_down", "extra_bytes", "throttled_since"),
)
_TRIED: Final = Prepared(
    lambda ids: JobItem.objects.filter(peer_id__in=ids).order_by("pk").values_list("pk", "status"),
    [int],
)


def pulse(ids: Sequence[int], at: datetime) -> Pulse:
    """Of the clients on a page, in at most five short queries."""
    wanted = list(ids)
    peers = _PEERS(wanted)
    late = [row[0] for row in peers if row[1] > row[2]]
    since = at - ONLINE_WITHIN
    shown = [(*row[:10], row[9] is not None and row[9] >= since) for row in peers]
    hour = localtime(at).strftime("%Y%m%d%H")  # "in 4 h" goes by with it
    parts = (
        wanted, hour, _VERSIONS(wanted), shown, _HOLDS(wanted), _USED(wanted), _TRIED(late)
    )  # fmt: skip
    read = [row[11] for row in peers if row[11] is not None and row[7] and not row[12]]
    text = blake2b(repr(parts).encode(), digest_size=12).hexdigest()
    return Pulse(text, min(read, default=None))


def views_of(rows: QuerySet[Client], ids: Sequence[int]) -> list[ClientView]:
    """The clients of a page, in its order."""
    found = {client.pk: client for client in rows.filter(pk__in=ids)}
    return view_clients([found[pk] for pk in ids if pk in found])


def today(ids: Sequence[int], at: datetime) -> dict[int, int]:
    """What these clients moved since midnight, by their numbers; two queries."""
    if not ids:
        return {}
    midnight = localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    counted = by_meter(of_clients(ids), midnight, at)
    owners = Meter.objects.filter(client_id__in=ids).values_list("pk", "client_id")
    found: dict[int, int] = {}
    for meter, client in owners:
        sums = counted.get(meter)
        if client is not None and sums is not None:
            found[client] = found.get(client, 0) + sums.raw_up + sums.raw_down
    return found


# -- Counts -----------------------------------------------------------------------------------


def online_clients(rows: QuerySet[Client], at: datetime) -> int:
    """How many of these clients are connected."""
    return rows.filter(online(at)).count()


def in_the_way(rows: QuerySet[Client], address: Address) -> tuple[str, int]:
    """Of an empty view, the condition without which there are most clients, and how many."""
    names = address.conditions
    counts = {name: narrowed(rows, address.having(**{name: ""}).filters).count() for name in names}
    best = max(counts, key=partial(counts.__getitem__), default="")
    return best, counts.get(best, 0)


def interface_label(uuid: str) -> str:
    """How people call an interface: gateway and name."""
    row = Interface.objects.filter(uuid=uuid).values_list("gateway__slug", "name").first()
    return " ".join(row) if row else ""
