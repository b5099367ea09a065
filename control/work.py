"""Rows of peers -> what an apply needs: wanted and applied state by key. Pure.

WireGuard knows keys, vwg knows rows, and at times two rows speak of one key (a device was deleted
and made again) or one row of two (its key was rotated). Here that is put in order: of each key,
one live row wants it, or nobody does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

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

    @property
    def live(self) -> bool:
        return not self.deleted


@dataclass
class Work:
    """What is wanted and what was applied, for the keys of some rows."""

    desired: dict[str, PeerConfig | None] = field(default_factory=dict)
    applied: dict[str, Applied | None] = field(default_factory=dict)
    #: The live row that wants a key.
    wanted_by: dict[str, Row] = field(default_factory=dict)
    #: The rows whose applied state names a key.
    applied_by: dict[str, list[Row]] = field(default_factory=dict)
    #: Rows that no apply may send, with the reason.
    refused: dict[int, str] = field(default_factory=dict)

    def rows_of(self, key: str) -> list[Row]:
        """The row that wants a key, and those whose applied state names it, once each."""
        rows = {row.id: row for row in self.applied_by.get(key, ())}
        if key in self.wanted_by:
            rows[self.wanted_by[key].id] = self.wanted_by[key]
        return list(rows.values())

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
        if row.live and row.id in work.refused:
            # What cannot be sent is no cause to take away what runs.
            untouchable |= {row.config.public_key, row.applied_key}
            continue
        if row.applied_key:
            work.applied_by.setdefault(row.applied_key, []).append(row)
            known = work.applied.get(row.applied_key, row.applied)
            work.applied[row.applied_key] = None if row.applied is None else known
            work.desired.setdefault(row.applied_key, None)
        if row.live:
            work.wanted_by[row.config.public_key] = row
        else:
            work.desired.setdefault(row.config.public_key, None)
    for key, row in work.wanted_by.items():
        work.desired[key] = _with_last_endpoint(row, absent=key not in work.applied)
    for key in untouchable - set(work.wanted_by):
        work.desired.pop(key, None)
    return work


def _with_last_endpoint(row: Row, *, absent: bool) -> PeerConfig:
    """A peer that is added back gets its last seen endpoint: 0.03 s of silence instead of 15."""
    if absent and row.seen_at and not row.config.endpoint:
        return row.config._replace(endpoint=row.seen_at)
    return row.config
