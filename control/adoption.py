"""Adopting what vwg did not bring up: a foreign interface, or peers without a record.

The operator's act. Keys, addresses and sessions stay as they are; nothing is sent to the
interface but the alias stamp.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

from django.db import transaction

from audit.events import SYSTEM, Actor, Target, record
from control import bootfile
from control.applied import Notes
from control.metering import account
from control.reading import Reading, go_on, take
from control.samples import Take
from control.work import Row
from gateways.drivers import Station
from gateways.models import Interface
from gateways.outbox import Wish, enqueue
from gateways.sealing import seal_interface_key
from peers.allocation import claim
from peers.models import Client, Peer, PeerAddress
from peers.networks import replace_networks
from peers.pools import make_pools
from peers.sealing import seal_preshared_key
from peers.services.entitlement import stand_with_tenant
from rest.errors import Conflict
from tenants.models import Tenant
from wireguard.errors import InterfaceMissing
from wireguard.types import Dump, PeerConfig, PeerStatus

_WG_QUICK = Path("/etc/wireguard")


@dataclass(frozen=True)
class Adopted:
    """What was taken over."""

    peers: int
    interface: bool


def adopt(
    interface: Interface, post: Station, *, tenant: Tenant, actor: Actor, at: datetime
) -> Adopted:
    """Take over a foreign link with all its peers, or the peers without a record of our own link.

    All or nothing. Raises Conflict when an address cannot be held, DriverError.
    """
    sight = post.look()
    if not sight.exists:
        raise InterfaceMissing(f"there is no interface {interface.name} to adopt")
    foreign = sight.stamp != interface.stamp or not sight.stamp
    dump = post.driver.read()
    stamp = str(uuid.uuid4()) if foreign else interface.stamp
    with transaction.atomic():
        if foreign:
            before = interface.stamp
            _take_settings(interface, post, dump, stamp)
            go_on(interface, stamp_before=before)
        reading = take(interface, post)
        peers = _take_peers(interface, reading, tenant=tenant, at=at)
        Interface.objects.filter(pk=interface.pk).update(
            enabled=True,
            state=Interface.State.UP, state_reason="", guard_keys=[], guard_since=None,
            boot_dirty_since=at,
        )  # fmt: skip
        record(
            actor=actor,
            action="interface.adopt",
            target=Target(type="interface", id=str(interface.uuid), name=str(interface)),
            after={"peers": peers, "foreign": foreign},
        )
        if foreign:
            post.link.stamp(stamp)  # last: a failure takes the rows back
    bootfile.put_note(interface)
    return Adopted(peers, foreign)


def _take_settings(interface: Interface, post: Station, dump: Dump, stamp: str) -> None:
    """The row becomes what the link is."""
    if dump.interface.private_key is None or dump.interface.public_key is None:
        raise Conflict(f"{interface.name} has no private key yet", code="no_key")
    if dump.interface.public_key == interface.public_key:  # our own, whose alias was lost
        Interface.objects.filter(pk=interface.pk).update(stamp=stamp)
        interface.stamp = stamp
        return
    if interface.peers.filter(deleted_at=None).exists():
        raise Conflict(f"{interface.name} has clients of its own already", code="not_empty")
    interface.private_key = seal_interface_key(interface.uuid, dump.interface.private_key)
    interface.public_key = dump.interface.public_key
    interface.listen_port = dump.interface.listen_port
    interface.firewall_mark = dump.interface.fwmark
    interface.stamp = stamp
    interface.wg_quick = (_WG_QUICK / f"{interface.name}.conf").exists()
    addresses = list(post.link.state().addresses)
    if addresses and addresses != interface.addresses:
        interface.addresses = addresses
        # No live client is left here: what still names a pool are addresses held back for a while.
        PeerAddress.objects.filter(pool__interface=interface).delete()
        interface.pools.all().delete()
        make_pools(interface, addresses)
    interface.save(
        update_fields=[
            "private_key", "public_key", "listen_port", "firewall_mark", "stamp", "addresses",
            "wg_quick",
        ]
    )  # fmt: skip


def _take_peers(interface: Interface, reading: Reading, *, tenant: Tenant, at: datetime) -> int:
    known = set(
        Peer.objects.filter(interface=interface).values_list("public_key", flat=True)
    ) | set(Peer.objects.filter(interface=interface).values_list("applied_key", flat=True))
    notes = Notes(seq=interface.apply_seq, at=at)
    takes = [
        _take_peer(interface, status, tenant, notes, at)
        for status in reading.dump.peers.values()
        if status.public_key not in known
    ]
    notes.write()
    account(interface, reading, takes)
    return len(takes)


def _take_peer(
    interface: Interface, status: PeerStatus, tenant: Tenant, notes: Notes, at: datetime
) -> Take:
    """The rows of one peer; its bytes so far are from before they were anybody's here."""
    client = Client.objects.create(
        tenant=tenant, name=f"adopted {status.public_key[:8]}", created_by="adoption"
    )
    identity = uuid.uuid4()
    peer = Peer.objects.create(
        uuid=identity,
        tenant=tenant,
        client=client,
        interface=interface,
        public_key=status.public_key,
        preshared_key=seal_preshared_key(identity, status.preshared_key)
        if status.preshared_key
        else "",
        persistent_keepalive=status.persistent_keepalive,
    )
    addresses, networks = _split(interface, status.allowed_ips)
    if addresses:
        claim(peer=peer, interface=interface, addresses=addresses, at=at, field="allowed_ips")
    if networks:
        replace_networks(
            peer=peer, interface=interface, networks=networks, at=at, field="allowed_ips"
        )
    config = PeerConfig(
        status.public_key, status.allowed_ips, status.preshared_key, status.persistent_keepalive
    )
    row = Row(peer.pk, config, peer.generation, False, False, "", None, "")
    notes.present(row, config)
    # Of a tenant that is suspended: the next observation finds a wish and has it carried out.
    stand_with_tenant(client=client, actor=SYSTEM, at=at)
    return Take(peer.pk, status.rx_bytes, status.tx_bytes, takes_over=True)


def _split(interface: Interface, allowed_ips: Iterable[str]) -> tuple[list[str], list[str]]:
    """What of a peer's allowed-ips are addresses of the pools, and what lies behind it."""
    pools = [ip_network(text) for text in interface.pools.values_list("network", flat=True)]
    addresses, networks = [], []
    for text in allowed_ips:
        network = ip_network(text)
        inside = any(pool.version == network.version and network[0] in pool for pool in pools)
        if inside and network.num_addresses == 1:
            addresses.append(str(network[0]))
        else:
            networks.append(text)
    return addresses, networks


def remove_strays(interface: Interface, *, actor: Actor, at: datetime) -> int:
    """The operator's other decision: the peers without a record go; returns how many."""
    keys = list(interface.guard_keys)
    bootfile.forget(interface, keys)
    with transaction.atomic():
        enqueue(
            kind="heal",
            tenant_id=None,
            actor_name=actor.name,
            wishes=[Wish(interface.pk, None, key) for key in keys],
            at=at,
        )
        Interface.objects.filter(pk=interface.pk).update(guard_keys=[], guard_since=None)
        record(
            actor=actor,
            action="interface.remove_strays",
            target=Target(type="interface", id=str(interface.uuid), name=str(interface)),
            before={"peers": len(keys)},
        )
    return len(keys)
