"""Moving devices to another interface.

The device keeps its row, id, keys, links and settings. On the old interface a tombstone says why
its peer must go; it takes along what was applied there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from gateways.models import GlobalSetting, Interface, Job
from peers.allocation import allocate, claim, lock_pools, release
from peers.models import Peer, PeerAddress, PeerNetwork
from peers.networks import replace_networks
from peers.queries import as_networks, live_peers
from peers.services.changes import Changed, locked_client, note_act, raise_version, told
from peers.services.choosing import device_of
from peers.services.devices import is_key_taken, key_taken, refuse_small_mtu
from peers.services.meters import hold_meter, leave_meter
from rest.errors import Conflict, Invalid
from rest.versions import Version
from tenants.scoping import Caller

#: What a row knows of the interface it is on, and as which nobody has seen it elsewhere.
_ELSEWHERE: Final[dict[str, Any]] = {
    "applied_generation": 0,
    "applied_seq": 0,
    "applied_at": None,
    "applied_key": "",
    "applied_allowed_ips": "",
    "applied_psk": "",
    "applied_keepalive": None,
    "applied_endpoint": "",
    "applied_unknown": False,
    "quarantine_reason": "",
    "verified_generation": 0,
    "verified_at": None,
    "observed_present": False,
    "observed_endpoint": "",
}


@transaction.atomic
def move_client(
    *,
    caller: Caller,
    client_id: UUID,
    interface: Interface,
    at: datetime,
    peer_id: UUID | None = None,
    if_match: Version | None = None,
) -> Changed:
    """Move all devices of a client (or the one named) to ``interface``.

    An address stays where the new interface's pools give it and nobody has it; else the pools
    give a new one. Devices that are there already stay as they are. Raises `Missing`,
    `StaleVersion`, `Invalid` (``key_of_server``) and `Conflict` (``key_taken``,
    ``pool_exhausted``, ``network_taken`` …).
    """
    client = locked_client(caller, client_id, if_match)
    peers = live_peers(client) if peer_id is None else [device_of(client, peer_id)]
    going = [peer for peer in peers if peer.interface_id != interface.pk]
    if not going:
        return told(client, Job.Kind.MOVE, caller, [], at)
    before = {"interfaces": _names(going), "addresses": _addresses(going)}
    graves = [_move(peer, interface, at) for peer in going]
    raise_version(client)
    note_act(
        client=client,
        actor=caller.actor,
        action="client.moved",
        before=before,
        after={"interfaces": _names(going), "addresses": _addresses(going)},
    )
    return told(client, Job.Kind.MOVE, caller, [*graves, *going], at)


def _move(peer: Peer, interface: Interface, at: datetime) -> Peer:
    """Bring the row to the new interface; the tombstone on the old one."""
    if peer.public_key == interface.public_key:
        raise Invalid("This is the server's own key.", field="public_key", code="key_of_server")
    meter = hold_meter(peer)  # meters before peers, as everybody does
    grave = _grave(peer, at)
    lock_pools(interface, peer.tenant, at=at)  # before an address is claimed, as everybody does
    networks = list(peer.networks.values_list("network", flat=True))
    PeerNetwork.objects.filter(peer=peer).delete()
    held = list(peer.addresses.values_list("address", flat=True))
    release(PeerAddress.objects.filter(peer=peer), at=at)
    for name, value in _ELSEWHERE.items():
        setattr(peer, name, value)
    peer.interface = interface
    peer.generation += 1
    peer.file_generation = _file_generation(peer, interface)
    _save(peer)
    _take_addresses(peer, interface, held, at)
    if networks:
        replace_networks(
            peer=peer, interface=interface, networks=networks, at=at, field="interface"
        )
    refuse_small_mtu(peer, peer.addresses.values_list("address", flat=True))
    grave.save(force_insert=True)
    leave_meter(meter, grave=grave, interface=interface)
    return grave


def _grave(peer: Peer, at: datetime) -> Peer:
    """An unsaved tombstone with what was applied of the peer."""
    return Peer(
        tenant_id=peer.tenant_id,
        client_id=peer.client_id,
        interface=peer.interface,
        public_key=peer.public_key,
        blocked=peer.blocked,
        generation=peer.generation + 1,
        deleted_at=at,
        last_handshake_at=peer.last_handshake_at,
        **{name: getattr(peer, name) for name in _ELSEWHERE},
    )


def _file_generation(peer: Peer, interface: Interface) -> int:
    """So that the sum of all generations is above that of the file last handed out."""
    settings = GlobalSetting.objects.values_list("config_generation", flat=True).get(pk=1)
    others = settings + interface.config_generation + interface.gateway.config_generation
    return max(peer.file_generation, (peer.delivered_generation or 0) - others) + 1


def _save(peer: Peer) -> None:
    fields = ["interface", "generation", "file_generation", *_ELSEWHERE]
    try:
        peer.save(update_fields=fields)
    except IntegrityError as error:
        if not is_key_taken(error):
            raise
        raise key_taken() from None


def _take_addresses(peer: Peer, interface: Interface, held: Sequence[str], at: datetime) -> None:
    pools: set[int] = set()
    for address in held:
        try:
            with transaction.atomic():
                kept = claim(
                    peer=peer, interface=interface, addresses=[address], at=at, field="interface"
                )
        except (Invalid, Conflict):  # of no pool there, or taken
            continue
        if kept[0].pool_id in pools:  # one address of each pool is enough
            release(PeerAddress.objects.filter(pk=kept[0].pk), at=at)
        pools.add(kept[0].pool_id)
    allocate(peer=peer, interface=interface, at=at, but_of=pools)


def _names(peers: Sequence[Peer]) -> list[str]:
    return [peer.interface.name for peer in peers]


def _addresses(peers: Sequence[Peer]) -> list[str]:
    rows = PeerAddress.objects.filter(peer__in=peers)
    return list(as_networks(rows.values_list("address", flat=True)))
