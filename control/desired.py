"""Peers' rows as the values that an apply works on, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from control.work import Row
from gateways.models import Interface
from gateways.sealing import open_interface_key
from peers.models import Peer, PeerAddress, PeerNetwork
from peers.sealing import open_preshared_key
from vault.ring import RingError
from wireguard.allowed_ips import sort_networks
from wireguard.types import Applied, DeviceConfig, InterfaceConfig, PeerConfig, Secret

_FIELDS = (
    "id", "uuid", "public_key", "preshared_key", "persistent_keepalive", "endpoint", "blocked",
    "generation", "deleted_at", "quarantine_reason", "applied_key", "applied_allowed_ips",
    "applied_psk", "applied_keepalive", "applied_endpoint", "applied_unknown", "observed_endpoint",
)  # fmt: skip


@dataclass(frozen=True)
class Loaded:
    """Rows, and those that cannot be used, with the reason."""

    rows: list[Row]
    problems: dict[int, str]


def load_for(interface: Interface, *, peer_ids: Collection[int], keys: Collection[str]) -> Loaded:
    """The rows of these peers, and every row of the interface that speaks of these keys."""
    chosen = Peer.objects.filter(interface=interface).filter(
        Q(pk__in=peer_ids) | Q(applied_key__in=keys) | Q(public_key__in=keys, deleted_at=None)
    )
    return _load(chosen, peer_ids)


def load_all(interface: Interface) -> Loaded:
    """Every row of the interface that is wanted, or may still be on it."""
    return _load(
        Peer.objects.filter(interface=interface).filter(Q(deleted_at=None) | ~Q(applied_key=""))
    )


def _load(peers: QuerySet[Peer], peer_ids: Collection[int] | None = None) -> Loaded:
    records = list(peers.values_list(*_FIELDS))
    ids = None if peer_ids is None else [record[0] for record in records]
    allowed = _allowed_ips(peers, ids)
    rows, problems = [], {}
    for record in records:
        try:
            rows.append(_row(record, allowed.get(record[0], [])))
        except RingError as error:
            problems[record[0]] = f"its preshared key does not open: {error}"
            rows.append(_row((*record[:3], "", *record[4:]), allowed.get(record[0], [])))
    return Loaded(rows, problems)


def _allowed_ips(peers: QuerySet[Peer], ids: list[int] | None) -> dict[int, list[str]]:
    """Addresses and networks by peer; two queries whatever the number of peers."""
    chosen: Any = peers.values("pk") if ids is None else ids
    found: dict[int, list[str]] = {}
    for peer_id, address, family in PeerAddress.objects.filter(peer__in=chosen).values_list(
        "peer_id", "address", "family"
    ):
        found.setdefault(peer_id, []).append(f"{address}/{32 if family == 4 else 128}")
    for peer_id, network in PeerNetwork.objects.filter(peer__in=chosen).values_list(
        "peer_id", "network"
    ):
        found.setdefault(peer_id, []).append(network)
    return found


def _row(record: tuple[Any, ...], allowed: Iterable[str]) -> Row:
    (
        pk, uuid, public_key, psk, keepalive, endpoint, blocked, generation, deleted_at, quarantine,
        applied_key, applied_ips, applied_psk, applied_keepalive, applied_endpoint, unknown, seen,
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
        fwmark=interface.firewall_mark,
        addresses=tuple(interface.addresses),
        mtu=interface.mtu,
        table=interface.table or None,
        pre_up=tuple(interface.pre_up),
        post_up=tuple(interface.post_up),
        pre_down=tuple(interface.pre_down),
        post_down=tuple(interface.post_down),
    )
