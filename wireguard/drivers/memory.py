"""A gateway in a dict: WireGuard's semantics without WireGuard, and knobs to make it fail.

The contract suite runs on this and on the real thing, so tests may trust it.
"""

from __future__ import annotations

from collections.abc import Iterable

from wireguard.allowed_ips import check_endpoint, check_keepalive, sort_networks
from wireguard.config import render_sync
from wireguard.driver import Driver
from wireguard.errors import DriverError, DriverRejected, InterfaceMissing
from wireguard.keys import (
    check_preshared_key,
    check_private_key,
    check_public_key,
    public_key_of,
)
from wireguard.plan import CLEAR, PeerChange, Plan
from wireguard.types import DeviceConfig, Dump, InterfaceStatus, PeerStatus, Secret
from wireguard.values import check_fwmark, check_listen_port


class MemoryDriver(Driver):
    """A `Driver` for tests. ``exists``, ``refuse_keys`` and ``calls`` are theirs to use.

    ``exists`` False makes every call raise `InterfaceMissing`. An apply stops with
    `DriverRejected` at the first peer of ``refuse_keys``, with what came before it in force;
    ``explained`` is what that error says of itself. ``calls`` are the names of the calls made.
    """

    def __init__(self, interface: str = "wg0", *, private_key: Secret | None = None) -> None:
        self.interface = interface
        self.exists = True
        self.refuse_keys: set[str] = set()
        self.explained = False
        self.calls: list[str] = []
        self._failures: list[tuple[DriverError, int]] = []
        self._status = InterfaceStatus(None, None, 0, None)
        self._peers: dict[str, PeerStatus] = {}
        self._owners: dict[str, str] = {}
        if private_key is not None:
            self._set_private_key(private_key)

    def fail_next(self, error: DriverError, *, after: int = 0) -> None:
        """Let the next call raise ``error``; an apply carries out ``after`` peers before."""
        self._failures.append((error, after))

    def report(
        self,
        public_key: str,
        *,
        rx_bytes: int | None = None,
        tx_bytes: int | None = None,
        latest_handshake: int | None = None,
        endpoint: str | None = None,
    ) -> None:
        """Let a peer have traffic, a handshake (Unix seconds) or a new place. None: unchanged."""
        peer = self._peers[public_key]
        self._peers[public_key] = peer._replace(
            rx_bytes=peer.rx_bytes if rx_bytes is None else rx_bytes,
            tx_bytes=peer.tx_bytes if tx_bytes is None else tx_bytes,
            latest_handshake=(
                peer.latest_handshake if latest_handshake is None else latest_handshake
            ),
            endpoint=peer.endpoint if endpoint is None else endpoint,
        )

    def read(self) -> Dump:
        """See `Driver`."""
        self._begin("read")
        return Dump(self._status, dict(self._peers))

    def apply(self, plan: Plan) -> None:
        """See `Driver`."""
        _check(plan)
        error, budget = self._take_failure("apply")
        for count, public_key in enumerate(plan.removals):
            if error is not None and count >= budget:
                raise error
            self._remove(public_key)
        for count, change in enumerate(plan.changes, start=len(plan.removals)):
            if error is not None and count >= budget:
                raise error
            self._change(change)
        if error is not None:
            raise error

    def sync(self, device: DeviceConfig) -> None:
        """See `Driver`."""
        render_sync(device)  # checks every value, as the real one does
        self._begin("sync")
        for peer in device.peers:
            self._refuse(peer.public_key)
        wanted = device.interface
        if wanted.private_key is not None:
            self._set_private_key(wanted.private_key)
        self._status = self._status._replace(
            listen_port=wanted.listen_port or 0, fwmark=wanted.fwmark or None
        )
        for public_key in self._peers.keys() - {peer.public_key for peer in device.peers}:
            self._remove(public_key)
        for peer in device.peers:
            self._change(
                PeerChange(
                    peer.public_key,
                    peer.allowed_ips,
                    peer.preshared_key or CLEAR,
                    peer.persistent_keepalive or 0,
                )
            )

    def set_interface(
        self,
        *,
        listen_port: int | None = None,
        fwmark: int | None = None,
        private_key: Secret | None = None,
    ) -> None:
        """See `Driver`."""
        status = self._status
        if listen_port is not None:
            status = status._replace(listen_port=check_listen_port(listen_port))
        if fwmark is not None:
            status = status._replace(fwmark=check_fwmark(fwmark))
        if private_key is not None:
            check_private_key(private_key)
        self._begin("set_interface")
        self._status = status
        if private_key is not None:
            self._set_private_key(private_key)

    def _begin(self, call: str) -> None:
        error, _ = self._take_failure(call)
        if error is not None:
            raise error

    def _take_failure(self, call: str) -> tuple[DriverError | None, int]:
        self.calls.append(call)
        if self._failures:
            return self._failures.pop(0)
        if not self.exists:
            return InterfaceMissing(f"{self.interface}: No such device"), 0
        return None, 0

    def _set_private_key(self, private_key: Secret) -> None:
        public_key = public_key_of(private_key)
        self._status = self._status._replace(private_key=private_key, public_key=public_key)
        self._remove(public_key)  # WireGuard drops a peer that turns out to be itself

    def _refuse(self, public_key: str) -> None:
        if public_key in self.refuse_keys:
            raise DriverRejected("refused", explained=self.explained)

    def _remove(self, public_key: str) -> None:
        peer = self._peers.pop(public_key, None)
        if peer is not None:
            for network in peer.allowed_ips:
                del self._owners[network]

    def _change(self, change: PeerChange) -> None:
        key = change.public_key
        self._refuse(key)
        if key == self._status.public_key:
            return
        peer = self._peers.get(key) or PeerStatus(key, None, None, (), 0, 0, 0, None)
        if change.preshared_key is CLEAR:
            peer = peer._replace(preshared_key=None)
        elif change.preshared_key is not None:
            peer = peer._replace(preshared_key=change.preshared_key)
        if change.persistent_keepalive is not None:
            peer = peer._replace(persistent_keepalive=change.persistent_keepalive or None)
        if change.endpoint is not None:
            peer = peer._replace(endpoint=change.endpoint)
        self._peers[key] = peer
        if change.allowed_ips is not None:
            self._assign(key, change.allowed_ips)

    def _assign(self, public_key: str, networks: Iterable[str]) -> None:
        """Give the networks to one peer, silently taking each from whoever had it."""
        peer = self._peers[public_key]
        for network in peer.allowed_ips:
            del self._owners[network]
        wanted = sort_networks(networks)
        for network in wanted:
            owner = self._owners.get(network)
            if owner is not None:
                robbed = self._peers[owner]
                rest = tuple(kept for kept in robbed.allowed_ips if kept != network)
                self._peers[owner] = robbed._replace(allowed_ips=rest)
            self._owners[network] = public_key
        self._peers[public_key] = peer._replace(allowed_ips=wanted)


def _check(plan: Plan) -> None:
    """Refuse what the ``wg`` driver would not send."""
    for public_key in plan.removals:
        check_public_key(public_key)
    for change in plan.changes:
        check_public_key(change.public_key)
        if isinstance(change.preshared_key, Secret):
            check_preshared_key(change.preshared_key)
        if change.endpoint is not None:
            check_endpoint(change.endpoint)
        check_keepalive(change.persistent_keepalive)
        sort_networks(change.allowed_ips or ())
