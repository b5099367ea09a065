"""How a link is described: what is wanted of it, and what the host shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple

from wireguard.errors import DriverError
from wireguard.types import DeviceConfig

STAMP: Final = "vwg:"
UNFINISHED: Final = "vwg~"

Backend = Literal["kernel", "userspace"]
Endpoint = tuple[str, int]


class ForeignInterface(DriverError):
    """The interface exists and is not ours: nothing was written. An operator must adopt it."""


class Outcome(StrEnum):
    """What `Link.bring_up` did."""

    CREATED = "brought up"
    REVIVED = "was down, is up again"
    ALREADY = "already up"


class LinkState(NamedTuple):
    """A link as the host shows it. ``stamp`` is the uuid of an alias "vwg:<uuid>".

    ``unfinished`` is the uuid of a bring-up that did not end. ``mtu`` is in bytes, 0 when there is
    no link; ``backend`` is None unless it is WireGuard; ``addresses`` have their prefix length.
    """

    exists: bool
    is_wireguard: bool = False
    up: bool = False
    mtu: int = 0
    alias: str = ""
    stamp: str | None = None
    ifindex: int | None = None
    backend: Backend | None = None
    addresses: tuple[str, ...] = ()
    unfinished: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkSpec:
    """All that is wanted of a link. ``stamp`` is a uuid; ``command`` is "wg" or "awg".

    ``nat_networks`` are masqueraded besides the interface's own; ``isolate`` keeps clients from
    each other. Hooks in ``device`` are shell text of the operator, with %i for the name.
    """

    name: str
    device: DeviceConfig
    stamp: str
    backend: Literal["auto", "kernel", "userspace"] = "auto"
    forward: bool = True
    nat: bool = True
    isolate: bool = False
    nat_networks: tuple[str, ...] = ()
    command: str = "wg"


def read_state(shown: Mapping[str, Any], backend: Backend | None) -> LinkState:
    """Read one link of ``ip -details -json address show``."""
    alias = str(shown.get("ifalias", ""))
    return LinkState(
        exists=True,
        is_wireguard=backend is not None,
        up="UP" in shown["flags"],
        mtu=shown["mtu"],
        alias=alias,
        stamp=alias.removeprefix(STAMP) or None if alias.startswith(STAMP) else None,
        ifindex=shown["ifindex"],
        backend=backend,
        addresses=tuple(
            f"{entry['local']}/{entry['prefixlen']}"
            for entry in shown["addr_info"]
            if entry.get("scope") != "link"
        ),
        unfinished=alias.removeprefix(UNFINISHED) or None if alias.startswith(UNFINISHED) else None,
    )
