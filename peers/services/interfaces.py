"""Interfaces with their pools: made with a key pair of their own, and deleted while empty."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from audit.events import Actor
from gateways.models import Gateway, Interface, Job
from gateways.queries import lock_interface
from gateways.sealing import seal_interface_key
from gateways.services.changes import note, tell_links
from gateways.services.interfaces import refuse_small_mtu, refuse_unfit
from gateways.values import INTERFACE_CHECKS, check_addresses, check_name_of_interface
from peers.models import PeerAddress
from peers.networks import lock_gateway
from peers.pools import make_pools
from rest.errors import Conflict
from rest.values import check_fields
from rest.versions import Version, check_version
from wireguard.keys import generate_private_key, public_key_of

_NOTED: Final = ("addresses", "listen_port", "public_key")


@transaction.atomic
def create_interface(
    *, actor: Actor, gateway: Gateway, at: datetime, **details: Any
) -> tuple[Interface, Job | None]:
    """Make an interface (`make_interface`), and the job that brings it up."""
    interface = make_interface(actor=actor, gateway=gateway, **details)
    job = tell_links([interface] if interface.enabled else [], actor=actor, at=at)
    return interface, job


@transaction.atomic
def make_interface(
    *, actor: Actor, gateway: Gateway, name: str, addresses: Sequence[str], **details: Any
) -> Interface:
    """Make an interface, its key pair, and a pool of each address's network. The first one of all
    becomes the default.

    Raises `Invalid`, and `Conflict` (``interface_name_taken``, ``port_taken``,
    ``pool_overlaps``).
    """
    lock_gateway(gateway.pk)
    values = check_fields(details, INTERFACE_CHECKS)
    is_default = values.pop("is_default", False)
    key, identity = generate_private_key(), uuid.uuid4()
    interface = Interface(
        uuid=identity,
        gateway=gateway,
        name=check_name_of_interface(name, "name"),
        private_key=seal_interface_key(identity, key),
        public_key=public_key_of(key),
        addresses=check_addresses(addresses, "addresses"),
        is_default=not Interface.objects.filter(is_default=True).exists(),
        **values,
    )
    _refuse_unfit(interface, values)
    if is_default and not interface.is_default:
        Interface.objects.filter(is_default=True).update(is_default=False)
        interface.is_default = True
    interface.save(force_insert=True)
    make_pools(interface, interface.addresses)
    after = {name: getattr(interface, name) for name in _NOTED}
    note(interface, "created", actor=actor, after=after)
    return interface


def _refuse_unfit(interface: Interface, values: Mapping[str, Any]) -> None:
    named = Interface.objects.filter(gateway_id=interface.gateway_id, name=interface.name)
    if named.exists():
        raise Conflict(
            "This gateway has an interface of this name.",
            field="name",
            code="interface_name_taken",
        )
    refuse_unfit(interface, values)
    refuse_small_mtu(interface, interface.mtu)


@transaction.atomic
def delete_interface(*, actor: Actor, interface_id: UUID, if_match: Version | None = None) -> None:
    """Forget an interface that is down and has no device, not even one that can be brought back.

    Raises `Missing`, `StaleVersion`, and `Conflict` (``interface_in_use``, ``interface_up``,
    ``default_needed``).
    """
    interface = lock_interface(interface_id)
    check_version(interface, if_match)
    if interface.peers.exists():
        raise Conflict(
            "It has devices, or had some that can still be brought back.", code="interface_in_use"
        )
    if interface.enabled or interface.state == Interface.State.UP:
        raise Conflict("Switch it off first, and wait until it is down.", code="interface_up")
    if interface.items.filter(job__finished_at=None).exists():
        raise Conflict("A job that concerns it is not finished.", code="interface_in_use")
    others = Interface.objects.filter(simulated=False).exclude(pk=interface.pk)
    if interface.is_default and others.exists():
        raise Conflict("Make another interface the default one first.", code="default_needed")
    before = {name: getattr(interface, name) for name in _NOTED}
    PeerAddress.objects.filter(pool__interface=interface).delete()
    interface.pools.all().delete()
    note(interface, "deleted", actor=actor, before=before)
    interface.delete()
