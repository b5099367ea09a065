"""What an operator's home shows, as values: no query and no HTML in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.status.rows import JobRow, Verdict


@dataclass(frozen=True)
class GatewayRow:
    """A host: the worst of its interfaces, its devices, its addresses, what passes now."""

    slug: str
    place: str
    glyph: str
    words: str
    online: int
    peers: int
    given: int
    addresses: int
    bits: int
    observed_at: datetime | None
    stale: bool

    @property
    def percent(self) -> int:
        """How many of its IPv4 addresses are given out."""
        return 100 * self.given // self.addresses if self.addresses else 0


@dataclass(frozen=True)
class TenantRow:
    """A reseller: clients, who is online, bytes of the period, and the pool they count against."""

    slug: str
    name: str
    status: str
    clients: int
    online: int
    used: int
    limit: int | None
    percent: int | None
    passed: int | None


@dataclass(frozen=True)
class Alarm:
    """Something that waits for a person: how bad, in words, and where it is dealt with."""

    glyph: str
    words: str
    url: str
    at: datetime | None = None


@dataclass(frozen=True)
class Work:
    """Jobs: how many are open and since when, and what the newest thousand were like."""

    open: int
    oldest_at: datetime | None
    median_ms: float | None
    slowest_ms: float | None
    restarts: int
    failed: int


@dataclass(frozen=True)
class Machinery:
    """Whether what runs by itself runs: workers, the schedule."""

    workers: int
    answering: int
    scheduled: int
    late: int


@dataclass(frozen=True)
class Overview:
    """The home's live parts."""

    verdict: Verdict
    alarms: tuple[Alarm, ...]
    gateways: tuple[GatewayRow, ...]
    jobs: tuple[JobRow, ...]
    work: Work
    machinery: Machinery
    online: int
    devices: int
    bits: int
    now: datetime

    @property
    def observed_at(self) -> datetime | None:
        """How old the figures are: the oldest reading that is part of them."""
        return min((r.observed_at for r in self.gateways if r.observed_at), default=None)
