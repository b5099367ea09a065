"""Speed limits of clients as texts for ip(8), tc(8) and nft(8). Pure.

A client's packets, and nobody else's, are sent through a queue of their own: a class of HTB on an
IFB device. Its upload is sent there by nftables (``fwd`` at the interface's ingress), its download
by a u32 filter at the egress; in the queue, nftables' ``meta priority`` names the class. So an
operator's own queueing on the interface stays as it is, and unlimited clients meet no queue.

IFB devices come in shards of 256 clients, because a kernel's cost of adding a class grows with
those that its device has. It grows with all classes of the machine too, so beyond so many shards,
and where the kernel has no queues, nftables' ``limit`` drops what is too fast instead. That is
exact in the long run, and lets a second's worth of bytes through first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from wireguard.host import check_interface_name
from wireguard.queues import (
    HOSTS4,
    HOSTS6,
    MAJOR,
    MARKER,
    QUEUE_PACKETS,
    Network,
    bytes_per_second,
    class_lines,
    emptied,
    joined,
    place_of,
    read_network,
    redirect,
    speed_table,
    ways,
)

FIRST_MINOR: Final = 16
LAST_MINOR: Final = 65535
SHARD: Final = 256
"""Clients that share one pair of IFB devices."""
UP_SHARDS: Final = 8
DOWN_SHARDS: Final = 48
"""So many shards are queued, each way: a kernel takes 12,000 classes in about a second."""


class Speed(NamedTuple):
    """What one device may send (up) and receive (down), in kbit/s; None is no limit.

    ``minor`` is its number on the interface, ``addresses`` its allowed-ips.
    """

    minor: int
    up_kbit: int | None
    down_kbit: int | None
    addresses: tuple[str, ...]


class Texts(NamedTuple):
    """What to run, in this order: ``ip -batch``, ``tc -batch``, ``nft -f``; empty: nothing."""

    devices: str = ""
    queues: str = ""
    table: str = ""


class Shaper(Protocol):
    """How speeds of one interface are rendered."""

    def setup(self, *, clsact: bool) -> Texts:
        """Once in the life of a link, before anything else; ``clsact``: there is one already."""
        ...

    def change(
        self, before: Iterable[Speed], after: Iterable[Speed], *, shards: Collection[int] = ()
    ) -> Texts:
        """Exactly the difference. ``shards`` are those that other clients keep."""
        ...

    def clear(self, speeds: Iterable[Speed], devices: Iterable[str]) -> Texts:
        """Everything away: the speeds that may be set, and these IFB devices."""
        ...


def shard_of(minor: int) -> int:
    """Which pair of IFB devices a client's number belongs to."""
    return (minor - FIRST_MINOR) // SHARD


def device_prefix(interface: str, netns: str = "") -> str:
    """What the names of an interface's IFB devices begin with; no two interfaces share it."""
    check_interface_name(interface)
    return "vwg" + hashlib.sha256(f"{netns}/{interface}".encode()).hexdigest()[:8]


def table_name(interface: str) -> str:
    """The name of the interface's two tables (inet, netdev) for speeds: "vwgs_wg0"."""
    check_interface_name(interface)
    return "vwgs_" + re.sub(r"[^A-Za-z0-9]", lambda m: f"_{ord(m[0]):02x}_", interface)


@dataclass
class _State:
    """What of the kernel's state some speeds stand for."""

    classes: dict[tuple[str, int], int] = field(default_factory=dict)
    #: (preference, handle) of a filter -> its lines' ends.
    filters: dict[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)
    limits: dict[tuple[str, str], int] = field(default_factory=dict)
    #: (family, map, address) -> (what it names, what that is worth).
    elements: dict[tuple[str, str, str], tuple[str, int]] = field(default_factory=dict)


class QueueShaper:
    """HTB queues, and nftables' limit for whom they have no room; with 0 shards that alone."""

    def __init__(
        self,
        interface: str,
        netns: str = "",
        *,
        up_shards: int = UP_SHARDS,
        down_shards: int = DOWN_SHARDS,
    ) -> None:
        self.interface = check_interface_name(interface)
        self.prefix = device_prefix(interface, netns)
        self.table = table_name(interface)
        self._shards = {"u": up_shards, "d": down_shards}

    def setup(self, *, clsact: bool) -> Texts:
        """The filters' tables at the egress, and our two nftables tables, all empty."""
        name, queued = self.interface, bool(self._shards["d"])
        tables = "".join(speed_table(*way, table=self.table, queued=queued) for way in ways(name))
        if not queued:
            return Texts(table=tables)
        add = f"filter add dev {name} egress protocol"
        lines = [] if clsact else [f"qdisc add dev {name} clsact"]
        # No IPv4 packet begins with 32 zero bits: only seen by who asks whether we are here.
        lines.append(f"{add} ip prio {MARKER} u32 match u32 0 0xffffffff at 0")
        for start, first, base, at in (
            (f"{add} ip prio {HOSTS4}", 0x570, 0x100, 16),
            (f"{add} ipv6 prio {HOSTS6}", 0x571, 0x200, 36),
        ):
            lines.append(f"{start} handle {first:x}: u32 divisor 256")
            hashed = f"match u32 0 0 hashkey mask 0x{{:08x}} at {at} link {{:x}}:"
            lines.append(f"{start} u32 {hashed.format(0xFF00, first)}")
            for byte in range(256):
                lines.append(f"{start} handle {base + byte:x}: u32 divisor 256")
                link = hashed.format(0xFF, base + byte)
                lines.append(f"{start} u32 ht {first:x}:{byte:x}: {link}")
        return Texts(queues=joined(lines), table=tables)

    def change(
        self, before: Iterable[Speed], after: Iterable[Speed], *, shards: Collection[int] = ()
    ) -> Texts:
        """Exactly the difference; in a change of a rate alone no packet in the queue is lost."""
        olds, news = list(before), list(after)
        had, has = self._state(olds), self._state(news)
        known = {*shards, *(shard_of(speed.minor) for speed in olds)}
        made = [
            self._device(way, shard)
            for shard in sorted({shard_of(speed.minor) for speed in news} - known)
            for way in "ud"
            if shard < self._shards[way]
        ]
        lines = [
            f"qdisc add dev {name} root handle {MAJOR:x}: htb direct_qlen 1000" for name in made
        ]
        lines += self._filter_lines(had, has)
        lines += class_lines(had.classes, has.classes)
        return Texts(
            "".join(self._make(name) for name in made),
            joined(lines),
            joined(self._table_lines(had, has)),
        )

    def clear(self, speeds: Iterable[Speed], devices: Iterable[str]) -> Texts:
        """Filters, IFB devices and tables away. An empty clsact stays: others may use it."""
        behind = [preference for preference, handle in self._state(speeds).filters if not handle]
        lines = [
            f"filter del dev {self.interface} egress {place_of(preference)}"
            for preference in (MARKER, HOSTS4, HOSTS6, *behind)
        ]
        return Texts(
            "".join(f"link del dev {name}\n" for name in devices if name.startswith(self.prefix)),
            joined(lines),
            "".join(emptied(family, self.table) for family in ("inet", "netdev")),
        )

    def _device(self, way: str, shard: int) -> str:
        return f"{self.prefix}{way}{shard:02x}"

    def _make(self, name: str) -> str:
        # Whatever has the name is ours, and left over from a life before this one.
        return (
            f"link del dev {name}\nlink add name {name} txqueuelen {QUEUE_PACKETS} type ifb\n"
            f"link set dev {name} alias vwg:{self.interface} up\n"
        )

    def _state(self, speeds: Iterable[Speed]) -> _State:
        state = _State()
        for speed in speeds:
            networks = [read_network(text) for text in speed.addresses]
            for way, family, kbit in (
                ("u", "netdev", speed.up_kbit),
                ("d", "inet", speed.down_kbit),
            ):
                if kbit is None:
                    continue
                if shard_of(speed.minor) < self._shards[way]:
                    device = self._device(way, shard_of(speed.minor))
                    state.classes[device, speed.minor] = kbit
                    _lead(state, networks, device, speed.minor, up=way == "u")
                else:
                    name = f"{way}{speed.minor}"
                    state.limits[family, name] = kbit
                    for network in networks:
                        key = family, f"limit_{network.group}", network.text
                        state.elements[key] = f'"{name}"', kbit
        return state

    def _filter_lines(self, had: _State, has: _State) -> Iterator[str]:
        for act, mine, other in (("del", had, has), ("add", has, had)):
            for key, ends in mine.filters.items():
                if other.filters.get(key) == ends:
                    continue
                start = f"filter {act} dev {self.interface} egress {place_of(key[0])}"
                if key[1]:
                    start += f" handle {key[1]} u32"
                if act == "del":
                    yield start
                else:
                    yield from (f"{start} {end}" for end in ends)

    def _table_lines(self, had: _State, has: _State) -> Iterator[str]:
        yield from self._element_lines("delete", had, has)
        for (family, name), kbit in had.limits.items():
            if has.limits.get((family, name)) != kbit:
                yield f"delete limit {family} {self.table} {name}"
        for (family, name), kbit in has.limits.items():
            if had.limits.get((family, name)) != kbit:
                rate = f"rate over {bytes_per_second(kbit)} bytes/second burst 1500 bytes"
                yield f"add limit {family} {self.table} {name} {{ {rate} ; }}"
        yield from self._element_lines("add", has, had)

    def _element_lines(self, act: str, mine: _State, other: _State) -> Iterator[str]:
        maps: dict[tuple[str, str], list[str]] = {}
        for (family, name, key), value in mine.elements.items():
            if other.elements.get((family, name, key)) != value:
                text = key if act == "delete" else f"{key} : {value[0]}"
                maps.setdefault((family, name), []).append(text)
        for (family, name), texts in maps.items():
            yield f"{act} element {family} {self.table} {name} {{ {', '.join(texts)} }}"


def _lead(state: _State, networks: Iterable[Network], device: str, minor: int, *, up: bool) -> None:
    """Lead a client's packets to its class, and to the device that this lies on."""
    family, class_id = ("netdev" if up else "inet"), (f"{MAJOR:x}:{minor:x}", 0)
    for network in networks:
        state.elements[family, f"class_{network.group}", network.text] = class_id
        if up:
            led = (f'"{device}"', 0)
            state.elements[family, f"device_{network.group}", network.text] = led
        else:
            key, end = redirect(network, minor, device)
            state.filters[key] = (*state.filters.get(key, ()), end)


def limit_shaper(interface: str, netns: str = "") -> QueueShaper:
    """For kernels without queues: nftables' limit alone."""
    return QueueShaper(interface, netns, up_shards=0, down_shards=0)
