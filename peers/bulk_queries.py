"""Reading bulk runs, and what a result says of a client."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from peers.models import BulkItem, BulkRun, Client, Peer, PeerAddress
from peers.queries import as_networks
from rest.errors import Missing
from tenants.scoping import Caller, visible


@dataclass(frozen=True)
class BriefDevice:
    """What a shop needs to know of a device that it had made."""

    id: UUID
    interface: str
    public_key: str
    addresses: tuple[str, ...]


def visible_runs(caller: Caller) -> QuerySet[BulkRun]:
    """The bulk requests of the acting tenant."""
    return visible(BulkRun.objects.all(), caller)


def find_run(caller: Caller, run_id: UUID) -> BulkRun:
    """One bulk request. Raises `Missing`, for another tenant's as for one that never was."""
    run = visible_runs(caller).filter(uuid=run_id).first()
    if run is None:
        raise Missing("There is no such bulk request.")
    return run


def visible_items(caller: Caller, run: BulkRun) -> QuerySet[BulkItem]:
    """What became of the run's entries, with their clients.

    A client that went over to another tenant since is not shown: ask `own_client`.
    """
    return BulkItem.objects.filter(run=run, run__tenant=caller.tenant_id).select_related("client")


def own_client(caller: Caller, client: Client | None) -> Client | None:
    """The client as long as it is the acting tenant's."""
    return client if client is not None and client.tenant_id == caller.tenant_id else None


def brief_devices(caller: Caller, client_ids: Iterable[int]) -> dict[int, list[BriefDevice]]:
    """The live devices of those of the clients that are the tenant's, oldest first; two queries."""
    peers = list(
        visible(Peer.objects.all(), caller)
        .filter(client_id__in=list(client_ids), client__tenant=caller.tenant_id)
        .filter(deleted_at__isnull=True)
        .order_by("pk")
        .values_list("pk", "client_id", "uuid", "interface__name", "public_key")
    )
    addresses: defaultdict[int | None, list[str]] = defaultdict(list)
    held = PeerAddress.objects.filter(peer__in=[row[0] for row in peers])
    for peer_id, text in held.values_list("peer", "address"):
        addresses[peer_id].append(text)
    found: defaultdict[int, list[BriefDevice]] = defaultdict(list)
    for pk, client_id, uuid, interface, key in peers:
        found[client_id].append(BriefDevice(uuid, interface, key, as_networks(addresses[pk])))
    return dict(found)
