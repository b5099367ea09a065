"""What a customer's own pages show, in words and figures, ready for their templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext

from peers.api.representation import is_online
from peers.queries import ClientView, Device
from portal import formats
from portal.share.customer import Customer, Setting, customer, outdated


@dataclass(frozen=True)
class DeviceRow:
    """A device of the customer's."""

    uuid: UUID
    name: str
    glyph: str
    words: str
    last_handshake_at: datetime | None
    download: int
    upload: int
    outdated: str
    has_file: bool


@dataclass(frozen=True)
class Card:
    """One of several connections, as their list shows it. ``login`` is the id in its address."""

    login: UUID
    name: str
    customer: Customer


@dataclass(frozen=True)
class Shop:
    """A seller's connections, below its brand."""

    brand: dict[str, str]
    cards: tuple[Card, ...]


def card(login: UUID, view: ClientView, setting: Setting) -> Card:
    """A connection in the list."""
    return Card(login, view.client.name, customer(setting, view, view.devices))


def device_rows(devices: Sequence[Device], setting: Setting) -> tuple[DeviceRow, ...]:
    """The devices, oldest first; one without a name is told by its number."""
    return tuple(_row(device, place, setting) for place, device in enumerate(devices, start=1))


def _row(device: Device, place: int, setting: Setting) -> DeviceRow:
    peer = device.peer
    if peer.awaits_key:
        glyph, words = "new", gettext("Waits for its key")
    elif is_online(peer, at=setting.at):
        glyph, words = "live", gettext("Connected")
    else:
        glyph, words = "idle", gettext("Not connected")
    return DeviceRow(
        uuid=peer.uuid,
        name=peer.name or gettext("Device %s") % formats.number(place),
        glyph=glyph,
        words=words,
        last_handshake_at=peer.last_handshake_at,
        download=device.download_bytes,
        upload=device.upload_bytes,
        outdated=outdated(setting, device),
        has_file=not peer.awaits_key,
    )
