"""What an edit does, said before it is done.

Live: in force within moments, no session notices. A new listen port re-binds the socket: packets
of a moment are lost. What customers' files are made of outdates them. Hooks wait for the next time
the interface is brought up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from gateways.models import Interface


@dataclass(frozen=True)
class Preview:
    """What an edit does. ``devices`` are those on the interfaces concerned."""

    changes: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    next_bring_up: tuple[str, ...] = ()
    rebinds_socket: bool = False
    ends_sessions: bool = False
    outdates_files: bool = False
    devices: int = 0
    files_outdated: int = 0

    @property
    def summary(self) -> str:
        """The same in words."""
        if not self.changes:
            return "Nothing changes."
        said = []
        if self.ends_sessions:
            said.append(f"Cuts off {_devices(self.devices)} at once.")
        if self.rebinds_socket:
            said.append("Re-binds the socket: packets of a moment are lost.")
        if self.live:
            said.append(f"Live within moments: {', '.join(self.live)}.")
        if self.outdates_files:
            said.append(f"Outdates {_files(self.files_outdated)} that customers have.")
        if self.next_bring_up:
            said.append(f"At the next bring-up: {', '.join(self.next_bring_up)}.")
        return " ".join(said) or "No device and no file notices."


def _devices(number: int) -> str:
    return "1 device" if number == 1 else f"{number} devices"


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def count_devices(interfaces: QuerySet[Interface]) -> int:
    """The devices on these interfaces."""
    return interfaces.filter(peers__deleted_at=None, peers__isnull=False).values("peers").count()


def count_files(interfaces: QuerySet[Interface]) -> int:
    """The devices on these interfaces whose file was handed out."""
    return (
        interfaces.filter(peers__deleted_at=None, peers__delivered_generation__isnull=False)
        .values("peers")
        .count()
    )


#: Fields that an interface inherits when its own is empty, and what empty means.
_OWN_IS_EMPTY = {
    "endpoint_address": Q(endpoint_address=""),
    "relay_endpoint": Q(relay_endpoint=""),
    "dns_servers": Q(dns_servers=[]),
    "mtu": Q(mtu=None),
}
_GATEWAYS_IS_EMPTY = {
    "endpoint_address": Q(gateway__endpoint_address=""),
    "relay_endpoint": Q(gateway__relay_endpoint=""),
}


def heirs(
    interfaces: QuerySet[Interface], fields: Iterable[str], *, of_settings: bool = False
) -> QuerySet[Interface]:
    """Those of the interfaces whose devices' files hold what one of the fields says above them."""
    found = Q(pk__in=[])
    for name in fields:
        inherits = _OWN_IS_EMPTY.get(name, Q(pk__isnull=False))
        if of_settings:
            inherits &= _GATEWAYS_IS_EMPTY.get(name, Q())
        found |= inherits
    return interfaces.filter(found)
