"""From an interface's row to the means of reaching it: the one place that knows transport.

A `Station` is what a worker on the gateway's host needs to work on one interface: the driver, the
link, the host lock, and a quick look at whose link it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from django.conf import settings

from gateways.models import Interface
from gateways.sealing import open_interface_key
from wireguard.driver import Driver
from wireguard.drivers.cli import CliDriver
from wireguard.drivers.memory import MemoryDriver
from wireguard.drivers.memory_speeds import MemorySpeeds
from wireguard.host import command_prefix, has_net_admin, netns_id
from wireguard.link import DEFAULT_MTU, Link
from wireguard.linkspec import STAMP, UNFINISHED, Endpoint, LinkSpec, LinkState, Outcome
from wireguard.lock import HostLock
from wireguard.nft import Nft
from wireguard.quick import QuickUnit
from wireguard.runner import LocalRunner
from wireguard.shaper import Speed
from wireguard.speeds import Made, Speeds
from wireguard.types import DeviceConfig

_UAPI_SOCKETS = Path("/var/run/wireguard")
_LOCKS = Path("/run/vwg")


class Sight(NamedTuple):
    """A quick look at a link. ``stamp``: "" when it is not ours, or not finished."""

    exists: bool
    up: bool
    stamp: str
    #: The stamp of a bring-up that did not end.
    unfinished: str = ""


class LinkLike(Protocol):
    """What the engine asks of a link; see `wireguard.link.Link`."""

    def state(self) -> LinkState: ...
    def glance(self) -> LinkState: ...
    def bring_up(
        self, spec: LinkSpec, endpoints: Mapping[str, Endpoint] | None = None
    ) -> Outcome: ...
    def bring_down(
        self, spec: LinkSpec | None = None, last: Callable[[], None] | None = None
    ) -> bool: ...
    def stamp(self, uuid: str) -> None: ...
    def set_routes(self, device: DeviceConfig) -> None: ...
    def set_mtu(self, mtu: int) -> None: ...
    def refresh(self, spec: LinkSpec) -> None: ...


class NftLike(Protocol):
    """What the engine asks of nftables; see `wireguard.nft.Nft`."""

    def load(self, text: str) -> None: ...
    def list_table(self, name: str) -> str | None: ...


class SpeedsLike(Protocol):
    """What the engine asks of speed limits; see `wireguard.speeds.Speeds`."""

    def remake(self, speeds: Collection[Speed], left: Iterable[Speed] = ()) -> Made: ...
    def change(
        self,
        means: str,
        before: Iterable[Speed],
        after: Iterable[Speed],
        *,
        shards: Collection[int],
    ) -> None: ...
    def clear(self, speeds: Iterable[Speed] = ()) -> None: ...
    def intact(self, means: str) -> bool: ...


@dataclass(frozen=True)
class Station:
    """One interface as seen from its host."""

    interface: Interface
    driver: Driver
    link: LinkLike
    #: wg-quick's unit of the same name, for interfaces that were adopted from it.
    unit: QuickUnit | None = None
    #: nftables of its namespace; None where there is no kernel (the memory driver).
    nft: NftLike | None = None
    #: Speed limits of its clients.
    speeds: SpeedsLike | None = None

    def lock(self, *, timeout_s: float) -> AbstractContextManager[object]:
        """The host lock: one writer per interface. Entering raises `LockBusy` in time."""
        if settings.VWG_DRIVER == "memory":
            return nullcontext()
        netns = self.interface.gateway.netns or None
        return HostLock(lock_dir(), netns_id(netns), self.interface.name, timeout_s=timeout_s)

    def look(self) -> Sight:
        """Whose link it is: no process in our own namespace, one short one in another."""
        if settings.VWG_DRIVER != "memory" and not self.interface.gateway.netns:
            return _look_at(Path("/sys/class/net") / self.interface.name)
        state = self.link.glance()
        return Sight(state.exists, state.up, state.stamp or "", state.unfinished or "")

    @property
    def backend(self) -> str:
        """What runs the link, if there is one: wireguard-go has a socket, the kernel has none."""
        userspace = (_UAPI_SOCKETS / f"{self.interface.name}.sock").exists()
        return "userspace" if userspace or settings.VWG_DRIVER == "memory" else "kernel"


def needs_sudo() -> bool:
    """Whether commands that need rights go through ``sudo -n``."""
    if settings.VWG_SUDO != "auto":
        return bool(settings.VWG_SUDO == "always")
    return os.geteuid() != 0 and not has_net_admin()


def station(interface: Interface) -> Station:
    """The means of working on an interface of this host."""
    if settings.VWG_DRIVER == "memory":
        memory = memory_station(interface)
        return Station(interface, memory.driver, memory, speeds=memory.speeds)
    netns = interface.gateway.netns or None
    return Station(
        interface,
        CliDriver(
            interface.name,
            runner=LocalRunner(_wg_prefix(interface.name, netns)),
            command=settings.VWG_WG_COMMAND,
            timeout=settings.VWG_COMMAND_TIMEOUT,
        ),
        Link(LocalRunner(), interface.name, netns, needs_sudo(), settings.VWG_WG_COMMAND),
        QuickUnit(LocalRunner(), interface.name, netns, needs_sudo()),
        Nft(LocalRunner(), command_prefix(netns, sudo=needs_sudo())),
        Speeds(LocalRunner(), interface.name, netns, needs_sudo()),
    )


def _wg_prefix(name: str, netns: str | None) -> tuple[str, ...]:
    """`wg` finds a userspace interface by its socket, from any network namespace."""
    if (_UAPI_SOCKETS / f"{name}.sock").exists():
        netns = None
    return command_prefix(netns, sudo=needs_sudo())


def lock_dir() -> Path:
    """Where the host locks lie: one place for all that runs as root, the state's for others."""
    return _LOCKS if os.geteuid() == 0 else settings.VWG_STATE_DIR / "locks"


def _look_at(path: Path) -> Sight:
    try:
        alias = (path / "ifalias").read_text().strip()
        flags = int((path / "flags").read_text(), 16)
    except OSError:
        return Sight(exists=False, up=False, stamp="")
    stamp = alias.removeprefix(STAMP) if alias.startswith(STAMP) else ""
    unfinished = alias.removeprefix(UNFINISHED) if alias.startswith(UNFINISHED) else ""
    return Sight(True, bool(flags & 1), stamp, unfinished)


class MemoryLink:
    """The link of a memory driver, for unit tests: up and ours unless a test says otherwise."""

    def __init__(self, interface: Interface) -> None:
        self.driver = MemoryDriver(
            interface.name,
            private_key=open_interface_key(interface.uuid, interface.private_key),
        )
        self.driver.set_interface(listen_port=interface.listen_port)
        self.driver.calls.clear()
        self.exists = self.up = True
        self.refreshed: list[LinkSpec] = []
        self.mtu = 0
        self.stamp_text = interface.stamp
        self.outages = 0
        self.routes: tuple[str, ...] = ()
        self.unfinished = ""
        self.speeds = MemorySpeeds()

    def state(self) -> LinkState:
        return LinkState(
            exists=self.exists,
            is_wireguard=self.exists,
            up=self.up,
            mtu=self.mtu,
            stamp=self.stamp_text or None,
            unfinished=self.unfinished or None,
            backend="userspace" if self.exists else None,
        )

    def glance(self) -> LinkState:
        return self.state()

    def set_routes(self, device: DeviceConfig) -> None:
        self.routes = tuple(text for peer in device.peers for text in peer.allowed_ips)

    def set_mtu(self, mtu: int) -> None:
        self.mtu = mtu

    def refresh(self, spec: LinkSpec) -> None:
        self.refreshed.append(spec)
        self.mtu = spec.device.interface.mtu or DEFAULT_MTU

    def bring_up(self, spec: LinkSpec, endpoints: Mapping[str, Endpoint] | None = None) -> Outcome:
        if self.exists and not self.unfinished:
            was_up, self.up = self.up, True
            return Outcome.ALREADY if was_up else Outcome.REVIVED
        self.exists = self.up = True
        self.stamp_text, self.unfinished = spec.stamp, ""
        self.driver.sync(spec.device)
        return Outcome.CREATED

    def bring_down(
        self, spec: LinkSpec | None = None, last: Callable[[], None] | None = None
    ) -> bool:
        if self.exists and last is not None:
            last()
        was, self.exists, self.up, self.stamp_text = self.exists, False, False, ""
        self.driver = MemoryDriver(self.driver.interface)
        self.outages += 1
        return was

    def stamp(self, uuid: str) -> None:
        self.stamp_text = uuid


_memory: dict[int, MemoryLink] = {}


def memory_station(interface: Interface) -> MemoryLink:
    """The one memory link of an interface in this process."""
    if interface.pk not in _memory:
        _memory[interface.pk] = MemoryLink(interface)
    return _memory[interface.pk]


def forget_memory() -> None:
    """Start every test with empty gateways."""
    _memory.clear()
