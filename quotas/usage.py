"""Sums of the ledger over time: what was used, by whom, when. Any number of rows in one statement.

A sum is that of the buckets and of the segments that are not rolled up yet. Both are read by one
statement, so a roll-up at the same time can neither hide a byte nor show it twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from quotas.spans import Bytes, place

QUARTER_S: Final = 900
_SUMS: Final = "SUM(raw_up), SUM(raw_down), SUM(billed_up), SUM(billed_down)"


@dataclass(frozen=True)
class Whose:
    """Whose bytes: a condition on rows that have a meter, a tenant and an interface."""

    condition: str
    values: tuple[Any, ...]


def of_tenant(tenant_id: int) -> Whose:
    """All that was used under a tenant, by clients that are gone too."""
    return Whose("tenant_id = %s", (tenant_id,))


def of_everybody() -> Whose:
    """All that was used at all: every tenant is named, for the index is by tenant and time."""
    tenants = "SELECT id FROM tenants_tenant"
    among = f"= ANY(ARRAY({tenants}))" if connection.vendor == "postgresql" else f"IN ({tenants})"
    return Whose(f"tenant_id {among}", ())


def of_client(tenant_id: int, client_uuid: UUID) -> Whose:
    """What a client used under this tenant, by devices that are gone too."""
    meters = "SELECT id FROM quotas_meter WHERE tenant_id = %s AND client_uuid = %s"
    uuid = client_uuid if connection.features.has_native_uuid_field else client_uuid.hex
    return Whose(
        f"tenant_id = %s AND meter_id IN ({meters})",
        (tenant_id, tenant_id, uuid),
    )


def of_clients(client_ids: Collection[int]) -> Whose:
    """What these clients used by the devices that they have, and had."""
    marks = ", ".join(["%s"] * len(client_ids))
    meters = f"SELECT id FROM quotas_meter WHERE client_id IN ({marks})"  # noqa: S608
    return Whose(f"meter_id IN ({meters})", tuple(client_ids))


def of_peer(tenant_id: int, peer_id: int) -> Whose:
    """What a device used under this tenant."""
    meters = "SELECT id FROM quotas_meter WHERE peer_id = %s"
    return Whose(
        f"tenant_id = %s AND meter_id IN ({meters})",
        (tenant_id, peer_id),
    )


def on_interface(whose: Whose, interface_id: int) -> Whose:
    """Of these bytes, those that went over an interface."""
    return Whose(f"{whose.condition} AND interface_id = %s", (*whose.values, interface_id))


@dataclass(frozen=True)
class Series:
    """The bytes between each two edges; ``coarse`` when a row of it spans more than its point."""

    edges: list[datetime]
    points: list[Bytes]
    coarse: bool


def series(whose: Whose, edges: list[datetime]) -> Series:
    """What was used in each of these spans; none is left out."""
    rows = _select("begins_at, seconds", whose, edges[0], edges[-1])
    points = [Bytes()] * (len(edges) - 1)
    coarse = False
    found = ((_moment(begins_at), (int(seconds), sums)) for begins_at, seconds, *sums in rows)
    for index, (seconds, sums) in place(edges, found):
        points[index] = points[index].plus(_bytes(sums))
        coarse |= seconds > (edges[index + 1] - edges[index]).total_seconds()
    return Series(edges, points, coarse)


def total(whose: Whose, since: datetime, until: datetime) -> Bytes:
    """What was used in all between these two moments (both at quarters of an hour)."""
    rows = _select("1", whose, since, until)
    return _bytes(rows[0][1:]) if rows else Bytes()


def by_interface(whose: Whose, since: datetime, until: datetime) -> dict[int, Bytes]:
    """What was used on each interface, by its number; one that is gone keeps it."""
    rows = _select("interface_id", whose, since, until)
    return {int(key): _bytes(sums) for key, *sums in rows}


def by_meter(whose: Whose, since: datetime, until: datetime) -> dict[int, Bytes]:
    """What each meter counted, by its number."""
    rows = _select("meter_id", whose, since, until)
    return {int(key): _bytes(sums) for key, *sums in rows}


def by_tenant(since: datetime, until: datetime) -> dict[int, Bytes]:
    """What was used under each tenant, by its number."""
    rows = _select("tenant_id", of_everybody(), since, until)
    return {int(key): _bytes(sums) for key, *sums in rows}


def parts(whose: Whose, since: datetime, until: datetime) -> tuple[str, list[Any]]:
    """The rows that are summed, as SQL: buckets, and what they do not hold yet of the ledger."""
    low, high = _stored(since), _stored(until)
    text = f"""
        SELECT meter_id, tenant_id, interface_id, begins_at, seconds,
            raw_up, raw_down, billed_up, billed_down
        FROM quotas_usagebucket WHERE {whose.condition} AND begins_at >= %s AND begins_at < %s
        UNION ALL
        SELECT meter_id, tenant_id, interface_id, quarter, {QUARTER_S},
            to_rx - from_rx, to_tx - from_tx, billed_up, billed_down
        FROM quotas_ledgersegment
        WHERE {whose.condition} AND quarter >= %s AND quarter < %s AND NOT rolled_up
    """  # noqa: S608  constants of this module; the values are bound
    return text, [*whose.values, low, high, *whose.values, low, high]


def _select(group: str, whose: Whose, since: datetime, until: datetime) -> Sequence[Any]:
    text, values = parts(whose, since, until)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {group}, {_SUMS} FROM ({text}) AS parts GROUP BY {group}",  # noqa: S608
            values,
        )
        return list(cursor.fetchall())


def _bytes(sums: Collection[Any]) -> Bytes:
    return Bytes(*(int(one or 0) for one in sums))


def _stored(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _moment(value: Any) -> datetime:
    """SQLite hands out a text, in UTC without saying so."""
    at: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
