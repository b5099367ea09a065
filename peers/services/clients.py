"""Clients: create and change. The other verbs have modules of their own, and are named here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.events import Actor
from gateways.models import Interface, Job
from peers.models import Client, Peer
from peers.queries import NO_PEER, ClientView, find_interface, only_of, view_client
from peers.services.changes import Changed, locked_client, note_act, tell
from peers.services.device_changes import device_change
from peers.services.devices import (
    V1_FIELDS,
    DeviceDetails,
    FieldNames,
    add_device,
    check_device,
)
from peers.services.entitlement import Standing, open_hold, stand_with_tenant, together
from peers.services.limits import admit_clients, admit_devices, refuse_erased
from peers.services.periods import date_periods
from peers.services.removal import delete_client as delete_client
from peers.services.sales import sell_to
from peers.services.settling import settle
from peers.services.steps import Step, carry_out
from peers.services.switching import disable_client as disable_client
from peers.services.switching import enable_client as enable_client
from peers.services.switching import turn_as_wished
from peers.services.terms import (
    FindPlan,
    changed_terms,
    external_id_taken,
    is_early,
    refuse_external_id,
    terms_of_new,
)
from peers.shown import Device
from peers.values import DEVICE_CHECKS
from quotas.policies import MANUAL, PLAN
from quotas.queries import open_holds
from rest.errors import Forbidden, Missing
from rest.versions import Version
from tenants.models import Tenant
from tenants.queries import stands
from tenants.scoping import Caller
from tenants.writes import Insert

#: What `update_client` may change of a client's only device.
DEVICE_FIELDS = frozenset({*DEVICE_CHECKS, "preshared_key", "addresses", "networks", "device_name"})
#: What other rows have a say in.
ALONE = frozenset({"external_id", "addresses", "networks"})
_NEW: Final = Insert(Client)


class ClientDetails(DeviceDetails, total=False):
    """What may be said of a client with one device."""

    external_id: str | None
    email: str
    telegram_id: str
    note: str
    tags: list[str]
    metadata: dict[str, Any]
    plan: UUID | None
    quota_bytes: int | None
    upload_quota_bytes: int | None
    download_quota_bytes: int | None
    reset: str
    starts_at: datetime | None
    start_before: datetime | None
    expires_at: datetime | None
    duration_days: int | None
    upload_kbit: int | None
    download_kbit: int | None
    at_limit: str
    throttle_kbit: int | None
    grace_seconds: int
    delete_after_days: int | None


@dataclass(frozen=True)
class Created:
    """A new client with its first device, and the job that brings it to the interface."""

    client: Client
    peer: Peer
    job: Job
    view: ClientView


def create_client(
    *,
    caller: Caller,
    name: str,
    at: datetime,
    interface: Interface | None = None,
    enabled: bool = True,
    fields: FieldNames = V1_FIELDS,
    savepoint: bool = True,
    **details: Unpack[ClientDetails],
) -> Created:
    """Make a client with one device on ``interface`` (the default one if None).

    Without ``public_key`` the portal makes the key pair; without ``preshared_key`` it makes one
    (None: none); without ``addresses`` the pools give one of each family. ``fields`` are the
    names under which a refusal speaks of addresses and networks; ``savepoint`` is False where it
    ends the caller's transaction. Raises `Invalid`, `Conflict` (``key_taken``, ``address_taken``,
    ``pool_exhausted``, ``external_id_taken``, ``limit_clients``, ``limit_devices``,
    ``limit_bytes``), `Missing`.
    """
    own = terms_of_new(caller, {**details, "name": name}, at=at)
    wish = check_device(details, fields=fields)
    with transaction.atomic(savepoint=savepoint):
        target = interface or find_interface(None, caller=caller)
        admit_clients(caller.tenant)
        stands_off = _off(caller)
        refuse_external_id(caller.tenant_id, own.get("external_id"))
        client = Client(tenant=caller.tenant, created_by=caller.actor.name[:150], **own)
        admit_devices(client, 1)
        _insert(client)
        device = add_device(
            client=client,
            interface=target,
            wish=wish,
            blocked=stands_off or not enabled or is_early(client, at=at),
            at=at,
            fields=fields,
        )
        date_periods([client], at=at)
        _hold_new(client, actor=caller.actor, enabled=enabled, stands_off=stands_off, at=at)
        after = {**own, **_told(device), "enabled": enabled}
        note_act(client=client, actor=caller.actor, action="client.created", after=after)
        job = tell(
            client=client, kind=Job.Kind.CREATE, actor=caller.actor, peers=[device.peer], at=at
        )
        sell_to([client], tenant=caller.tenant)
        view = _view(client, device, job)
    return Created(client, device.peer, job, view)


@transaction.atomic
def update_client(
    *,
    caller: Caller,
    client_id: UUID,
    changes: Mapping[str, Any],
    at: datetime,
    if_match: Version | None = None,
    peer: Peer | None = None,
    fields: FieldNames = V1_FIELDS,
) -> Changed:
    """Change what ``changes`` names: fields of the client, of its only device (or of ``peer``),
    and ``enabled`` (the manual hold alone).

    ``peer`` is read again under the client's lock. Raises `Missing`, `StaleVersion`
    (``if_match`` is not the current one), `Invalid` and `Conflict` as `create_client` does.
    """
    standing = Standing(locked_client(caller, client_id, if_match))
    step = update_step(standing, changes, caller=caller, at=at, peer=peer, fields=fields)
    return carry_out(step, kind=Job.Kind.UPDATE, caller=caller, at=at)


def update_step(
    standing: Standing,
    changes: Mapping[str, Any],
    *,
    caller: Caller,
    at: datetime,
    peer: Peer | None = None,
    fields: FieldNames = V1_FIELDS,
    find_plan: FindPlan | None = None,
) -> Step:
    """What ``changes`` do to a client. Those that `ALONE` names look at other rows, or move them:
    they are for one client at a time.
    """
    client = standing.client
    changed = changed_terms(caller, client, changes, at=at, find_plan=find_plan)
    before = {name: getattr(client, name) for name in changed}
    if "external_id" in changed:
        refuse_external_id(caller.tenant_id, changed["external_id"])
    for name, value in changed.items():
        setattr(client, name, value)
    settled = settle(standing, changed, actor=caller.actor, at=at)
    if changed.get("plan") is not None:
        admit_devices(client, len(standing.peers))
    device = None
    if DEVICE_FIELDS & changes.keys():
        peer = only_of(standing.peers) if peer is None else _still_there(standing, peer)
        said = {name: changes[name] for name in DEVICE_FIELDS & changes.keys()}
        wish = check_device(said, fields=fields)
        device = device_change(peer=peer, wish=wish, at=at, fields=fields)
    turn = turn_as_wished(standing, changes.get("enabled"), caller=caller, at=at)
    after = {**changed, **(device.after if device else {})}
    if turn is not None:
        after["enabled"] = changes["enabled"]
    turn = together(standing, turn, settled.turn)
    return Step(
        client,
        "client.updated",
        bool(after),
        fields=changed,
        before=before,
        after=after,
        turn=turn,
        usage=settled.usage,
        usage_fields=settled.fields,
        device=device,
    )


def _hold_new(
    client: Client, *, actor: Actor, enabled: bool, stands_off: bool, at: datetime
) -> None:
    """Open every hold that a new client begins with."""
    if is_early(client, at=at):
        open_hold(client=client, reason=PLAN, actor=actor, at=at, until=client.starts_at)
    if not enabled:
        open_hold(client=client, reason=MANUAL, actor=actor, at=at)
    if stands_off:
        stand_with_tenant(client=client, actor=actor, at=at)


def _told(device: Device) -> dict[str, Any]:
    """A new client's device as the event tells of it."""
    return {
        "public_key": device.peer.public_key,
        "interface": device.interface,
        "addresses": list(device.addresses),
        "networks": list(device.networks),
    }


def _view(client: Client, device: Device, job: Job) -> ClientView:
    """A new client as it is shown; one of a sandbox is settled with its job already."""
    if job.finished_at is not None:
        return view_client(client)
    holds = tuple(open_holds([client.pk])[client.pk]) if device.peer.blocked else ()
    return ClientView(client, (device,), holds)


def _insert(client: Client) -> None:
    """Write the row. Two that come with one external id at a time: the constraint decides."""
    try:
        _NEW(client)
    except IntegrityError:
        if client.external_id is None:
            raise
        raise external_id_taken() from None


def _still_there(standing: Standing, peer: Peer) -> Peer:
    """The row of ``peer`` as it is under the client's lock. Raises `Missing` for a tombstone."""
    for found in standing.peers:
        if found.pk == peer.pk:
            return found
    raise Missing(NO_PEER)


def _off(caller: Caller) -> bool:
    """Whether the tenant is not active; only an operator makes clients then, and they are held."""
    status, _ = stands(caller.tenant_id)
    if status != Tenant.Status.ACTIVE and not caller.operator:
        raise Forbidden(f"The tenant is {status}.", code=f"tenant_{status}")
    if status == Tenant.Status.CLOSED:
        refuse_erased(caller.tenant_id)
    return status != Tenant.Status.ACTIVE
