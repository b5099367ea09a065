"""Rows of peers -> what an apply needs: wanted and applied state by key. Pure.

WireGuard knows keys, vwg knows rows, and at times two rows speak of one key (a device was deleted
and made again) or one row of two (its key was rotated). Here that is put in order: of each key,
one live row wants it, or nobody does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from wireguard.allowed_ips import check_endpoint
from wireguard.errors import InvalidConfig
from wireguard.types import Applied, PeerConfig


class Row(NamedTuple):
    """One peer's row, with its secrets still sealed by whoever loads them lazily."""

    id: int
    config: PeerConfig
    generation: int
    deleted: bool
    quarantined: bool
    applied_key: str
    applied: Applied | None
    #: Where the client was last seen; given back when the peer is added again.
    seen_at: str
    blocked: bool = False
    #: Something is to be applied of it still.
    pending: bool = True

    @property
    def live(self) -> bool:
        return not self.deleted

    @property
    def counted_key(self) -> str:
        """The key whose counters are the device's, as long as it runs."""
        return self.applied_key or self.config.public_key


@dataclass
class Work:
    """What is wanted and what was applied, for the keys of some rows."""

    desired: dict[str, PeerConfig | None] = field(default_factory=dict)
    applied: dict[str, Applied | None] = field(default_factory=dict)
    #: The live row that wants a key.
    wanted_by: dict[str, Row] = field(default_factory=dict)
    #: The rows whose applied state names a key.
    applied_by: dict[str, list[Row]] = field(default_factory=dict)
    #: Every row that was arranged and may be sent.
    rows: list[Row] = field(default_factory=list)
    #: Rows that no apply may send, with the reason.
    refused: dict[int, str] = field(default_factory=dict)

    def rows_of(self, key: str) -> list[Row]:
        """The row that wants a key, and those whose applied state names it, once each."""
        rows = {row.id: row for row in self.applied_by.get(key, ())}
        if key in self.wanted_by:
            rows[self.wanted_by[key].id] = self.wanted_by[key]
        return list(rows.values())

    def counted_by(self, key: str) -> Row | None:
        """The row whose device counts what runs with a key: the one that had it applied.

        Else, for a send that was never written down: one that is still to go, or that wants it.
        """
        if rows := self.applied_by.get(key):
            return rows[-1]
        unsure = [row for row in self.rows if row.config.public_key == key and not row.applied_key]
        return max(
            unsure, key=lambda row: (row.deleted and row.pending, row.live, row.id), default=None
        )

    def keys_of(self, row: Row) -> set[str]:
        """The keys that must be right before the row is."""
        return {row.config.public_key, row.applied_key} - {""}


def arrange(
    rows: Iterable[Row],
    *,
    server_key: str,
    strays: Iterable[str] = (),
    problems: Mapping[int, str] | None = None,
) -> Work:
    """Put rows in order of keys. ``strays`` are keys on the interface that no row speaks of.

    ``problems`` are rows that cannot be sent (a secret that does not open, say), with the reason.
    """
    work = Work(refused=dict(problems or {}))
    untouchable: set[str] = set()
    for key in strays:
        work.desired[key] = None
        work.applied[key] = None
    for row in rows:
        if row.live and row.config.public_key == server_key:
            work.refused[row.id] = "the key is the server's own"
        if row.live and row.id in work.refused and not _can_be_blocked(row):
            # What cannot be sent is no cause to take away what runs.
            untouchable |= {row.config.public_key, row.applied_key}
            continue
        work.rows.append(row)
        if row.applied_key:
            work.applied_by.setdefault(row.applied_key, []).append(row)
            known = work.applied.get(row.applied_key, row.applied)
            work.applied[row.applied_key] = None if row.applied is None else known
            work.desired.setdefault(row.applied_key, None)
        elif not row.live:
            # A send that was never written down may have put it there.
            work.applied.setdefault(row.config.public_key, None)
        if row.live:
            work.wanted_by[row.config.public_key] = row
        else:
            work.desired.setdefault(row.config.public_key, None)
    for key, row in work.wanted_by.items():
        work.desired[key] = _with_last_endpoint(row, absent=key not in work.applied)
        if row.id in work.refused:
            _block_only(work, key, row)
    for key in untouchable - set(work.wanted_by):
        work.desired.pop(key, None)
    return work


def _can_be_blocked(row: Row) -> bool:
    """Whether the row is a running peer that shall be off: that needs none of its secrets."""
    return row.blocked and row.applied is not None and row.applied_key == row.config.public_key


def _block_only(work: Work, key: str, row: Row) -> None:
    """Of a row whose preshared key does not open, send the empty allowed-ips alone."""
    known = work.applied[key]
    if known is not None:
        work.applied[key] = known._replace(psk_digest="")
    work.desired[key] = PeerConfig(key, (), None, known.persistent_keepalive if known else None)
    del work.refused[row.id]


def _with_last_endpoint(row: Row, *, absent: bool) -> PeerConfig:
    """A peer that is added back gets its last seen endpoint: 0.03 s of silence instead of 15."""
    if not absent or not row.seen_at or row.config.endpoint:
        return row.config
    try:
        return row.config._replace(endpoint=check_endpoint(row.seen_at))
    except InvalidConfig:  # a link-local one, say: nobody asked for it
        return row.config
