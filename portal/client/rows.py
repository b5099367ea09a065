"""What a client's page shows, in words and figures, ready for its templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Verdict:
    """Why the client is on or off. ``lead`` is the bold beginning, ``next`` what comes."""

    glyph: str
    lead: str
    words: str = ""
    #: When one of its devices was last connected, where that is the end of the sentence.
    seen_at: datetime | None = None
    next: str = ""


@dataclass(frozen=True)
class DeviceRow:
    """A device of the client."""

    uuid: UUID
    name: str
    glyph: str
    words: str
    reason: str
    status: str
    addresses: tuple[str, ...]
    networks: tuple[str, ...]
    endpoint: str
    last_handshake_at: datetime | None
    download: int
    upload: int
    public_key: str
    place: str
    private_key_known: bool
    awaits_key: bool
    outdated: bool
    observed_at: datetime | None

    @property
    def is_waiting(self) -> bool:
        """Whether its latest change is on its way."""
        return self.status == "pending"


@dataclass(frozen=True)
class UsageNow:
    """How much is used of what was sold. ``share`` and ``passed`` are parts of 100."""

    words: str
    share: int | None = None
    passed: int | None = None
    tone: str = ""


@dataclass(frozen=True)
class SessionRow:
    """When a device was connected."""

    device: str
    began: str
    lasted: str
    is_open: bool
    endpoint: str
    download: int
    upload: int


@dataclass(frozen=True)
class EventRow:
    """One line of the history."""

    at: datetime
    when: str
    words: str
    by: str
    is_token: bool


@dataclass(frozen=True)
class LinkRow:
    """A share link, without its secret."""

    uuid: UUID
    name: str
    device: str
    glyph: str
    words: str
    detail: str
    is_active: bool


@dataclass(frozen=True)
class LoginRow:
    """A person who sees the client as its customer."""

    uuid: UUID
    name: str
    glyph: str
    detail: str


@dataclass(frozen=True)
class Shown:
    """Everything on the page that changes by itself."""

    verdict: Verdict
    devices: tuple[DeviceRow, ...]
    usage: UsageNow
    version: int
    language: str
    #: Of the device whose file is on the page: live, wait or bad.
    file_state: str = ""
    #: Nothing that was sent is open for long: the page asks again soon.
    eager: bool = field(default=False, compare=False)
    observed_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Offer:
    """An act that the page offers."""

    name: str
    words: str
    icon: str = ""
