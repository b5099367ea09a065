"""Acts on one device of a client: adding another one, taking one away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Unpack
from uuid import UUID

from django.db import transaction

from gateways.models import Interface, Job
from peers.models import Client
from peers.queries import Device, live_peers
from peers.services.changes import Changed, locked_client, note_act, raise_version, tell, told
from peers.services.choosing import device_of
from peers.services.devices import DeviceDetails, add_device, check_device
from peers.services.limits import admit_devices
from peers.services.tombstones import remove_devices
from quotas.queries import is_held
from rest.versions import Version
from tenants.scoping import Caller


@dataclass(frozen=True)
class Added:
    """A new device, and the job that brings it to its interface."""

    client: Client
    device: Device
    job: Job


@transaction.atomic
def add_client_device(
    *,
    caller: Caller,
    client_id: UUID,
    interface: Interface,
    at: datetime,
    if_match: Version | None = None,
    **details: Unpack[DeviceDetails],
) -> Added:
    """Give a client one more device; it is blocked while the client is.

    Raises `Missing`, `StaleVersion`, `Conflict` (``limit_devices``, and as `add_device`) and
    `Invalid`.
    """
    wish = check_device(details)
    client = locked_client(caller, client_id, if_match)
    admit_devices(client, len(live_peers(client)) + 1)
    device = add_device(
        client=client, interface=interface, wish=wish, blocked=is_held(client.pk), at=at
    )
    raise_version(client)
    after = {
        "device": str(device.peer.uuid),
        "public_key": device.peer.public_key,
        "interface": interface.name,
        "addresses": list(device.addresses),
        "networks": list(device.networks),
    }
    note_act(client=client, actor=caller.actor, action="client.device_added", after=after)
    job = tell(client=client, kind=Job.Kind.CREATE, actor=caller.actor, peers=[device.peer], at=at)
    return Added(client, device, job)


@transaction.atomic
def remove_client_device(
    *,
    caller: Caller,
    client_id: UUID,
    peer_id: UUID,
    at: datetime,
    if_match: Version | None = None,
) -> Changed:
    """Take a device from its client, for good: its secrets are destroyed now.

    The client stays, even without a device: it can have another. Raises `Missing` and
    `StaleVersion`.
    """
    client = locked_client(caller, client_id, if_match)
    peer = device_of(client, peer_id)
    remove_devices([peer], at=at)
    raise_version(client)
    before = {
        "device": str(peer.uuid),
        "public_key": peer.public_key,
        "interface": peer.interface.name,
    }
    note_act(client=client, actor=caller.actor, action="client.device_removed", before=before)
    return told(client, Job.Kind.DELETE, caller, [peer], at)
