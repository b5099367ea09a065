"""Writing down what was sent: the applied state of peers. The worker's alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from control import meters
from control.many import Update, db_time, lock_peers
from control.work import Row, Work
from wireguard.types import PeerConfig, PeerStatus

_PUT = Update(
    "peers_peer",
    "applied_key = {key}, applied_allowed_ips = {ips}, applied_psk = {psk},"
    " applied_keepalive = {keepalive}, applied_endpoint = {endpoint},"
    " applied_generation = {generation}, applied_unknown = {unknown}, quarantine_reason = '',"
    " applied_seq = {seq}, applied_at = {at}",
    "id = {row}",
    {
        "key": "text", "ips": "text", "psk": "text", "keepalive": "int", "endpoint": "text",
        "generation": "bigint", "unknown": "bool", "seq": "bigint", "at": "timestamptz",
        "row": "bigint",
    },
)  # fmt: skip
_CLEAR = Update(
    "peers_peer",
    "applied_key = '', applied_allowed_ips = '', applied_psk = '', applied_keepalive = NULL,"
    " applied_endpoint = '', applied_unknown = {unknown}, applied_seq = {seq}, applied_at = {at},"
    " observed_present = {present}",
    "id = {row} AND applied_key = {key}",
    {
        "unknown": "bool", "seq": "bigint", "at": "timestamptz", "present": "bool",
        "row": "bigint", "key": "text",
    },
)  # fmt: skip
_UNKNOWN = Update(
    "peers_peer",
    "applied_unknown = {unknown}, applied_key = {key}, applied_seq = {seq}",
    "id = {row}",
    {"unknown": "bool", "key": "text", "seq": "bigint", "row": "bigint"},
)
_GENERATION = Update(
    "peers_peer",
    "applied_generation = {generation}, quarantine_reason = ''",
    "id = {row}",
    {"generation": "bigint", "row": "bigint"},
)
_LAST = Update(
    "peers_peer",
    "observed_endpoint = {endpoint}",
    "id = {row}",
    {"endpoint": "text", "row": "bigint"},
)
_QUARANTINE = Update(
    "peers_peer", "quarantine_reason = {reason}", "id = {row}", {"reason": "text", "row": "bigint"}
)


@dataclass
class Notes:
    """Rows of statements, collected while sending and written in one transaction."""

    seq: int
    at: datetime
    put: list[tuple[Any, ...]] = field(default_factory=list)
    clear: list[tuple[Any, ...]] = field(default_factory=list)
    unknown: list[tuple[Any, ...]] = field(default_factory=list)
    generation: list[tuple[Any, ...]] = field(default_factory=list)
    last: list[tuple[Any, ...]] = field(default_factory=list)
    quarantine: list[tuple[Any, ...]] = field(default_factory=list)
    #: Rows whose peer is off the interface now: their next counters begin at 0.
    closed: list[int] = field(default_factory=list)

    def present(self, row: Row, config: PeerConfig) -> None:
        """The row's peer is on the interface as ``config`` says."""
        state = config.as_applied()
        self.put.append(
            (
                config.public_key,
                ",".join(state.allowed_ips),
                state.psk_digest,
                state.persistent_keepalive,
                state.endpoint,
                row.generation,
                False,
                self.seq,
                db_time(self.at),
                row.id,
            )
        )

    def absent(self, row: Row, key: str) -> None:
        """The key that the row had applied is not on the interface any more."""
        self.clear.append((False, self.seq, db_time(self.at), False, row.id, key))
        self.closed.append(row.id)

    def reached(self, row: Row) -> None:
        """The row's generation is in force, without anything having been sent for it."""
        self.generation.append((row.generation, row.id))

    def cut_short(self, row: Row, key: str) -> None:
        """A send was cut short: next time everything is sent again."""
        self.unknown.append((True, row.applied_key or key, self.seq, row.id))

    def reading(self, row: Row, status: PeerStatus) -> None:
        """Where a peer was last seen before its removal."""
        if status.endpoint:
            self.last.append((status.endpoint, row.id))

    def number(self, interface_id: int) -> None:
        """Raise the interface's apply number, and mark its boot file as behind the rows."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE gateways_interface SET apply_seq = %s,"
                " boot_dirty_since = COALESCE(boot_dirty_since, %s) WHERE id = %s",
                [self.seq, db_time(self.at), interface_id],
            )

    def write(self) -> None:
        """Write all of it in the caller's transaction: meters before peers, as everybody does."""
        meters.close(self.closed)
        lock_peers(
            row[update.place_of("row")] for update, rows in self._statements() for row in rows
        )
        with connection.cursor() as cursor:
            for update, rows in self._statements():
                update.run(cursor, rows)

    def _statements(self) -> Iterable[tuple[Update, list[tuple[Any, ...]]]]:
        yield _LAST, self.last
        yield _CLEAR, self.clear
        yield _PUT, self.put
        yield _GENERATION, self.generation
        yield _UNKNOWN, self.unknown
        yield _QUARANTINE, self.quarantine


def note_keys(work: Work, notes: Notes, done: Collection[str], last: dict[str, PeerStatus]) -> None:
    """Write down keys that are now as wanted: sent, or found to need nothing."""
    for key in done:
        wanted = work.desired.get(key)
        owner = work.wanted_by.get(key)
        counted = work.counted_by(key)
        if counted is not None and (wanted is None or owner is None or counted.id != owner.id):
            notes.closed.append(counted.id)
        for row in work.applied_by.get(key, ()):
            if key in last:
                notes.reading(row, last[key])
            if owner is None or row.id != owner.id:
                notes.absent(row, key)
        if wanted is not None and owner is not None and (wanted.allowed_ips or key in work.applied):
            notes.present(owner, wanted)
    right = set(done)
    sent = {row[-1] for row in notes.put}
    for row in work.rows:  # also those for which nothing had to be sent
        if row.id not in sent and work.keys_of(row) <= right:
            notes.reached(row)
