"""What a dump says of each peer, written to the rows that differ, and to no other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, Func, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from control.drift import Known
from control.many import Update, db_time, lock_peers
from control.samples import Counted
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
    #: The apply that touched the row last: a later one has newer readings than this dump.
    applied_seq: int


_WRITE = Update(
    "peers_peer",
    "observed_present = {present}, observed_endpoint = {endpoint}, last_handshake_at = {handshake}",
    "id = {row} AND applied_seq = {seq}",
    {
        "present": "bool", "endpoint": "text", "handshake": "timestamptz", "row": "bigint",
        "seq": "bigint",
    },
)  # fmt: skip
_VERIFY = Update(
    "peers_peer",
    "verified_generation = {generation}, verified_at = {at}",
    "id = {row}",
    {"generation": "bigint", "at": "timestamptz", "row": "bigint"},
)


class _Record(NamedTuple):
    """What an observation reads of a peer's row, by the names of `_records`."""

    id: int
    public_key: str
    deleted_at: datetime | None
    quarantine_reason: str
    applied_key: str
    applied_allowed_ips: str
    applied_psk: str
    applied_keepalive: int | None
    applied_endpoint: str
    applied_unknown: bool
    generation: int
    applied_generation: int
    verified_generation: int
    applied_seq: int
    observed_present: bool
    observed_endpoint: str
    handshake: int | None
    meter__run: int | None
    meter__rx: int | None
    meter__tx: int | None
    meter__billing: bool | None


class _Seconds(Func):
    """A moment as whole Unix seconds: of 10,000 rows, that spares as many datetimes their making,
    which takes longer than to fetch the rows.
    """

    output_field = BigIntegerField()
    arity = 1

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []  # both databases hand out an integer

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        )

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint"
        )


@dataclass(frozen=True)
class Rows:
    """Rows of an interface, as each part of the books wants them."""

    known: list[Known] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    #: Applied keys whose counters are as their meters have them: most, at most times.
    resting: set[str] = field(default_factory=set)

    def add(self, record: _Record, status: PeerStatus | None = None, run: int = 0) -> None:
        self.known.append(_known(record))
        if status is not None and _rests(record, status, run):
            self.resting.add(record.applied_key)
        else:
            self.counted.append(_counted(record))


def load_known(
    interface: Interface, running: Mapping[str, PeerStatus] | None = None, run: int = 0
) -> Rows:
    """Every row that is wanted or may still be on the interface, with its meter; one query.

    ``running``: what a dump of this life of the interface shows; then only rows whose counters
    moved are looked at again.
    """
    shows = (running or {}).get
    rows = Peer.objects.filter(interface=interface).filter(
        Q(deleted_at=None) | ~Q(applied_key="") | Q(observed_present=True)
    )
    found = Rows()
    for values in _records(rows).iterator(chunk_size=5000):
        record = _Record._make(values)
        found.add(record, shows(record.applied_key), run)
        found.shown.append(_shown(record))
    return found


def load_buried(interface: Interface, running: Collection[str], found: Rows) -> None:
    """Add deleted rows whose key runs although nothing of them was ever written down as sent.

    They are a recorded cause: such a peer goes, and is no stray for the guard.
    """
    spoken = {key for row in found.known for key in (row.public_key, row.applied_key)}
    unknown = [key for key in running if key not in spoken]
    if not unknown:
        return
    rows = Peer.objects.filter(
        interface=interface, public_key__in=unknown, deleted_at__isnull=False
    )
    for values in _records(rows):
        found.add(_Record._make(values))


def _records(rows: QuerySet[Peer]) -> QuerySet[Peer, Any]:
    return rows.annotate(handshake=_Seconds("last_handshake_at")).values_list(*_Record._fields)


def _known(record: _Record) -> Known:
    ips = record.applied_allowed_ips
    applied = Applied(
        tuple(ips.split(",")) if ips else (),
        record.applied_psk,
        record.applied_keepalive,
        record.applied_endpoint,
    )
    return Known(
        record.id,
        record.public_key,
        record.deleted_at is None,
        bool(record.quarantine_reason),
        record.applied_key,
        None if record.applied_unknown else applied,
        record.generation,
        record.applied_generation,
        record.verified_generation,
        record.applied_seq,
    )


def _shown(record: _Record) -> Shown:
    return Shown(
        record.id,
        record.applied_key or record.public_key,
        record.observed_present,
        record.observed_endpoint,
        record.handshake or 0,
        record.applied_seq,
    )


def _rests(record: _Record, status: PeerStatus, run: int) -> bool:
    """Nothing moved, and the meter bills if and only if the device is on."""
    rx, tx = record.meter__rx or 0, record.meter__tx or 0
    return (
        (status.rx_bytes, status.tx_bytes) == (rx, tx)
        and (record.meter__run == run or not (rx or tx))
        and record.meter__billing in (None, bool(record.applied_allowed_ips))
        and record.applied_key != ""
    )


def _counted(record: _Record) -> Counted:
    off = bool(record.applied_key) and not record.applied_allowed_ips
    return Counted(
        record.id,
        record.public_key,
        record.deleted_at is None,
        record.applied_key,
        record.deleted_at is not None and record.applied_generation < record.generation,
        off and not record.applied_unknown,
        record.applied_seq,
        record.meter__run,
        record.meter__rx or 0,
        record.meter__tx or 0,
        record.meter__billing,
    )


def write_presence(
    running: Mapping[str, PeerStatus],
    shown: Collection[Shown],
    verified: Collection[Known],
    *,
    at: datetime,
    also: Iterable[int] = (),
) -> int:
    """Write what differs, in the caller's transaction; returns the number of rows written.

    An absent peer keeps its last endpoint and handshake. ``also`` are peers that the
    caller will write next: all are locked together.
    """
    changed: list[tuple[Any, ...]] = []
    for row in shown:
        status = running.get(row.key)
        if status is None:
            if row.present:
                changed.append((False, *_columns(row), row.id, row.applied_seq))
            continue
        now = Shown(
            row.id,
            row.key,
            True,
            status.endpoint or row.endpoint,
            status.latest_handshake or row.handshake,
            row.applied_seq,
        )
        if now != row:
            changed.append((True, *_columns(now), row.id, row.applied_seq))
    confirmed = [
        (row.applied_generation, db_time(at), row.id)
        for row in verified
        if row.verified_generation != row.applied_generation
    ]
    lock_peers([*(row[-2] for row in changed), *(row[-1] for row in confirmed), *also])
    with connection.cursor() as cursor:
        _WRITE.run(cursor, changed)
        _VERIFY.run(cursor, confirmed)
    return len(changed) + len(confirmed)


def _columns(row: Shown) -> tuple[Any, ...]:
    handshake = datetime.fromtimestamp(row.handshake, UTC) if row.handshake else None
    return row.endpoint, db_time(handshake)
