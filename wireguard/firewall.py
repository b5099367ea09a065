"""One nftables table of our own per interface: NAT, forwarding, and segments that fit.

Nothing of anybody else is read, changed or flushed. A reload is one transaction: packets see the
old table or the new one, never none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Any, Final

from wireguard.host import check_interface_name
from wireguard.runner import Runner
from wireguard.steps import Steps

STEP: Final = "firewall"
_FORWARD_PRIORITY: Final = -10
"""Before the usual filter chains (0), so that quotas and an operator's own rules come after."""


def table_name(interface: str) -> str:
    """The name of the interface's table, without its family: "vwg_wg0".

    Characters that nft does not take are written as _xx_ (hexadecimal), so that two interfaces
    never share a table. Raises `InvalidConfig` on a bad interface name.
    """
    check_interface_name(interface)
    return "vwg_" + re.sub(r"[^A-Za-z0-9]", lambda m: f"_{ord(m[0]):02x}_", interface)


def render_table(
    name: str,
    interface: str,
    networks4: Iterable[IPv4Network],
    networks6: Iterable[IPv6Network],
    nat: bool,
    forward: bool,
    isolate: bool = False,
) -> str:
    """The text for ``nft -f -`` that puts table ``inet name`` into place, in one transaction.

    ``nat`` masquerades the networks when they leave by another interface; ``forward`` accepts
    what comes from the interface, and what answers it, and clamps TCP segments to the path's MTU;
    ``isolate`` drops what one client sends to another. An accept here does not overrule a
    firewall that drops later: see `dropping_chains`.
    """
    check_interface_name(interface)
    chains: list[str] = []
    if forward or isolate:
        chains.append(_forward_chain(interface, forward=forward, isolate=isolate))
    if nat:
        chains.append(_nat_chain(interface, networks4, networks6))
    body = "\n".join(chains)
    return f"add table inet {name}\ndelete table inet {name}\ntable inet {name} {{\n{body}\n}}\n"


def _forward_chain(interface: str, *, forward: bool, isolate: bool) -> str:
    rules = [f"type filter hook forward priority {_FORWARD_PRIORITY}; policy accept;"]
    if isolate:
        rules.append(f'iifname "{interface}" oifname "{interface}" drop')
    if forward:
        # Both directions: the client's SYN and the server's answer each carry a segment size.
        rules += [
            f'{way} "{interface}" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu'
            for way in ("iifname", "oifname")
        ]
        rules += [
            f'iifname "{interface}" accept',
            f'oifname "{interface}" ct state established,related accept',
        ]
    return _chain("forward", rules)


def _nat_chain(
    interface: str, networks4: Iterable[IPv4Network], networks6: Iterable[IPv6Network]
) -> str:
    rules = ["type nat hook postrouting priority 100; policy accept;"]
    # Not on lo: a packet of the gateway to its own tunnel address must keep its source.
    for family, networks in (
        ("ip", [str(network) for network in collapse_addresses(networks4)]),
        ("ip6", [str(network) for network in collapse_addresses(networks6)]),
    ):
        if networks:
            rules.append(
                f"{family} saddr {{ {', '.join(networks)} }} "
                f'oifname != {{ "{interface}", "lo" }} masquerade'
            )
    return _chain("postrouting", rules)


def _chain(name: str, rules: list[str]) -> str:
    lines = "\n".join(f"\t\t{rule}" for rule in rules)
    return f"\tchain {name} {{\n{lines}\n\t}}"


def load(runner: Runner, text: str, prefix: tuple[str, ...] = ()) -> None:
    """Put a rendered text into the kernel: all of it or nothing.

    Raises `CommandMissing` on a host without nft, `DriverForbidden`, `DriverUnavailable`, or
    `DriverRejected` when nft refuses the text.
    """
    Steps(runner, prefix).run(STEP, ["nft", "-f", "-"], stdin=text.encode(), timeout=10.0)


def remove(runner: Runner, interface: str, prefix: tuple[str, ...] = ()) -> None:
    """Take the interface's table away; fine if there is none. Raises as `load` does."""
    name = table_name(interface)
    load(runner, f"add table inet {name}\ndelete table inet {name}\n", prefix)


def dropping_chains(runner: Runner, prefix: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Base chains on the forward path that drop by policy: "ip filter FORWARD" (Docker, ufw).

    nftables has no accept that overrules them, so a doctor should name them to the operator.
    """
    listed = Steps(runner, prefix).run(STEP, ["nft", "-j", "list", "chains"])
    return tuple(
        f"{chain['family']} {chain['table']} {chain['name']}"
        for chain in _objects(listed, "chain")
        if chain.get("hook") == "forward" and chain.get("policy") == "drop"
    )


def _objects(listed: str, kind: str) -> list[dict[str, Any]]:
    """The objects of one kind in what ``nft -j list`` wrote."""
    return [entry[kind] for entry in json.loads(listed)["nftables"] if kind in entry]
