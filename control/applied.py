"""Writing down what was sent: the applied state of peers. The worker's alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from control.presence import db_time
from control.work import Row, Work
from wireguard.types import PeerConfig, PeerStatus

_PUT = (
    "UPDATE peers_peer SET applied_key = %s, applied_allowed_ips = %s, applied_psk = %s,"
    " applied_keepalive = %s, applied_endpoint = %s, applied_generation = %s,"
    " applied_unknown = %s, quarantine_reason = '', applied_seq = %s, applied_at = %s"
    " WHERE id = %s"
)
_CLEAR = (
    "UPDATE peers_peer SET applied_key = '', applied_allowed_ips = '', applied_psk = '',"
    " applied_keepalive = NULL, applied_endpoint = '', applied_unknown = %s,"
    " applied_seq = %s, applied_at = %s, observed_present = %s WHERE id = %s AND applied_key = %s"
)
_UNKNOWN = (
    "UPDATE peers_peer SET applied_unknown = %s, applied_key = %s, applied_seq = %s WHERE id = %s"
)
_GENERATION = "UPDATE peers_peer SET applied_generation = %s, quarantine_reason = '' WHERE id = %s"
_LAST = (
    "UPDATE peers_peer SET rx_bytes = %s, tx_bytes = %s,"
    " observed_endpoint = COALESCE(NULLIF(%s, ''), observed_endpoint) WHERE id = %s"
)
_QUARANTINE = "UPDATE peers_peer SET quarantine_reason = %s WHERE id = %s"


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

    def reached(self, row: Row) -> None:
        """The row's generation is in force, without anything having been sent for it."""
        self.generation.append((row.generation, row.id))

    def cut_short(self, row: Row, key: str) -> None:
        """A send was cut short: next time everything is sent again."""
        self.unknown.append((True, row.applied_key or key, self.seq, row.id))

    def reading(self, row: Row, status: PeerStatus) -> None:
        """The last reading of a peer's counters before its removal."""
        self.last.append((status.rx_bytes, status.tx_bytes, status.endpoint or "", row.id))

    def number(self, interface_id: int) -> None:
        """Raise the interface's apply number, and mark its boot file as behind the rows."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE gateways_interface SET apply_seq = %s,"
                " boot_dirty_since = COALESCE(boot_dirty_since, %s) WHERE id = %s",
                [self.seq, db_time(self.at), interface_id],
            )

    def write(self) -> None:
        """Write all of it in the caller's transaction."""
        with connection.cursor() as cursor:
            for statement, rows in self._statements():
                if rows:
                    cursor.executemany(statement, rows)

    def _statements(self) -> Iterable[tuple[str, list[tuple[Any, ...]]]]:
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
