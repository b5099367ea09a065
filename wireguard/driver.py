"""The port through which a WireGuard interface is read and changed."""

from __future__ import annotations

from typing import Protocol

from wireguard.plan import Plan
from wireguard.types import DeviceConfig, Dump, Secret


class Driver(Protocol):
    """One interface of one gateway.

    Every call may be made again: each states what is wanted, not a step towards it. Every call
    ends within its time-outs, and raises one of

    * `DriverUnavailable`: retry later. What was being sent may or may not have arrived. Kinds:
      `InterfaceMissing`, `DriverForbidden`, `CommandMissing` (with these nothing has arrived);
    * `DriverRejected`: WireGuard refused. Retrying the same is in vain;
    * `InvalidConfig`, `InvalidKey`: a value is wrong, found before anything was sent.

    No error, log line or argument of a process holds a secret. No call restarts the interface,
    and none is ``wg setconf``, which resets the counters of every peer.
    """

    interface: str

    def read(self) -> Dump:
        """The interface as it is. Costs about 6 us a peer. Raises `TruncatedDump`, too."""
        ...

    def apply(self, plan: Plan) -> None:
        """Tier 1: carry out a plan, and touch no peer that it does not name.

        Not atomic: after an error any part of the plan may be in force, so read before judging.
        Removals and changes that take addresses away are sent first. Afterwards an address
        belongs to the peer that claimed it last. A peer with the interface's own public key is
        ignored by WireGuard without an error: the next dump tells. Costs about 2 ms, and 0.1 ms
        for each new peer; the caller cuts the plan into batches.
        """
        ...

    def sync(self, device: DeviceConfig) -> None:
        """Tier 2: make the peers, keys, port and mark those of ``device``, and nothing else.

        Peers that ``device`` does not list are removed, counters and all; an empty list removes
        everyone, so the caller must have a cause for each loss. Endpoints are not sent, and the
        counters and endpoints of listed peers stay. The port is sent again, which costs every
        client a few packets on wireguard-go.
        """
        ...

    def set_interface(
        self,
        *,
        listen_port: int | None = None,
        fwmark: int | None = None,
        private_key: Secret | None = None,
    ) -> None:
        """Change what is given, and send nothing else; ``fwmark`` 0 is off.

        A port costs a moment's re-bind even if it is the same; a private key ends every session.
        """
        ...
