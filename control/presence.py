"""What a dump says of each peer, written to the rows that differ, and to no other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from control.drift import Known
from gateways.models import Interface
from peers.models import Peer
from wireguard.types import Applied, PeerStatus


class Shown(NamedTuple):
    """What a row repeats of the last dump."""

    id: int
    key: str
    present: bool
    endpoint: str
    handshake: int
    rx_bytes: int
    tx_bytes: int


_WRITE = (
    "UPDATE peers_peer SET observed_present = %s, observed_endpoint = %s, last_handshake_at = %s,"
    " rx_bytes = %s, tx_bytes = %s WHERE id = %s"
)
_VERIFY = "UPDATE peers_peer SET verified_generation = %s, verified_at = %s WHERE id = %s"


def load_known(interface: Interface) -> tuple[list[Known], list[Shown]]:
    """Every row that is wanted or may still be on the interface; one query."""
    known, shown = [], []
    records = (
        Peer.objects.filter(interface=interface)
        .filter(Q(deleted_at=None) | ~Q(applied_key="") | Q(observed_present=True))
        .values_list(
            "id",
            "public_key",
            "deleted_at",
            "quarantine_reason",
            "applied_key",
            "applied_allowed_ips",
            "applied_psk",
            "applied_keepalive",
            "applied_endpoint",
            "applied_unknown",
            "generation",
            "applied_generation",
            "verified_generation",
            "applied_seq",
            "observed_present",
            "observed_endpoint",
            "last_handshake_at",
            "rx_bytes",
            "tx_bytes",
        )
    )
    for (
        pk,
        public_key,
        deleted_at,
        quarantine,
        applied_key,
        ips,
        psk,
        keepalive,
        endpoint,
        unknown,
        generation,
        applied_generation,
        verified,
        seq,
        present,
        seen,
        handshake,
        rx,
        tx,
    ) in records.iterator(chunk_size=5000):
        applied = Applied(tuple(ips.split(",")) if ips else (), psk, keepalive, endpoint)
        known.append(
            Known(
                pk,
                public_key,
                deleted_at is None,
                bool(quarantine),
                applied_key,
                None if unknown else applied,
                generation,
                applied_generation,
                verified,
                seq,
            )
        )
        shown.append(
            Shown(
                pk,
                applied_key or public_key,
                present,
                seen,
                int(handshake.timestamp()) if handshake else 0,
                rx,
                tx,
            )
        )
    return known, shown


def write_presence(
    running: Mapping[str, PeerStatus],
    shown: Collection[Shown],
    verified: Collection[Known],
    *,
    at: datetime,
) -> int:
    """Write what differs, in the caller's transaction; returns the number of rows written.

    An absent peer keeps its last endpoint, handshake and counters.
    """
    changed: list[tuple[Any, ...]] = []
    for row in shown:
        status = running.get(row.key)
        if status is None:
            if row.present:
                changed.append((False, *_columns(row), row.id))
            continue
        now = Shown(
            row.id,
            row.key,
            True,
            status.endpoint or row.endpoint,
            status.latest_handshake or row.handshake,
            status.rx_bytes,
            status.tx_bytes,
        )
        if now != row:
            changed.append((True, *_columns(now), row.id))
    confirmed = [
        (row.applied_generation, db_time(at), row.id)
        for row in verified
        if row.verified_generation != row.applied_generation
    ]
    with connection.cursor() as cursor:
        if changed:
            cursor.executemany(_WRITE, changed)
        if confirmed:
            cursor.executemany(_VERIFY, confirmed)
    return len(changed) + len(confirmed)


def _columns(row: Shown) -> tuple[Any, ...]:
    handshake = datetime.fromtimestamp(row.handshake, UTC) if row.handshake else None
    return row.endpoint, db_time(handshake), row.rx_bytes, row.tx_bytes


def db_time(value: datetime | None) -> Any:
    """A moment as the database driver wants it in a raw statement."""
    return None if value is None else connection.ops.adapt_datetimefield_value(value)
