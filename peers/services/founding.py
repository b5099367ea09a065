"""The founding calls: a peer by its public key, an apply of what is open."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from audit.events import Target, record
from gateways.models import Interface, Job, JobItem
from gateways.outbox import Wish, enqueue, ring
from peers.models import Client, Peer
from peers.queries import find_client
from peers.services.clients import create_client, update_client
from peers.services.devices import key_taken
from peers.services.entitlement import Standing
from peers.services.removal import deletion, undelete_time
from peers.services.steps import Step, carry_out
from peers.values import check_key
from rest.errors import Invalid, Missing
from tenants.scoping import FULL, Caller
from wireguard.allowed_ips import check_network
from wireguard.errors import InvalidConfig

#: Both kinds of allowed-ips come in one list here.
_FIELDS = ("allowed_ips", "allowed_ips")
_MAX_ALLOWED_IPS = 64


@dataclass(frozen=True)
class Added:
    """What `add_peer` did: ``created`` is False for an update of a peer that was there."""

    client: Client
    job: Job
    created: bool


def add_peer(
    *,
    caller: Caller,
    interface: Interface,
    public_key: str,
    at: datetime,
    allowed_ips: Iterable[str] | None = None,
    name: str | None = None,
    **details: Any,
) -> Added:
    """Create a client for this key, or update the one of the caller's tenant that has it.

    ``allowed_ips``: single addresses are the device's own and must be free in the interface's
    pools; networks are routed behind it. Without a single address the pools give the device its
    own. ``details``: ``preshared_key``, ``persistent_keepalive``, ``endpoint``; what is left out
    has its default, or stays in an update. Raises as `peers.services.clients.create_client`.
    """
    key = check_key(public_key)
    wanted = {**details, **_split(allowed_ips)}
    peer = _held(interface, key)
    if peer is not None:
        if peer.tenant_id != caller.tenant_id:
            raise key_taken()
        changes = wanted if name is None else {**wanted, "name": name}
        # Missing: it was removed while we waited for its lock, so the key is free again.
        with suppress(Missing):
            changed = update_client(
                caller=caller,
                client_id=peer.client.uuid,
                changes=changes,
                at=at,
                peer=peer,
                fields=_FIELDS,
            )
            return Added(changed.client, changed.job, created=False)
    created = create_client(
        caller=caller,
        name=f"peer {key[:8]}" if name is None else name,
        at=at,
        interface=interface,
        fields=_FIELDS,
        public_key=key,
        **{"preshared_key": None, **wanted},
    )
    return Added(created.client, created.job, created=True)


def _held(interface: Interface, key: str) -> Peer | None:
    """The device that has this key on the interface.

    Nearly every call brings a new key; asking for it in plain SQL costs a tenth of loading rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM peers_peer"
            " WHERE interface_id = %s AND public_key = %s AND deleted_at IS NULL",
            [interface.pk, key],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    return Peer.objects.select_related("client", "interface__gateway").filter(pk=found[0]).first()


@transaction.atomic
def remove_peer(*, caller: Caller, interface: Interface, public_key: str, at: datetime) -> Added:
    """Delete the device with this key; its client goes with its last device.

    Raises `Invalid` for what is no key, `Missing` for one that the tenant does not have here.
    """
    key = check_key(public_key)
    peer = (
        Peer.objects.select_related("client")
        .filter(
            tenant_id=caller.tenant_id,
            interface=interface,
            public_key=key,
            deleted_at__isnull=True,
        )
        .first()
    )
    if peer is None:
        raise Missing("There is no peer with this public key.", field="public_key")
    client = find_client(caller, peer.client.uuid, lock=True)
    standing = Standing(client)
    peers = [one for one in standing.peers if one.pk == peer.pk]
    if not peers:  # removed while we waited for the lock
        raise Missing("There is no peer with this public key.", field="public_key")
    if len(standing.peers) > 1:  # a device that goes alone goes for good
        step = Step(client, "", leaving=peers, keeps=False)
    else:
        step = deletion(standing, keeps=undelete_time(), at=at)
    before = {"public_key": key, "interface": interface.name}
    step = replace(step, action="peer.removed", before=before, after={})
    changed = carry_out(step, kind=Job.Kind.DELETE, caller=caller, at=at)
    return Added(client, changed.job, created=False)


@transaction.atomic
def apply_open(*, caller: Caller, interface: Interface, at: datetime) -> Job:
    """Have whatever of the tenant (for a full operator: of all) is open applied now, and the
    interface compared with the rows.

    The operator's job belongs to no tenant.
    """
    everyone = caller.operator == FULL
    opened = JobItem.objects.filter(status=JobItem.Status.OPEN, due_at__gt=at)
    if not everyone:
        opened = opened.filter(job__tenant_id=caller.tenant_id)
    waiting = set(opened.values_list("interface_id", flat=True))
    if waiting:
        opened.update(due_at=at)
        transaction.on_commit(lambda: ring(waiting - {interface.pk}), robust=True)
    target = Target(
        type="interface",
        id=str(interface.uuid),
        name=interface.name,
        tenant_id=None if everyone else caller.tenant_id,
    )
    record(actor=caller.actor, action="interface.applied", target=target)
    return enqueue(
        kind=Job.Kind.APPLY,
        tenant_id=None if everyone else caller.tenant_id,
        actor_name=caller.actor.name,
        wishes=[Wish(interface_id=interface.pk, action=JobItem.Action.CHECK)],
        at=at,
    )


def _split(allowed_ips: Iterable[str] | None) -> dict[str, list[str]]:
    """Single addresses and networks apart, under the names that the services use."""
    if allowed_ips is None:
        return {}
    given = list(allowed_ips)
    if not 1 <= len(given) <= _MAX_ALLOWED_IPS:
        raise Invalid(
            f"1 to {_MAX_ALLOWED_IPS} addresses or networks.", field="allowed_ips", code="count"
        )
    try:
        checked = [check_network(text) for text in given]
    except InvalidConfig as error:
        text = f"An entry is {error.message}."
        raise Invalid(text, field="allowed_ips", code="address_invalid") from None
    single = [text for text in checked if text.endswith("/128" if ":" in text else "/32")]
    wanted = {"networks": [text for text in checked if text not in single]}
    return {**wanted, "addresses": single} if single else wanted
