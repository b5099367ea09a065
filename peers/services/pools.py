"""Address pools: further networks of an interface, their names, and those that are not needed."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_interface, ip_network
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit.events import Actor, Target, record
from gateways.models import AddressPool, Interface, Job
from gateways.queries import lock_interface
from gateways.services.changes import tell_links
from gateways.services.interfaces import refuse_small_mtu
from gateways.values import MAX_ADDRESSES, text_of
from peers.models import PeerAddress
from peers.networks import lock_gateway
from peers.pools import make_pools
from rest.errors import Conflict, Invalid, Missing
from rest.values import checked_by
from wireguard.allowed_ips import check_network


def find_pool(pool_id: UUID) -> AddressPool:
    """One pool with its interface and gateway. Raises `Missing`."""
    rows = AddressPool.objects.select_related("interface__gateway")
    found = rows.filter(uuid=pool_id).first()
    if found is None:
        raise Missing("There is no such pool.")
    return found


@transaction.atomic
def create_pool(
    *, actor: Actor, interface_id: UUID, network: str, at: datetime, name: str | None = None
) -> tuple[AddressPool, Job | None]:
    """Give an interface another network: its first address is the server's, the rest a pool.

    Raises `Missing`, `Invalid` (host bits, no room, too many), and `Conflict`
    (``pool_overlaps``, ``pool_name_taken``).
    """
    interface = lock_interface(interface_id)
    lock_gateway(interface.gateway_id)
    own = _server_address(network)
    if len(interface.addresses) >= MAX_ADDRESSES:
        raise Invalid(
            f"An interface has at most {MAX_ADDRESSES} networks.", field="network", code="too_many"
        )
    interface.addresses = [*interface.addresses, own]
    refuse_small_mtu(interface, interface.mtu)
    _refuse_name(interface.pools.all(), name)
    pool = _make_pool(interface, own)
    if name is not None:
        pool.name = name
        pool.save(update_fields=["name"])
    _store_addresses(interface)
    _note(pool, "created", actor, after={"network": pool.network, "server": own})
    job = tell_links([interface] if interface.enabled else [], actor=actor, at=at)
    return pool, job


def _make_pool(interface: Interface, own: str) -> AddressPool:
    try:
        return make_pools(interface, [own])[0]
    except (Invalid, Conflict) as error:
        raise type(error)(error.message, field="network", code=error.code) from None


def _server_address(network: str) -> str:
    """The first host of a network, with its prefix length. Raises `Invalid` without room."""
    parsed = ip_network(checked_by(check_network, network, "network"))
    if parsed.max_prefixlen - parsed.prefixlen < 2:
        raise Invalid("There is no room for a device.", field="network", code="network_unusable")
    if parsed.is_loopback or parsed.is_multicast or parsed.is_link_local or not parsed.prefixlen:
        raise Invalid(f"{parsed} cannot be used.", field="network", code="network_unusable")
    return f"{parsed[1]}/{parsed.prefixlen}"


def _refuse_name(pools: QuerySet[AddressPool], name: str | None) -> None:
    if name is None:
        return
    if not text_of(64)(name, "name"):
        raise Invalid("A pool has a name.", field="name", code="blank")
    if pools.filter(name=name).exists():
        raise Conflict(
            "Another pool of this interface has this name.", field="name", code="pool_name_taken"
        )


@transaction.atomic
def rename_pool(*, actor: Actor, pool_id: UUID, name: str) -> AddressPool:
    """Change a pool's name. Raises `Missing`, `Invalid`, `Conflict` (``pool_name_taken``)."""
    pool = find_pool(pool_id)
    if name == pool.name:
        return pool
    _refuse_name(pool.interface.pools.exclude(pk=pool.pk), name)
    before, pool.name = pool.name, name
    pool.save(update_fields=["name"])
    _note(pool, "updated", actor, before={"name": before}, after={"name": name})
    return pool


@transaction.atomic
def delete_pool(*, actor: Actor, pool_id: UUID, at: datetime) -> Job | None:
    """Take a network from its interface, whose server's address in it goes too.

    Raises `Missing`, and `Conflict` (``pool_in_use``) while a device has an address of it, and for
    an interface's last pool.
    """
    pool = find_pool(pool_id)
    interface = lock_interface(pool.interface.uuid)
    lock_gateway(interface.gateway_id)
    if PeerAddress.objects.filter(pool=pool, peer__isnull=False).exists():
        raise Conflict("A device has an address of it.", code="pool_in_use")
    if interface.pools.count() == 1:
        raise Conflict("It is the interface's only pool.", code="pool_in_use")
    network = ip_network(pool.network)
    interface.addresses = [
        text for text in interface.addresses if ip_interface(text).ip not in network
    ]
    _store_addresses(interface)
    PeerAddress.objects.filter(pool=pool).delete()
    _note(pool, "deleted", actor, before={"network": pool.network})
    pool.delete()
    return tell_links([interface] if interface.enabled else [], actor=actor, at=at)


def _store_addresses(interface: Interface) -> None:
    interface.version += 1
    interface.save(update_fields=["addresses", "version"])


def _note(pool: AddressPool, verb: str, actor: Actor, **values: Any) -> None:
    target = Target(type="pool", id=str(pool.uuid), name=str(pool))
    record(actor=actor, action=f"pool.{verb}", target=target, **values)
