"""What an interface needs around it: hooks, forwarding, a firewall table, routes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network
from typing import Final

from wireguard import firewall
from wireguard.errors import DriverError
from wireguard.host import enable_forwarding
from wireguard.runner import Runner
from wireguard.steps import Steps
from wireguard.types import DeviceConfig

HOOK_WITHIN_S: Final = 30.0
ROUTE_PROTOCOL: Final = "157"
"""Marks our routes (rtnetlink's free range), so that no others are ever removed."""

Networks = tuple[list[IPv4Network], list[IPv6Network]]

_log = logging.getLogger(__name__)


class Surroundings:
    """The surroundings of one interface; ``steps`` holds the prefix that its commands need."""

    def __init__(self, runner: Runner, steps: Steps, name: str) -> None:
        self._runner = runner
        self._steps = steps
        self._name = name

    def run_hooks(self, when: str, hooks: Sequence[str]) -> None:
        """Run the operator's hooks in order; raises a `DriverError` naming the first that fails.

        The only place where vwg starts a shell: a hook is shell text by definition (wg-quick(8)),
        written by the operator alone, and %i in it stands for the interface.
        """
        for number, text in enumerate(hooks, start=1):
            self._steps.run(
                f"{when} hook {number}",
                ["/bin/sh", "-c", text.replace("%i", self._name)],
                timeout=HOOK_WITHIN_S,
            )

    def try_hooks(self, when: str, hooks: Sequence[str]) -> None:
        """Run every hook, whatever becomes of the others; failures are logged."""
        for hook in hooks:
            self.attempt(partial(self.run_hooks, when, [hook]))

    def attempt(self, act: Callable[[], None]) -> None:
        """Do it, and log that it failed: for steps on the way down, which must all be taken."""
        try:
            act()
        except DriverError as error:
            _log.warning("WireGuard interface %s: %s", self._name, error)

    def forward(self, networks: Networks) -> None:
        """Let the host pass packets on, for the families that the interface speaks."""
        enable_forwarding(
            self._runner, self._steps.prefix, ipv4=bool(networks[0]), ipv6=bool(networks[1])
        )

    def load_firewall(self, networks: Networks, *, nat: bool, forward: bool, isolate: bool) -> None:
        """Put the interface's own nftables table into place."""
        text = firewall.render_table(
            firewall.table_name(self._name),
            self._name,
            *networks,
            nat=nat,
            forward=forward,
            isolate=isolate,
        )
        firewall.load(self._runner, text, self._steps.prefix)

    def remove_firewall(self) -> None:
        """Take the table away again; fine if there is none."""
        firewall.remove(self._runner, self._name, self._steps.prefix)

    def set_routes(self, device: DeviceConfig) -> None:
        """Make the routes to networks behind devices what they should be; others stay."""
        table = device.interface.table or "auto"
        if table == "off":
            return
        where = "main" if table == "auto" else table
        wanted = set(routed_networks(device))
        has = self._our_routes(where)
        lines = [
            f"route {act} {network} dev {self._name} table {where} proto {ROUTE_PROTOCOL}\n"
            for act, networks in (("del", has - wanted), ("replace", wanted - has))
            for network in sorted(networks)
        ]
        if lines:
            self._steps.run("routes", ["ip", "-batch", "-"], stdin="".join(lines).encode())

    def _our_routes(self, table: str) -> set[str]:
        found: set[str] = set()
        for family, everything in (("-4", "0.0.0.0/0"), ("-6", "::/0")):
            query = ["route", "show", "table", table, "dev", self._name, "proto", ROUTE_PROTOCOL]
            listed = self._steps.attempt("routes", ["ip", family, "-json", *query])
            if listed.returncode:  # a table that no route has made yet
                continue
            for route in json.loads(listed.stdout or b"[]"):
                text = everything if route["dst"] == "default" else route["dst"]
                found.add(str(ip_network(text)))
        return found


def interface_networks(addresses: Iterable[str]) -> Networks:
    """The networks that addresses with a prefix length lie in, IPv4 and IPv6 apart."""
    networks: Networks = ([], [])
    for address in addresses:
        network = ip_interface(address).network
        if isinstance(network, IPv4Network):
            networks[0].append(network)
        else:
            networks[1].append(network)
    return networks


def routed_networks(device: DeviceConfig) -> tuple[str, ...]:
    """The allowed-ips that the interface's own networks do not cover, and so need a route.

    A default route (/0) is only among them with a table of its own: in the main table it would
    take the host's own traffic, the tunnel's packets included.
    """
    own4, own6 = interface_networks(device.interface.addresses)
    apart = device.interface.table not in (None, "", "auto", "main")
    found: list[str] = []
    for peer in device.peers:
        for text in peer.allowed_ips:
            network = ip_network(text)
            if isinstance(network, IPv4Network):
                covered = any(network.subnet_of(own) for own in own4)
            else:
                covered = any(network.subnet_of(own) for own in own6)
            if not covered and (network.prefixlen or apart):
                found.append(text)
    return tuple(found)
