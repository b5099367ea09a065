"""Deleting clients, and bringing them back.

A deleted client leaves its interfaces at once. Keys, addresses and networks it keeps for the time
that the global settings say (``undelete_seconds``); until then `restore_client` undoes the
deletion, afterwards `peers.services.due` destroys them. Removing one of several devices is for
good.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from gateways.models import GlobalSetting, Job
from peers.models import Client, Peer
from peers.queries import find_deleted, is_live, live_peers
from peers.services.changes import (
    Changed,
    locked_client,
    note_act,
    raise_generation,
    raise_version,
    told,
)
from peers.services.devices import key_taken
from peers.services.entitlement import Standing, agree_with_holds
from peers.services.limits import admit_clients, admit_devices
from peers.services.sales import count_back
from peers.services.steps import Step, carry_out
from peers.services.terms import refuse_external_id
from rest.errors import Missing
from rest.versions import Version, check_version
from tenants.scoping import Caller


@transaction.atomic
def delete_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_match: Version | None = None
) -> Changed:
    """Delete a client with all its devices. Raises `Missing` for one that is deleted already."""
    client = locked_client(caller, client_id, if_match)
    return _delete(client, caller, at)


@transaction.atomic
def terminate_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_match: Version | None = None
) -> Changed:
    """As `delete_client`; one that is deleted already, and not purged yet, stays as it is."""
    with suppress(Missing):  # deleted, or while we waited for its lock
        client = locked_client(caller, client_id, if_match)
        return _delete(client, caller, at)
    client = find_deleted(caller, client_id, at=at)
    check_version(client, if_match)
    return told(client, Job.Kind.DELETE, caller, [], at)


def _delete(client: Client, caller: Caller, at: datetime) -> Changed:
    step = deletion(Standing(client), keeps=undelete_time(), at=at)
    return carry_out(step, kind=Job.Kind.DELETE, caller=caller, at=at)


def undelete_time() -> timedelta:
    """For how long a deletion can be undone."""
    seconds = GlobalSetting.objects.values_list("undelete_seconds", flat=True).get(pk=1)
    return timedelta(seconds=seconds)


def deletion(standing: Standing, *, keeps: timedelta, at: datetime) -> Step:
    """What a deletion that can be undone for so long does to a client: it leaves with its devices.

    The deletion of its last device is one as well.
    """
    client = standing.client
    client.deleted_at, client.purge_at = at, at + keeps
    return Step(
        client,
        "client.deleted",
        fields=("deleted_at", "purge_at"),
        before={"public_keys": [peer.public_key for peer in standing.peers]},
        after={"purge_at": client.purge_at},
        leaving=standing.peers,
        keeps=bool(keeps),
    )


@transaction.atomic
def restore_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_match: Version | None = None
) -> Changed:
    """Undo a deletion: the client is back with its devices, keys and addresses; its holds stand.
    One that time would delete again at once is not deleted by time any more.

    A client that is not deleted stays as it is. Raises `Missing` for one that is purged, whose
    time is over, or whose address or network its tenant has given to another device; `Conflict`
    where it no longer fits: ``external_id_taken``, ``key_taken``, ``limit_clients``,
    ``limit_devices``, ``limit_bytes``.
    """
    if not is_live(caller, client_id):
        admit_clients(caller.tenant)  # holds the tenant before the client, as everywhere
        with suppress(Missing):  # restored while we waited for its lock
            client = find_deleted(caller, client_id, at=at, lock=True)
            check_version(client, if_match)
            return _restore(client, caller, at)
    client = locked_client(caller, client_id, if_match)
    return told(client, Job.Kind.RESTORE, caller, [], at)


def _restore(client: Client, caller: Caller, at: datetime) -> Changed:
    refuse_external_id(client.tenant_id, client.external_id)
    peers = list(
        Peer.objects.filter(client=client, deleted_at=client.deleted_at)
        .select_related("interface__gateway")
        .order_by("pk")
    )
    admit_devices(client, len(peers))
    before = {"deleted_at": client.deleted_at}
    client.deleted_at = client.purge_at = None
    raise_version(client, "deleted_at", "purge_at", *_spared(client, at))
    _dig_up(peers)
    agree_with_holds(client=client, actor=caller.actor, at=at)
    note_act(client=client, actor=caller.actor, action="client.restored", before=before)
    restored = told(client, Job.Kind.RESTORE, caller, live_peers(client), at)
    count_back(client)
    return restored


def _spared(client: Client, at: datetime) -> list[str]:
    """Keep a client that was deleted some days after its end from being so at once again."""
    if client.delete_after_days is None:
        return []
    end = client.expires_at or client.start_before
    if end is None or end + timedelta(days=client.delete_after_days) > at:
        return []
    client.delete_after_days = None
    return ["delete_after_days"]


def _dig_up(peers: Sequence[Peer]) -> None:
    """The rows are wanted again. Raises `Conflict` when another device has one of their keys."""
    try:
        Peer.objects.filter(pk__in=[peer.pk for peer in peers]).update(deleted_at=None)
    except IntegrityError:  # the one constraint that speaks of live rows is the key's
        raise key_taken() from None
    for peer in peers:
        peer.deleted_at = None
    raise_generation(peers)
