"""Reading bulk runs, and what a result says of a client."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from peers.models import BulkRun, Peer, PeerAddress
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


def brief_devices(client_ids: Iterable[int]) -> dict[int, list[BriefDevice]]:
    """The live devices of these clients, oldest first, in two queries."""
    peers = list(
        Peer.objects.filter(client_id__in=list(client_ids), deleted_at__isnull=True)
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
