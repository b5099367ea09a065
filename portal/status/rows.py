"""What the status page shows, as values: no query and no HTML in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class InterfaceRow:
    """One interface with its counts and its verdict. ``glyph`` is a state glyph's name."""

    uuid: UUID
    gateway: str
    name: str
    glyph: str
    words: str
    wanted: int
    applied: int
    seen: int
    online: int
    waiting: int
    failed: int
    endpoint: str
    link: str
    changed_at: datetime | None
    observed_at: datetime | None
    stale: bool
    foreign: bool
    guarded: int
    drift: int
    reason: str
    alarm: str
    #: Why fewer or more peers were seen than devices are wanted; empty when they are the same.
    apart: str = ""

    @property
    def label(self) -> str:
        """How people call it: gateway and name."""
        return f"{self.gateway} {self.name}"


@dataclass(frozen=True)
class PeerRow:
    """One device: who, whether it is connected, and what became of its last change."""

    uuid: UUID
    name: str
    device: str
    tenant: str
    interface: str
    address: str
    glyph: str
    words: str
    endpoint: str
    last_handshake_at: datetime | None
    download: int
    upload: int
    status: str
    status_glyph: str
    status_words: str
    reason: str
    going: bool


@dataclass(frozen=True)
class JobRow:
    """One job with its progress. ``took`` is in seconds, None while it is open."""

    uuid: UUID
    kind: str
    title: str
    interface: str
    status: str
    glyph: str
    words: str
    total: int
    done: int
    failed: int
    tier: int | None
    took: float | None
    by: str
    created_at: datetime
    message: str

    @property
    def is_open(self) -> bool:
        return self.status in ("pending", "running")


@dataclass(frozen=True)
class Worker:
    """A queue and when its worker last answered."""

    queue: str
    seen_at: datetime
    late: bool


@dataclass(frozen=True)
class Page:
    """A keyset page of devices, newest first. ``older`` and ``newer`` are cursors or 0."""

    rows: tuple[PeerRow, ...]
    query: str
    show: str
    total: int
    older: int
    newer: int
    cursor: str


@dataclass(frozen=True)
class Verdict:
    """The sentence that answers what the page was opened for."""

    glyph: str
    sentence: str
    detail: str
