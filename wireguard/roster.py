"""The peers of a link that comes up: loaded quietly, then told apart from strangers and woken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from wireguard.config import render_sync
from wireguard.linkspec import Endpoint
from wireguard.steps import Steps
from wireguard.surroundings import Surroundings
from wireguard.types import DeviceConfig, PeerConfig

WAKE_KEEPALIVE_S: Final = 25
PEERS_PER_CALL: Final = 200
LOAD_WITHIN_S: Final = 60.0
SET_WITHIN_S: Final = 5.0

Seen = tuple[PeerConfig, str]
"""A peer, and the endpoint where it was last seen."""


class Roster:
    """Loads the peers of one link, then begins a handshake with those whose endpoint is known."""

    def __init__(self, steps: Steps, name: str, command: str, surroundings: Surroundings) -> None:
        self._steps = steps
        self._name = name
        self._command = command
        self._surroundings = surroundings
        self._seen: list[Seen] = []

    def load(self, device: DeviceConfig, endpoints: Mapping[str, Endpoint]) -> None:
        """Give the link its keys, port and peers, then the endpoints: before any traffic.

        Peers with an endpoint are loaded without their keepalive: it would begin a handshake with
        nobody, and WireGuard then waits five seconds before it begins another (REKEY_TIMEOUT).
        """
        self._seen = [
            (peer, endpoint)
            for peer in device.peers
            if (endpoint := _endpoint_of(peer, endpoints)) is not None
        ]
        quiet = {
            peer.public_key: peer._replace(persistent_keepalive=None) for peer, _ in self._seen
        }
        peers = tuple(quiet.get(peer.public_key, peer) for peer in device.peers)
        text = render_sync(device._replace(peers=peers)).encode()
        sync = [self._command, "syncconf", self._name, "/dev/stdin"]
        self._steps.run("load", sync, stdin=text, timeout=LOAD_WITHIN_S)
        words = [["peer", peer.public_key, "endpoint", endpoint] for peer, endpoint in self._seen]
        self._surroundings.attempt(partial(self._set, "endpoints", words))

    def wake(self) -> None:
        """Begin a handshake with every client that was there: a keepalive switched on does it.

        It is switched off again where none is wanted; the handshake goes on without it. The link
        is in service by now, and stays so if this fails (wireguard-go blocks while the uplink's
        neighbour is being resolved): those clients come back by themselves, later, and a
        keepalive that stayed on is drift like any other.
        """
        self._surroundings.attempt(self._ring)

    def _ring(self) -> None:
        peers = [peer for peer, _ in self._seen]
        self._set(
            "wake", [_keepalive(p, p.persistent_keepalive or WAKE_KEEPALIVE_S) for p in peers]
        )
        self._set("sleep", [_keepalive(p, 0) for p in peers if not p.persistent_keepalive])

    def _set(self, step: str, peers: Sequence[list[str]]) -> None:
        for start in range(0, len(peers), PEERS_PER_CALL):
            words = [word for peer in peers[start : start + PEERS_PER_CALL] for word in peer]
            argv = [self._command, "set", self._name, *words]
            self._steps.run(step, argv, timeout=SET_WITHIN_S)


def _endpoint_of(peer: PeerConfig, endpoints: Mapping[str, Endpoint]) -> str | None:
    """Where the peer was last seen, else where its configuration says it is."""
    seen = endpoints.get(peer.public_key)
    if seen is None:
        return peer.endpoint
    address, port = seen
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _keepalive(peer: PeerConfig, seconds: int) -> list[str]:
    return ["peer", peer.public_key, "persistent-keepalive", str(seconds)]
