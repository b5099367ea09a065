"""The lines of tc(8) and nft(8) that a speed is made of; see `wireguard.shaper`. Pure."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

MAJOR: Final = 0x5657
MARKER: Final = 22102
"""The preferences of our filters at the egress: the marker, IPv4 and IPv6 addresses."""
HOSTS4: Final = 22103
HOSTS6: Final = 22104
QUEUE_PACKETS: Final = 128
"""What waits in one client's queue, if it has no other."""
NETWORKS4: Final = 32768
NETWORKS6: Final = 49152
"""Added to a client's number: the preferences of networks behind its device."""
LEAST_KBIT: Final = 8
MOST_KBIT: Final = 100_000_000
"""What tc and nftables can reckon with: 100 Gbit/s. Who was sold more is as fast as that."""


class Network(NamedTuple):
    """One of a device's allowed-ips: a host's address, or (``packed`` None) more than one."""

    version: int
    text: str
    packed: bytes | None

    @property
    def group(self) -> str:
        """The end of the names of the maps that such are in."""
        return f"{'net' if self.packed is None else 'host'}{self.version}"


def read_network(text: str) -> Network:
    """Read "10.8.0.2/32"; raises `ValueError`."""
    address, _, length = text.partition("/")
    version = 6 if ":" in address else 4
    if int(length) < (32 if version == 4 else 128):
        return Network(version, text, None)
    packed = socket.inet_pton(socket.AF_INET if version == 4 else socket.AF_INET6, address)
    return Network(version, address, packed)


def place_of(preference: int) -> str:
    ipv6 = preference == HOSTS6 or preference >= NETWORKS6
    return f"protocol {'ipv6' if ipv6 else 'ip'} prio {preference}"


def redirect(network: Network, minor: int, device: str) -> tuple[tuple[int, str], str]:
    """The filter that sends what goes to a network into a queue: its key, and its line's end."""
    ipv4 = network.version == 4
    action = f"action mirred egress redirect dev {device}"
    if network.packed is None:  # of all of a device together, as they go together
        base = NETWORKS4 if ipv4 else NETWORKS6
        match = f"match {'ip' if ipv4 else 'ip6'} dst {network.text}"
        return (base + minor, ""), f"u32 {match} {action}"
    packed = network.packed
    bucket = f"{(0x100 if ipv4 else 0x200) + packed[-2]:x}:{packed[-1]:x}"
    match = f"match {'ip' if ipv4 else 'ip6'} dst {network.text}/{len(packed) * 8}"
    preference = HOSTS4 if ipv4 else HOSTS6
    return (preference, f"{bucket}:{_node(packed[:-2]):x}"), f"ht {bucket}: {match} {action}"


def _node(rest: bytes) -> int:
    """Tells addresses with the same last two bytes apart (1 to 4095); private ranges never meet."""
    if len(rest) == 2:
        return ((rest[0] & 15) << 8 | rest[1]) or 0xFFF
    return int.from_bytes(hashlib.sha256(rest).digest()[:2], "big") % 0xFFF + 1


def class_lines(
    had: Mapping[tuple[str, int], int], has: Mapping[tuple[str, int], int]
) -> Iterator[str]:
    """From these classes (device, minor -> kbit/s) to those."""
    for device, minor in had:
        if (device, minor) not in has:
            yield f"class del dev {device} classid {MAJOR:x}:{minor:x}"
    for (device, minor), kbit in has.items():
        known = had.get((device, minor))
        if known == kbit:
            continue
        act, rate = ("add" if known is None else "change"), _bounded(kbit)
        # 10 ms of the rate at once, a full packet at least: exact from the first second.
        burst = max(rate * 10 // 8, 2000)
        place = f"dev {device} parent {MAJOR:x}:"
        yield (
            f"class {act} {place} classid {MAJOR:x}:{minor:x} htb rate {rate}kbit"
            f" burst {burst} cburst {burst} quantum 3000"
        )
        if not (_fits(rate) and (known is None or _fits(known))):
            yield f"qdisc replace {place}{minor:x} bfifo limit {max(rate * 100 // 8, 15_000)}"


def _fits(kbit: int) -> bool:
    """Whether the device's own queue length suits a rate: waiting for 20 to 290 ms at most.

    Enough for TCP, and a game beside it stays playable. A queue of its own costs 20 us a class.
    """
    return 5_000 <= kbit <= 70_000


def ways(interface: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Of each table its family, and the hook of its chain."""
    return (
        ("inet", f'hook postrouting priority 300; policy accept; oifname != "{interface}" return'),
        ("netdev", f'hook ingress device "{interface}" priority 0; policy accept'),
    )


def speed_table(family: str, hook: str, *, table: str, queued: bool) -> str:
    """One direction: maps from addresses to classes, devices and limits, and who asks them."""
    maps, rules = [], []
    for version, kind, ip in (("4", "ipv4_addr", "ip"), ("6", "ipv6_addr", "ip6")):
        address = f"{ip} {'daddr' if family == 'inet' else 'saddr'}"
        for shape, flags in (("host", ""), ("net", " flags interval;")):
            wants = {"limit": "limit"}
            if queued:
                wants["class"] = "classid"
                if family == "netdev":
                    wants["device"] = "iface_index"
            for what, value in wants.items():
                maps.append(f"map {what}_{shape}{version} {{ type {kind} : {value};{flags} }}")
            if queued:
                rule = f"meta priority set {address} map @class_{shape}{version}"
                if family == "netdev":
                    rule += f" fwd to {address} map @device_{shape}{version}"
                rules.append(rule)
            rules.append(f"limit name {address} map @limit_{shape}{version} drop")
    chain = "\n".join([f"type filter {hook}", *rules])
    body = "\n".join([*maps, f"chain speeds {{\n{chain}\n}}"])
    return f"{emptied(family, table)}table {family} {table} {{\n{body}\n}}\n"


def emptied(family: str, table: str) -> str:
    """The table away, whether there is one or not."""
    return f"add table {family} {table}\ndelete table {family} {table}\n"


def bytes_per_second(kbit: int) -> int:
    return _bounded(kbit) * 125


def _bounded(kbit: int) -> int:
    return min(max(kbit, LEAST_KBIT), MOST_KBIT)


def joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
