"""Clients: create, change, enable, disable, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from django.db import transaction

from gateways.models import Interface, Job
from peers.models import Client, Peer
from peers.queries import (
    NO_PEER,
    ClientView,
    find_client,
    find_interface,
    live_peers,
    only_peer,
)
from peers.services.changes import note_act, raise_version, tell
from peers.services.devices import (
    V1_FIELDS,
    DeviceDetails,
    FieldNames,
    add_device,
    change_device,
    check_device,
    remove_devices,
)
from peers.services.entitlement import close_hold, open_hold, stand_with_tenant
from peers.values import CLIENT_CHECKS, DEVICE_CHECKS
from quotas.policies import MANUAL
from quotas.queries import open_holds
from rest.errors import Conflict, Forbidden, Invalid, Missing, StaleVersion
from rest.values import check_fields
from tenants.models import Tenant
from tenants.queries import stands
from tenants.scoping import Caller

#: What `update_client` may change of a client's only device.
DEVICE_FIELDS = frozenset({*DEVICE_CHECKS, "preshared_key", "addresses", "networks", "device_name"})


class ClientDetails(DeviceDetails, total=False):
    """What may be said of a client with one device."""

    external_id: str | None
    email: str
    telegram_id: str
    note: str
    tags: list[str]
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Created:
    """A new client with its first device, and the job that brings it to the interface."""

    client: Client
    peer: Peer
    job: Job
    view: ClientView


@dataclass(frozen=True)
class Changed:
    """A client after a change, and the job that applies it (finished when nothing must be)."""

    client: Client
    job: Job


def create_client(
    *,
    caller: Caller,
    name: str,
    at: datetime,
    interface: Interface | None = None,
    enabled: bool = True,
    fields: FieldNames = V1_FIELDS,
    **details: Unpack[ClientDetails],
) -> Created:
    """Make a client with one device on ``interface`` (the default one if None).

    Without ``public_key`` the portal makes the key pair; without ``preshared_key`` it makes one
    (None: none); without ``addresses`` the pools give one of each family. ``fields`` are the
    names under which a refusal speaks of addresses and networks. Raises `Invalid`, `Conflict`
    (``key_taken``, ``address_taken``, ``pool_exhausted``, ``external_id_taken``) and `Missing`.
    """
    own = check_fields({**details, "name": name}, CLIENT_CHECKS)
    wish = check_device(details, fields=fields)
    with transaction.atomic():
        stands_off = _off(caller)
        target = interface or find_interface(None)
        _refuse_external_id(caller, own.get("external_id"))
        client = Client.objects.create(
            tenant_id=caller.tenant_id, created_by=caller.actor.name[:150], **own
        )
        device = add_device(
            client=client,
            interface=target,
            wish=wish,
            blocked=stands_off or not enabled,
            at=at,
            fields=fields,
        )
        if not enabled:
            open_hold(client=client, reason=MANUAL, actor=caller.actor, at=at)
        if stands_off:
            stand_with_tenant(client=client, actor=caller.actor, at=at)
        after = {
            "public_key": device.peer.public_key,
            "interface": target.name,
            "addresses": list(device.addresses),
            "networks": list(device.networks),
            "enabled": enabled,
        }
        note_act(client=client, actor=caller.actor, action="client.created", after=after)
        job = tell(
            client=client, kind=Job.Kind.CREATE, actor=caller.actor, peers=[device.peer], at=at
        )
        holds = tuple(open_holds([client.pk])[client.pk]) if device.peer.blocked else ()
    return Created(client, device.peer, job, ClientView(client, (device,), holds))


@transaction.atomic
def update_client(
    *,
    caller: Caller,
    client_id: UUID,
    changes: Mapping[str, Any],
    at: datetime,
    if_version: int | None = None,
    peer: Peer | None = None,
    fields: FieldNames = V1_FIELDS,
) -> Changed:
    """Change what ``changes`` names: fields of the client, of its only device (or of ``peer``),
    and ``enabled`` (the manual hold alone).

    ``peer`` is read again under the client's lock. Raises `Missing`, `StaleVersion`
    (``if_version`` is not the current one), `Invalid` and `Conflict` as `create_client` does.
    """
    client = _locked(caller, client_id, if_version)
    own = check_fields(changes, CLIENT_CHECKS)
    changed = {name: value for name, value in own.items() if getattr(client, name) != value}
    before = {name: getattr(client, name) for name in changed}
    if "external_id" in changed:
        _refuse_external_id(caller, changed["external_id"])
    for name, value in changed.items():
        setattr(client, name, value)
    after, told = dict(changed), set[Peer]()
    if DEVICE_FIELDS & changes.keys():
        peer = only_peer(client) if peer is None else _still_there(client, peer)
        wish = check_device(
            {name: changes[name] for name in DEVICE_FIELDS & changes.keys()}, fields=fields
        )
        device_after, must_learn = change_device(peer=peer, wish=wish, at=at, fields=fields)
        after |= device_after
        told |= {peer} if must_learn else set()
    switched = _switch(client, changes.get("enabled"), caller=caller, at=at)
    if switched is not None:
        after["enabled"] = changes["enabled"]
        told |= set(switched)
    if after:
        raise_version(client, *changed)
        note_act(
            client=client, actor=caller.actor, action="client.updated", before=before, after=after
        )
    return _told(client, Job.Kind.UPDATE, caller, sorted(told, key=lambda one: one.pk), at)


def enable_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_version: int | None = None
) -> Changed:
    """Close the manual hold; the client may still be held for another reason."""
    return _turn(True, caller=caller, client_id=client_id, note="", at=at, if_version=if_version)


def disable_client(
    *, caller: Caller, client_id: UUID, at: datetime, note: str = "", if_version: int | None = None
) -> Changed:
    """Open the manual hold: the tunnel stays known, and no packet passes."""
    return _turn(False, caller=caller, client_id=client_id, note=note, at=at, if_version=if_version)


@transaction.atomic
def delete_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_version: int | None = None
) -> Changed:
    """Delete a client with all its devices; the rows stay as tombstones until they are applied."""
    client = _locked(caller, client_id, if_version)
    peers = live_peers(client)
    remove_devices(peers, at=at)
    client.deleted_at = at
    raise_version(client, "deleted_at")
    before = {"public_keys": [peer.public_key for peer in peers]}
    note_act(client=client, actor=caller.actor, action="client.deleted", before=before)
    return _told(client, Job.Kind.DELETE, caller, peers, at)


@transaction.atomic
def _turn(
    on: bool,
    *,
    caller: Caller,
    client_id: UUID,
    note: str,
    at: datetime,
    if_version: int | None,
) -> Changed:
    client = _locked(caller, client_id, if_version)
    switched = _switch(client, on, caller=caller, at=at, note=note)
    if switched is not None:
        raise_version(client)
        action = "client.enabled" if on else "client.disabled"
        after = {"note": note} if note else {}
        note_act(client=client, actor=caller.actor, action=action, after=after)
    kind = Job.Kind.ENABLE if on else Job.Kind.DISABLE
    return _told(client, kind, caller, switched or [], at)


def _switch(
    client: Client, on: Any, *, caller: Caller, at: datetime, note: str = ""
) -> list[Peer] | None:
    """Open or close the manual hold; None when nothing changed."""
    if on is None:
        return None
    if not isinstance(on, bool):
        raise Invalid("This is neither true nor false.", field="enabled")
    if on:
        return close_hold(client=client, reason=MANUAL, actor=caller.actor, at=at)
    return open_hold(client=client, reason=MANUAL, note=note, actor=caller.actor, at=at)


def _locked(caller: Caller, client_id: UUID, if_version: int | None) -> Client:
    client = find_client(caller, client_id, lock=True)
    if if_version is not None and if_version != client.version:
        raise StaleVersion("The client was changed meanwhile; read it again.")
    return client


def _still_there(client: Client, peer: Peer) -> Peer:
    """The row of ``peer`` as it is under the client's lock. Raises `Missing` for a tombstone."""
    for found in live_peers(client):
        if found.pk == peer.pk:
            return found
    raise Missing(NO_PEER)


def _told(client: Client, kind: str, caller: Caller, peers: list[Peer], at: datetime) -> Changed:
    return Changed(client, tell(client=client, kind=kind, actor=caller.actor, peers=peers, at=at))


def _off(caller: Caller) -> bool:
    """Whether the tenant is not active; only an operator makes clients then, and they are held."""
    status, _ = stands(caller.tenant_id)
    if status != Tenant.Status.ACTIVE and not caller.operator:
        raise Forbidden(f"The tenant is {status}.", code=f"tenant_{status}")
    return status != Tenant.Status.ACTIVE


def _refuse_external_id(caller: Caller, external_id: str | None) -> None:
    """Raise `Conflict` when another of the tenant's clients has this id."""
    if external_id is None:
        return
    taken = Client.objects.filter(
        tenant_id=caller.tenant_id, external_id=external_id, deleted_at__isnull=True
    )
    if taken.exists():
        raise Conflict(
            "Another client has this external id.", field="external_id", code="external_id_taken"
        )
