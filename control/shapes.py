"""The speeds that are set, as they are written down (`quotas.Shape`): read and written in bulk."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from django.db import connection

from control.allotted import Allotted
from control.many import Upsert, among, db_time
from gateways.models import Interface
from wireguard.shaper import Speed

#: Rows that are named one by one in a statement, at most.
_PART: Final = 2500
_SHAPE: Final = Upsert(
    "quotas_shape",
    ("peer_id",),
    "tenant_id = EXCLUDED.tenant_id, interface_id = EXCLUDED.interface_id,"
    " minor = EXCLUDED.minor, up_kbit = EXCLUDED.up_kbit, down_kbit = EXCLUDED.down_kbit,"
    " addresses = EXCLUDED.addresses, applied_at = EXCLUDED.applied_at",
    "1 = 1",  # a device that was moved had its speed set on another interface
    {
        "peer_id": "bigint", "tenant_id": "bigint", "interface_id": "bigint", "minor": "int",
        "up_kbit": "bigint", "down_kbit": "bigint", "addresses": "text",
        "applied_at": "timestamptz",
    },
)  # fmt: skip


def written_down(interface: Interface, peer_ids: Collection[int] | None = None) -> dict[int, Speed]:
    """What is set on an interface, by device; of these devices alone, if they are named."""
    if peer_ids is None:
        return _read("interface_id = %s", [interface.pk])
    found: dict[int, Speed] = {}
    for part in _parts(peer_ids):
        condition, values = among("peer_id", part, "bigint")
        found.update(_read(f"interface_id = %s AND {condition}", [interface.pk, *values]))
    return found


def left_behind(interface: Interface) -> dict[int, Speed]:
    """What is set on an interface for devices that were moved to another."""
    return _read(
        "interface_id = %s AND peer_id IN (SELECT p.id FROM peers_peer p"
        " WHERE p.id = quotas_shape.peer_id AND p.interface_id <> quotas_shape.interface_id)",
        [interface.pk],
    )


def _read(condition: str, values: list[Any]) -> dict[int, Speed]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT peer_id, minor, up_kbit, down_kbit, addresses"  # noqa: S608  no values in it
            f" FROM quotas_shape WHERE {condition}",
            values,
        )
        return {
            peer_id: Speed(minor, up, down, tuple(addresses.split(",")) if addresses else ())
            for peer_id, minor, up, down, addresses in cursor.fetchall()
        }


def write_down(interface: Interface, rows: Collection[Allotted], *, at: datetime) -> None:
    """What is set of these devices from now on, in the caller's transaction."""
    shapes = [
        (
            row.peer_id, row.tenant_id, interface.pk, row.minor, row.up_kbit, row.down_kbit,
            ",".join(row.addresses), db_time(at),
        )
        for row in rows
        if row.limited and row.minor
    ]  # fmt: skip
    with connection.cursor() as cursor:
        # Away first, those that change too: two may have changed their numbers with one another.
        for part in _parts([row.peer_id for row in rows]):
            condition, values = among("peer_id", part, "bigint")
            cursor.execute(
                f"DELETE FROM quotas_shape WHERE interface_id = %s AND {condition}",  # noqa: S608
                [interface.pk, *values],
            )
        _SHAPE.run(cursor, shapes)


def cross_out(interface: Interface) -> None:
    """Nothing is set on the interface any more."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM quotas_shape WHERE interface_id = %s", [interface.pk])


def _parts(ids: Collection[int]) -> Iterable[list[int]]:
    every = list(ids)
    return (every[start : start + _PART] for start in range(0, len(every), _PART))
