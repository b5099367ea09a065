"""The nftables table that cuts clients off at their limit, as text. Pure.

One table per interface, beside the firewall's and of a priority of its own. A client close to a
limit has a named quota there: one of both directions together, and one of each that is limited
apart. Maps lead from the addresses of its devices to it, on the way through the gateway and to the
gateway itself. The packet that goes beyond the quota is dropped (by older kernels, what reaches it
too), and all after it; who is in no map is not counted.

The kernel counts inner bytes, WireGuard's counters (the bill) those of the tunnel: padding and 32
bytes more for each packet. `allowance` makes one of the other so that nobody is cut off early.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from typing import Final, NamedTuple

from wireguard.firewall import table_name as firewall_table

PRIORITY: Final = 10
"""After the usual filter chains (0): what an operator's own rules drop is not counted."""
OVERHEAD: Final = 32
"""Bytes that WireGuard adds to a packet at least; it pads to 16, too."""
SHUT: Final = 1
"""The limit of who has nothing left: every packet reaches it."""
_LARGEST: Final = 1500
"""Bytes of a packet that a device may well send, whatever the interface's MTU is."""


class Way(StrEnum):
    """What a limit counts; the letter begins the names of its quotas and maps."""

    BOTH = "b"
    UP = "u"
    DOWN = "d"


class Key(NamedTuple):
    """A client's number, and what of it is limited."""

    client: int
    way: Way

    @property
    def name(self) -> str:
        """The name of its quota."""
        return f"{self.way}{self.client}"


@dataclass(frozen=True)
class Quota:
    """A limit in inner bytes, and the networks of the devices that share it (canonical CIDR)."""

    limit: int
    networks: tuple[str, ...]


Table = Mapping[Key, Quota]


@dataclass(frozen=True)
class Shown:
    """What the kernel shows of a table: its limits, what they counted, the number of its rules."""

    limits: Mapping[Key, int] = field(default_factory=dict)
    used: Mapping[Key, int] = field(default_factory=dict)
    rules: int = 0

    def holds(self, table: Table) -> bool:
        """Whether these are the quotas of ``table``, and every rule is there."""
        wanted = {key: quota.limit for key, quota in table.items()}
        return self.rules == RULES and dict(self.limits) == wanted


def table_name(interface: str) -> str:
    """The name of the interface's table, without its family: "vwgq_wg0"."""
    return firewall_table(interface).replace("vwg_", "vwgq_", 1)


def allowance(left: int, *, percent: int, mtu: int) -> int:
    """The limit of who has ``left`` bytes of the bill left, ``percent`` of the tunnel's billed.

    No packets that fit into what is left are cut short, and one more may pass: so the bill of who
    is cut off has come to its limit, and does not stay a little below it.
    """
    if left <= 0:
        return SHUT
    tunnel = left * 100 // percent
    largest = max(mtu, _LARGEST)
    return tunnel * largest // (largest + OVERHEAD) + largest + 1


def apart(networks: Mapping[int, Iterable[str]]) -> dict[int, tuple[str, ...]]:
    """The clients' networks less those that overlap with one of another client, first come.

    There are none by rights; but nft would refuse the whole table for one of them.
    """
    ranges = []
    for client, texts in networks.items():
        for network in map(ip_network, texts):
            first = int(network.network_address)
            ranges.append((network.version, first, first + network.num_addresses, client, network))
    kept: dict[int, list[str]] = {client: [] for client in networks}
    version, end, owner = 0, 0, 0
    for family, first, behind, client, network in sorted(ranges, key=lambda one: one[:3]):
        inside = family == version and first < end
        if not inside:
            version, end, owner = family, behind, client
        if client == owner:
            kept[client].append(str(network))
            end = max(end, behind)
    return {client: tuple(dict.fromkeys(texts)) for client, texts in kept.items()}


def render(interface: str, table: Table) -> str:
    """The text for ``nft -f -`` that puts the whole table into place; counting begins at 0."""
    name = table_name(interface)
    quotas = "".join(
        f"\tquota {key.name} {{ over {quota.limit} bytes }}\n" for key, quota in table.items()
    )
    elements = _elements(table, table)
    maps = "".join(_map(where, elements.get(where, {})) for where in _MAPS)
    return (
        f"{remove(interface)}table inet {name} {{\n{quotas}{maps}{_chains()}{_hooks(interface)}}}\n"
    )


def remove(interface: str) -> str:
    """The text that takes the table away, if it is there."""
    name = table_name(interface)
    return f"add table inet {name}\ndelete table inet {name}\n"


def touch(interface: str) -> str:
    """A text that changes nothing, and that nft refuses when the table is gone."""
    return f"add chain inet {table_name(interface)} forward\n"


def change(interface: str, old: Table, new: Table, fresh: Collection[Key] = ()) -> str:
    """The text that makes ``new`` of ``old`` in one transaction; "" when nothing differs.

    A quota whose limit changes keeps what it counted. One that is ``fresh``, or whose networks
    changed, is made anew and counts from 0.
    """
    anew = {
        key
        for key in new.keys() & old.keys()
        if key in fresh or new[key].networks != old[key].networks
    }
    gone = sorted((old.keys() - new.keys()) | anew)
    come = sorted((new.keys() - old.keys()) | anew)
    kept = [k for k in new.keys() & old.keys() if k not in anew and new[k].limit != old[k].limit]
    return "".join(_commands(table_name(interface), old, new, gone, [*come, *sorted(kept)], come))


def _commands(
    name: str, old: Table, new: Table, gone: list[Key], put: list[Key], come: list[Key]
) -> Iterator[str]:
    """Elements before the quotas they lead to when they go, after them when they come."""
    for where, pairs in _elements(old, gone).items():
        yield f"delete element inet {name} {where} {{ {', '.join(pairs)} }}\n"
    for key in gone:
        yield f"delete quota inet {name} {key.name}\n"
    for key in put:
        yield f"add quota inet {name} {key.name} {{ over {new[key].limit} bytes }}\n"
    for where, pairs in _elements(new, come).items():
        yield f"add element inet {name} {where} {{ {_pairs(pairs)} }}\n"


def parse(listing: str) -> Shown:
    """What ``nft -j -t list table`` wrote. Raises ValueError on a table that is not ours."""
    limits: dict[Key, int] = {}
    used: dict[Key, int] = {}
    rules = 0
    for entry in json.loads(listing)["nftables"]:
        rules += "rule" in entry
        if "quota" in entry:
            quota = entry["quota"]
            key = Key(int(quota["name"][1:]), Way(quota["name"][0]))
            limits[key], used[key] = int(quota["bytes"]), int(quota["used"])
    return Shown(limits, used, rules)


# -- the parts of a table -----------------------------------------------------------------------

_FAMILIES: Final = {"4": ("ip", "ipv4_addr"), "6": ("ip6", "ipv6_addr")}
#: Devices' own addresses are hashed; networks behind them ("n") need a map of intervals.
_MAPS: Final = [way + family + kind for way in Way for family in "46" for kind in ("", "n")]
_WAYS: Final = {"up": ("saddr", Way.UP), "down": ("daddr", Way.DOWN)}
_HOOKS: Final = {"forward": ("up", "down"), "input": ("up",), "output": ("down",)}
RULES: Final = sum(2 + 2 * 4 for _ in _WAYS) + sum(map(len, _HOOKS.values()))
"""How many rules a table has."""


def _elements(table: Table, keys: Iterable[Key]) -> dict[str, dict[str, str]]:
    """By map: which network leads to which quota."""
    found: dict[str, dict[str, str]] = {}
    for key in keys:
        for network in table[key].networks:
            family = "6" if ":" in network else "4"
            host = network.removesuffix("/128" if family == "6" else "/32")
            where = f"{key.way}{family}{'n' if '/' in host else ''}"
            found.setdefault(where, {})[host] = key.name
    return found


def _map(where: str, pairs: Mapping[str, str]) -> str:
    kind = _FAMILIES[where[1]][1]
    flags = " flags interval;" if where.endswith("n") else ""
    elements = f" elements = {{ {_pairs(pairs)} }};" if pairs else ""
    return f"\tmap {where} {{ type {kind} : quota;{flags}{elements} }}\n"


def _pairs(pairs: Mapping[str, str]) -> str:
    return ", ".join(f'{network} : "{quota}"' for network, quota in pairs.items())


def _chains() -> str:
    """What a packet meets on its way up, and on its way down."""
    texts = []
    for name, (end, alone) in _WAYS.items():
        for family, (protocol, _) in _FAMILIES.items():
            rules = [
                f"quota name {protocol} {end} map @{way}{family}{kind} drop"
                for way in (Way.BOTH, alone)
                for kind in ("", "n")
            ]
            texts.append(_chain(name + family, rules))
        texts.append(_chain(name, [f"meta nfproto ipv4 goto {name}4", f"goto {name}6"]))
    return "".join(texts)


def _hooks(interface: str) -> str:
    towards = {"up": f'iifname "{interface}"', "down": f'oifname "{interface}"'}
    return "".join(
        _chain(
            hook,
            [
                f"type filter hook {hook} priority {PRIORITY}; policy accept;",
                *(f"{towards[way]} jump {way}" for way in ways),
            ],
        )
        for hook, ways in _HOOKS.items()
    )


def _chain(name: str, rules: Iterable[str]) -> str:
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    return f"\tchain {name} {{\n{lines}\t}}\n"
