"""A WireGuard interface as a link of the host: made, described, changed and taken down.

Rule 1: a link that does not carry our stamp is never written to (`ForeignInterface`), except by
`Link.stamp`, which is the operator's adoption. Rule 2: while a link is being made it carries the
unfinished stamp ("vwg~<uuid>"), so that one left by a killed bring-up is told from one in service,
and is made anew. Callers keep one uuid per life of the link (it names the epoch of the counters):
they store it, then bring the link up, and choose another only after the link is gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from wireguard.daemon import FLAVOURS, Daemon
from wireguard.errors import DriverRejected, InterfaceMissing
from wireguard.host import check_interface_name, command_prefix, lacks_kind
from wireguard.linkspec import (
    STAMP,
    UNFINISHED,
    Backend,
    Endpoint,
    ForeignInterface,
    LinkSpec,
    LinkState,
    Outcome,
    read_state,
)
from wireguard.roster import Roster
from wireguard.runner import Runner
from wireguard.steps import Steps, failure
from wireguard.surroundings import Surroundings, interface_networks
from wireguard.types import DeviceConfig

__all__ = ["Endpoint", "ForeignInterface", "Link", "LinkSpec", "LinkState", "Outcome"]

DEFAULT_MTU: Final = 1420
"""Bytes: 1500 less 60 (IPv6 and UDP) and 20 of WireGuard's; what wg-quick(8) finds there too."""


class Link:
    """One interface of one network namespace. Every method raises a `DriverError` on failure.

    Commands run through ``runner``, in ``netns`` if given, behind ``sudo -n`` if asked for. The
    caller holds the host lock; this class takes none.
    """

    def __init__(
        self,
        runner: Runner,
        name: str,
        netns: str | None = None,
        sudo: bool = False,
        command: str = "wg",
    ) -> None:
        self.name = check_interface_name(name)
        self._runner = runner
        self._steps = Steps(runner, command_prefix(netns, sudo=sudo))
        self._steps_outside = Steps(runner, command_prefix(sudo=sudo))
        self._in_netns = () if netns is None else ("-n", netns)
        self._command = command
        self._flavour = FLAVOURS[command]
        self._daemon = Daemon(self._steps, self._flavour, name, netns)

    def state(self) -> LinkState:
        """What the host shows now: one command, two where the link may be in user space."""
        asked = self._steps.attempt(
            "state", ["ip", "-details", "-json", "address", "show", "dev", self.name]
        )
        if asked.returncode:
            error = failure("state", "ip", asked)
            if isinstance(error, InterfaceMissing):
                return LinkState(exists=False)
            raise error
        shown = next(link for link in json.loads(asked.stdout) if link)
        return read_state(shown, self._backend(shown.get("linkinfo", {}).get("info_kind", "")))

    def glance(self) -> LinkState:
        """Existence, flags, MTU and alias alone: one short command (2.5 ms; `state` takes 10 in a
        namespace, where each of its two commands gets a mount namespace of its own first).
        """
        asked = self._steps_outside.attempt(
            "state", ["ip", *self._in_netns, "-json", "link", "show", "dev", self.name]
        )
        if asked.returncode:
            error = failure("state", "ip", asked)
            if isinstance(error, InterfaceMissing):
                return LinkState(exists=False)
            raise error
        shown = next(link for link in json.loads(asked.stdout) if link)
        return read_state({"addr_info": (), **shown}, None)

    def _backend(self, kind: str) -> Backend | None:
        if kind == self._flavour.kind:
            return "kernel"
        if kind != "tun":
            return None
        names = self._steps.run("state", [self._command, "show", "interfaces"]).split()
        return "userspace" if self.name in names else None

    def bring_up(self, spec: LinkSpec, endpoints: Mapping[str, Endpoint] | None = None) -> Outcome:
        """Make the link, or leave it alone if it is up with our stamp.

        ``endpoints`` maps public keys to where those clients were last seen. They are given
        before any traffic, and woken: measured, that makes 0.2 s of a restart's 15 s silence.
        That is a courtesy: if it fails, it is logged, and the link is brought up all the same.
        A failure undoes what was begun and names its step; the host's forwarding stays on.
        Raises `ForeignInterface` for a link with any other stamp, or none.
        """
        self._check_spec(spec)
        state = self.state()
        surroundings = Surroundings(self._runner, self._steps, spec.name)
        if state.exists:
            if spec.stamp not in (state.stamp, state.unfinished):
                raise ForeignInterface(self._foreign(state))
            if state.stamp == spec.stamp and state.up:
                return Outcome.ALREADY
            if state.stamp == spec.stamp:
                self._connect(spec, state, surroundings)
                return Outcome.REVIVED
            self._delete()
        self._create(spec, endpoints or {}, surroundings)
        return Outcome.CREATED

    def _check_spec(self, spec: LinkSpec) -> None:
        if (spec.name, spec.command) != (self.name, self._command) or not spec.stamp:
            raise ValueError("the specification is of another link, or has no stamp")

    def _foreign(self, state: LinkState) -> str:
        whose = f"stamped {state.alias}" if state.alias.startswith("vwg") else "not made by vwg"
        return f"interface {self.name} exists and is {whose}; adopt it or take it down first"

    def _create(
        self, spec: LinkSpec, endpoints: Mapping[str, Endpoint], surroundings: Surroundings
    ) -> None:
        hooks = spec.device.interface
        self._make(spec.backend)
        begun = False
        try:
            self._alias(UNFINISHED + spec.stamp)
            surroundings.run_hooks("PreUp", hooks.pre_up)
            roster = Roster(self._steps, self.name, self._command, surroundings)
            roster.load(spec.device, endpoints)
            self._connect(spec, LinkState(exists=True), surroundings)
            roster.wake()
            begun = bool(hooks.post_up)
            surroundings.run_hooks("PostUp", hooks.post_up)
            self._alias(STAMP + spec.stamp)
        except BaseException:
            self._undo(spec, surroundings, hooks_too=begun)
            raise

    def _make(self, backend: str) -> None:
        """Make the bare link: in the kernel where that is possible, else in user space."""
        if backend != "userspace":
            made = self._steps.attempt(
                "create", ["ip", "link", "add", "dev", self.name, "type", self._flavour.kind]
            )
            if not made.returncode:
                return
            if not lacks_kind(made.stderr):
                raise failure("create", "ip", made)
            if backend == "kernel":
                raise DriverRejected(
                    f"create: this kernel has no {self._flavour.kind}", explained=True
                )
        self._daemon.start(Steps(self._runner))

    def refresh(self, spec: LinkSpec) -> None:
        """Bring our link in service to its addresses, MTU, NAT and routes, without a new socket.

        For edits of an interface: keys, port and peers are the driver's, hooks the next bring-up's.
        Sessions go on, and a client whose address stays loses nothing.
        """
        self._check_spec(spec)
        state = self._require_ours()
        surroundings = Surroundings(self._runner, self._steps, self.name)
        if not (spec.forward or spec.nat or spec.isolate):
            surroundings.remove_firewall()
        self._connect(spec, state, surroundings)

    def _connect(self, spec: LinkSpec, state: LinkState, surroundings: Surroundings) -> None:
        """Addresses, forwarding and NAT before the link is up, routes after it; all repeatable."""
        wanted = spec.device.interface
        self._put_addresses(wanted.addresses, state.addresses)
        self._put_mtu(wanted.mtu or DEFAULT_MTU)
        networks = interface_networks((*wanted.addresses, *spec.nat_networks))
        if spec.forward:
            surroundings.forward(networks)
        if spec.forward or spec.nat or spec.isolate:
            surroundings.load_firewall(
                networks, nat=spec.nat, forward=spec.forward, isolate=spec.isolate
            )
        self._steps.run("up", ["ip", "link", "set", "dev", self.name, "up"])
        surroundings.set_routes(spec.device)

    def _undo(self, spec: LinkSpec, surroundings: Surroundings, *, hooks_too: bool) -> None:
        """Leave nothing of a failed bring-up. What fails here is passed over: one error is told."""
        hooks = spec.device.interface
        if hooks_too:
            surroundings.try_hooks("PreDown", hooks.pre_down)
        surroundings.attempt(self._delete)
        surroundings.attempt(surroundings.remove_firewall)
        if hooks_too:
            surroundings.try_hooks("PostDown", hooks.post_down)

    def bring_down(
        self, spec: LinkSpec | None = None, last: Callable[[], None] | None = None
    ) -> bool:
        """Take the link down with all that was made for it; say whether there was a link.

        With a ``spec`` its hooks are run and the stamp must be its own; without, any stamp of
        ours will do. Hooks that fail are logged. ``last`` is called when no packet passes any
        more, before the counters go. Raises `ForeignInterface` and does nothing.
        """
        state = self.state()
        stamp = state.stamp or state.unfinished
        if state.exists and (stamp is None or (spec is not None and spec.stamp != stamp)):
            raise ForeignInterface(self._foreign(state))
        surroundings = Surroundings(self._runner, self._steps, self.name)
        if state.exists:
            if spec is not None:
                surroundings.try_hooks("PreDown", spec.device.interface.pre_down)
            if last is not None:
                self._steps.run("down", ["ip", "link", "set", "dev", self.name, "down"])
                last()
            self._delete()
        surroundings.remove_firewall()
        if state.exists and spec is not None:
            surroundings.try_hooks("PostDown", spec.device.interface.post_down)
        return state.exists

    def _delete(self) -> None:
        self._steps.run("delete", ["ip", "link", "del", "dev", self.name])
        self._daemon.end()

    def stamp(self, uuid: str) -> None:
        """Adopt the interface: from now on it is ours, and the uuid names its epoch."""
        state = self.state()
        if not state.is_wireguard:
            raise InterfaceMissing(f"stamp: {self.name} is not a WireGuard interface")
        self._alias(STAMP + uuid)

    def _alias(self, alias: str) -> None:
        self._steps.run("stamp", ["ip", "link", "set", "dev", self.name, "alias", alias])

    def set_mtu(self, mtu: int) -> None:
        """Change the MTU (bytes) of our link in service; no session notices."""
        self._require_ours()
        self._put_mtu(mtu)

    def _put_mtu(self, mtu: int) -> None:
        self._steps.run("mtu", ["ip", "link", "set", "dev", self.name, "mtu", str(mtu)])

    def set_routes(self, device: DeviceConfig) -> None:
        """Route the networks behind the devices to our link in service, and no others."""
        self._require_ours()
        Surroundings(self._runner, self._steps, self.name).set_routes(device)

    def _require_ours(self) -> LinkState:
        state = self.state()
        if not state.exists:
            raise InterfaceMissing(f"interface {self.name} does not exist")
        if state.stamp is None:
            raise ForeignInterface(self._foreign(state))
        return state

    def _put_addresses(self, wanted: Sequence[str], has: Sequence[str]) -> None:
        added = [address for address in wanted if address not in has]
        removed = [address for address in has if address not in wanted]
        if any(":" in address for address in added):  # hosts with IPv6 off by default
            self._steps.run(
                "addresses", ["sysctl", "-q", "-w", f"net/ipv6/conf/{self.name}/disable_ipv6=0"]
            )
        put = [f"address replace {address} dev {self.name}" for address in wanted]
        drop = [f"address del {address} dev {self.name}" for address in removed]
        if added or removed:
            # Put twice: Linux drops the other addresses of a network with its first one.
            lines = [*put, *drop, *(put if drop else ())]
            text = "".join(f"{line}\n" for line in lines).encode()
            self._steps.run("addresses", ["ip", "-batch", "-"], stdin=text)
