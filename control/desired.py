"""Peers' rows as the values that an apply works on, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection

from control.many import among
from control.work import Row
from gateways.models import GlobalSetting, Interface
from gateways.sealing import open_interface_key
from peers.sealing import open_preshared_key
from vault.ring import RingError
from wireguard.allowed_ips import sort_networks
from wireguard.errors import InvalidConfig
from wireguard.types import Applied, DeviceConfig, InterfaceConfig, PeerConfig, Secret

_FIELDS = (
    "id", "uuid", "public_key", "preshared_key", "persistent_keepalive", "endpoint", "blocked",
    "generation", "deleted_at", "quarantine_reason", "applied_key", "applied_allowed_ips",
    "applied_psk", "applied_keepalive", "applied_endpoint", "applied_unknown", "observed_endpoint",
    "applied_generation",
)  # fmt: skip


#: Rows that are named one by one in a statement, at most.
_PART: Final = 2500


@dataclass(frozen=True)
class Loaded:
    """Rows, and those that cannot be used, with the reason."""

    rows: list[Row]
    problems: dict[int, str]


def load_for(interface: Interface, *, peer_ids: Collection[int], keys: Collection[str]) -> Loaded:
    """The rows of these peers, and every row of the interface that speaks of these keys.

    Three look-ups, each by an index of its own: of one condition with OR, SQLite makes a walk
    through all rows of the interface (16 ms at 10,000 peers).
    """
    own = "SELECT id FROM peers_peer WHERE interface_id = %s AND"
    parts = [
        among("id", peer_ids, "bigint"),
        among("applied_key", keys, "text"),
        among("public_key", keys, "text"),
    ]
    (by_id, ids), (by_applied, applied), (by_key, wanted) = parts
    pk = interface.pk
    return _load(
        f"id IN ({own} {by_id} UNION {own} {by_applied}"
        f" UNION {own} {by_key} AND deleted_at IS NULL)",
        [pk, *ids, pk, *applied, pk, *wanted],
    )


def load_all(interface: Interface) -> Loaded:
    """Every row of the interface that is wanted, or may still be on it."""
    return _load("interface_id = %s AND (deleted_at IS NULL OR applied_key <> '')", [interface.pk])


def _load(condition: str, values: list[Any]) -> Loaded:
    """Two statements whatever the number of peers; ``condition`` holds marks, never values."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(_FIELDS)} FROM peers_peer WHERE {condition}",  # noqa: S608
            values,
        )
        records = cursor.fetchall()
        # Of a part of the interface the rows are known now; of all of it the condition is shorter.
        chosen = f"SELECT id FROM peers_peer WHERE {condition}"  # noqa: S608
        holders, names = f"peer_id IN ({chosen})", values
        if len(records) <= _PART:
            holders, names = among("peer_id", [record[0] for record in records], "bigint")
        cursor.execute(
            f"SELECT peer_id, address, family FROM peers_peeraddress WHERE {holders}"  # noqa: S608
            f" UNION ALL SELECT peer_id, network, 0 FROM peers_peernetwork WHERE {holders}",
            [*names, *names],
        )
        allowed: dict[int, list[str]] = {}
        for peer_id, text, family in cursor.fetchall():
            allowed.setdefault(peer_id, []).append(text + _LENGTHS[family])
    rows, problems = [], {}
    for record in records:
        try:
            rows.append(_row(record, allowed.get(record[0], [])))
        except (RingError, InvalidConfig) as error:
            problems[record[0]] = f"its row cannot be used: {error}"
            rows.append(_row((*record[:3], "", *record[4:]), []))
    return Loaded(rows, problems)


#: What an address lacks to be a network, by its family; a network (0) lacks nothing.
_LENGTHS = {4: "/32", 6: "/128", 0: ""}


def _row(record: tuple[Any, ...], allowed: Iterable[str]) -> Row:
    (
        pk, uuid, public_key, psk, keepalive, endpoint, blocked, generation, deleted_at, quarantine,
        applied_key, applied_ips, applied_psk, applied_keepalive, applied_endpoint, unknown, seen,
        reached,
    ) = record  # fmt: skip
    return Row(
        id=pk,
        config=PeerConfig(
            public_key,
            () if blocked else sort_networks(allowed),
            open_preshared_key(_uuid(uuid), psk),
            keepalive,
            endpoint or None,
        ),
        generation=generation,
        deleted=deleted_at is not None,
        quarantined=bool(quarantine),
        applied_key=applied_key,
        applied=None
        if unknown
        else Applied(
            tuple(applied_ips.split(",")) if applied_ips else (),
            applied_psk,
            applied_keepalive,
            applied_endpoint,
        ),
        seen_at=seen,
        blocked=blocked,
        pending=reached < generation,
    )


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def device(interface: Interface, peers: Iterable[PeerConfig]) -> DeviceConfig:
    """The whole interface as a configuration: the text of a boot file, or of `wg syncconf`."""
    return DeviceConfig(interface_config(interface), tuple(peers))


def interface_config(interface: Interface, key: Secret | None = None) -> InterfaceConfig:
    """The interface's own settings; its sealed key is opened unless ``key`` is given."""
    return InterfaceConfig(
        private_key=key or open_interface_key(interface.uuid, interface.private_key),
        listen_port=interface.listen_port,
        fwmark=firewall_mark(interface),
        addresses=tuple(interface.addresses),
        mtu=interface.mtu,
        table=interface.table or _default_table(),
        pre_up=tuple(interface.pre_up),
        post_up=tuple(interface.post_up),
        pre_down=tuple(interface.pre_down),
        post_down=tuple(interface.post_down),
    )


def firewall_mark(interface: Interface) -> int | None:
    """The mark of the interface's own packets: its own, or else the global setting's."""
    if interface.firewall_mark is not None:
        return interface.firewall_mark
    return GlobalSetting.objects.values_list("firewall_mark", flat=True).get(pk=1) or None


def _default_table() -> str | None:
    """The global setting's routing table; None for "auto", which is what no word means too."""
    table = GlobalSetting.objects.values_list("table", flat=True).get(pk=1)
    return None if table == "auto" else table
