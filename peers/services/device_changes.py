"""Changing a device inside the transaction of its client's change: decided, then written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from peers.allocation import claim, release
from peers.models import Peer, PeerAddress
from peers.networks import replace_networks
from peers.queries import as_networks
from peers.sealing import open_preshared_key, seal_preshared_key
from peers.services.changes import raise_file_generation, raise_generation, save_all
from peers.services.devices import DeviceWish, FieldNames, refuse_small_mtu
from wireguard.types import Secret

#: What WireGuard on the server must learn of.
_SERVER_SIDE: Final = frozenset(
    {"persistent_keepalive", "endpoint", "preshared_key", "addresses", "networks"}
)
#: What the customer's file shows of the device itself.
_IN_FILE: Final = frozenset(
    {
        "use_server_dns",
        "dns_servers",
        "mtu",
        "client_keepalive",
        "routes",
        "endpoint_override",
        "preshared_key",
        "addresses",
    }
)


@dataclass(frozen=True)
class DeviceChange:
    """What changes of a device: its columns are in the object, and not written yet."""

    peer: Peer
    columns: frozenset[str]
    #: The changed fields; a secret among them reads "changed".
    after: Mapping[str, Any]

    @property
    def must_learn(self) -> bool:
        """Whether it is something that WireGuard on the server must learn of."""
        return bool(self.after.keys() & _SERVER_SIDE)

    @property
    def is_in_file(self) -> bool:
        """Whether it shows in the customer's file."""
        return bool(self.after.keys() & _IN_FILE)


def device_change(
    *, peer: Peer, wish: DeviceWish, at: datetime, fields: FieldNames
) -> DeviceChange:
    """What a wish changes of a device. Addresses and networks, which are claimed, move at once.

    The caller has locked the client.
    """
    changed = {name: value for name, value in wish.columns.items() if getattr(peer, name) != value}
    for name, value in changed.items():
        setattr(peer, name, value)
    if wish.sets_preshared_key and _sets_other_psk(peer, wish.preshared_key):
        changed["preshared_key"] = "changed"
    columns = frozenset(changed)
    moved = _move(peer=peer, wish=wish, at=at, fields=fields)
    refuse_small_mtu(peer, (row.address for row in peer.addresses.all()))
    return DeviceChange(peer, columns, {**changed, **moved})


def write_devices(changes: Sequence[DeviceChange]) -> None:
    """Write the columns of these devices, of one client each, in a few statements."""
    columns = sorted({name for change in changes for name in change.columns})
    peers = [change.peer for change in changes if change.columns]
    if len(peers) == 1:
        peers[0].save(update_fields=columns)
    elif columns:
        save_all(peers, columns)
    raise_generation(change.peer for change in changes if change.must_learn)
    raise_file_generation(change.peer for change in changes if change.is_in_file)


def _move(*, peer: Peer, wish: DeviceWish, at: datetime, fields: FieldNames) -> dict[str, Any]:
    """Bring addresses and networks to what is wished; what they are now, where they changed."""
    moved: dict[str, Any] = {}
    if wish.addresses is not None:
        held = set(peer.addresses.values_list("address", flat=True))
        gone, new = held - set(wish.addresses), [a for a in wish.addresses if a not in held]
        if gone:
            release(PeerAddress.objects.filter(peer=peer, address__in=gone), at=at)
        if new:
            claim(peer=peer, interface=peer.interface, addresses=new, at=at, field=fields[0])
        if gone or new:
            moved["addresses"] = list(as_networks(wish.addresses))
    if wish.networks is not None:
        routed = set(peer.networks.values_list("network", flat=True))
        if routed != set(wish.networks):
            replace_networks(
                peer=peer, interface=peer.interface, networks=wish.networks, at=at, field=fields[1]
            )
            moved["networks"] = list(wish.networks)
    return moved


def _sets_other_psk(peer: Peer, wanted: Secret | None) -> bool:
    """Put the preshared key into the object, sealed; False when it is the one it has."""
    if open_preshared_key(peer.uuid, peer.preshared_key) == wanted:
        return False
    peer.preshared_key = "" if wanted is None else seal_preshared_key(peer.uuid, wanted)
    return True
