"""How fast each device may be: the least of what was sold, its tenant's limit and a throttle.

Each device has a queue of its own at its client's speed: a client's devices may be on interfaces
of several hosts, where no queue could be shared, and how fast one is must not depend on where the
others are. Who sells a speed also says how many devices share in the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from django.db import connection

from control.many import among
from gateways.models import Interface
from wireguard.shaper import FIRST_MINOR, LAST_MINOR, Speed

_NONE: Final = 2**62
#: Rows that are named one by one in a statement, at most.
_PART: Final = 2500
_LENGTHS: Final = {4: "/32", 6: "/128", 0: ""}


class Allotted(NamedTuple):
    """A device's speed as it should be; ``minor`` 0: it has no number on the interface yet."""

    peer_id: int
    tenant_id: int
    minor: int
    up_kbit: int | None
    down_kbit: int | None
    addresses: tuple[str, ...] = ()

    @property
    def speed(self) -> Speed:
        """The same, without whose it is."""
        return Speed(self.minor, self.up_kbit, self.down_kbit, self.addresses)

    @property
    def limited(self) -> bool:
        """Whether there is anything to limit."""
        return self.up_kbit is not None or self.down_kbit is not None


def allotted(
    interface: Interface, *, peer_ids: Collection[int] | None = None, changed: bool = False
) -> list[Allotted]:
    """Devices of the interface that have a speed, or had one, with their addresses.

    ``peer_ids`` are asked of alone; ``changed`` leaves out those whose speed is set already.
    """
    least = "LEAST" if connection.vendor == "postgresql" else "MIN"
    which, values = "p.interface_id = %s", [interface.pk]
    if peer_ids is not None:
        condition, ids = among("p.id", peer_ids, "bigint")
        which, values = f"{which} AND {condition}", [*values, *ids]
    # A device that was moved may still have a speed set on the other interface.
    rows = (
        f"SELECT p.id, p.tenant_id, s.minor, {_allowed(least, 'upload')} AS up,"  # noqa: S608
        f" {_allowed(least, 'download')} AS down, COALESCE(s.up_kbit, {_NONE}) AS set_up,"
        f" COALESCE(s.down_kbit, {_NONE}) AS set_down FROM peers_peer p"
        " JOIN peers_client c ON c.id = p.client_id"
        " JOIN tenants_tenant t ON t.id = p.tenant_id"
        " LEFT JOIN quotas_usage u ON u.client_id = p.client_id"
        " LEFT JOIN quotas_shape s ON s.peer_id = p.id AND s.interface_id = p.interface_id"
        f" WHERE {which}"
    )
    kept = "up <> set_up OR down <> set_down"
    if not changed:
        kept = f"up < {_NONE} OR down < {_NONE} OR set_up < {_NONE} OR set_down < {_NONE}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, tenant_id, minor, up, down FROM ({rows}) AS q WHERE {kept} ORDER BY id",  # noqa: S608
            values,
        )
        found = [
            Allotted(pk, tenant, minor or 0, _kbit(up), _kbit(down))
            for pk, tenant, minor, up, down in cursor.fetchall()
        ]
    addresses = _addresses(interface, [row.peer_id for row in found if row.limited])
    return [row._replace(addresses=addresses.get(row.peer_id, ())) for row in found]


def _allowed(least: str, way: str) -> str:
    return (
        f"CASE WHEN p.blocked OR p.deleted_at IS NOT NULL THEN {_NONE} ELSE {least}("
        f"COALESCE(c.{way}_kbit, {_NONE}), COALESCE(t.max_speed_kbit, {_NONE}),"
        f" CASE WHEN u.throttled_since IS NULL THEN {_NONE}"
        f" ELSE COALESCE(c.throttle_kbit, {_NONE}) END) END"
    )


def _kbit(number: int) -> int | None:
    return None if number == _NONE else number


def _addresses(interface: Interface, peer_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    if not peer_ids:
        return {}
    condition, values = among("peer_id", peer_ids, "bigint")
    if len(peer_ids) > _PART:
        condition = "peer_id IN (SELECT id FROM peers_peer WHERE interface_id = %s)"
        values = [interface.pk]
    found: dict[int, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT peer_id, address, family FROM peers_peeraddress WHERE {condition}"  # noqa: S608
            f" UNION ALL SELECT peer_id, network, 0 FROM peers_peernetwork WHERE {condition}",
            [*values, *values],
        )
        for peer_id, text, family in cursor.fetchall():
            found.setdefault(peer_id, []).append(text + _LENGTHS[family])
    return {peer_id: tuple(sorted(texts, key=_order)) for peer_id, texts in found.items()}


def _order(network: str) -> tuple[bool, str]:
    return ":" in network, network


def numbered(rows: Iterable[Allotted], *, taken: Collection[int]) -> list[Allotted]:
    """Give those that are limited and have no number the lowest that are free.

    Beyond the last number nobody is limited any more; see `wireguard.shaper`.
    """
    free = (minor for minor in range(FIRST_MINOR, LAST_MINOR + 1) if minor not in taken)
    return [
        row._replace(minor=next(free, 0)) if row.limited and not row.minor else row for row in rows
    ]


def given(interface: Interface) -> set[int]:
    """The numbers that are given on an interface."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT minor FROM quotas_shape WHERE interface_id = %s", [interface.pk])
        return {minor for (minor,) in cursor.fetchall()}
