"""Reading clients and their devices: always through their tenant, always a constant number of
queries, whatever the number of clients.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
)

from gateways.models import Interface
from peers.models import Client, Peer, PeerAddress
from peers.reasons import Off, why_off
from peers.sellable import find_interface as find_interface
from peers.shown import ONLINE_WITHIN as ONLINE_WITHIN
from peers.shown import PEERS, PEERS_WITH_DELETED, as_devices
from peers.shown import Device as Device
from peers.shown import as_networks as as_networks
from peers.shown import view_devices as view_devices
from peers.shown import with_status as with_status
from peers.usage_queries import usages_of
from quotas.balance import Balance, balance
from quotas.models import Hold, Usage
from quotas.policies import held_state
from quotas.queries import open_holds
from rest.errors import Invalid, Missing
from tenants.prepared import Prepared
from tenants.scoping import Caller

DELETED: Final = "deleted"
NO_CLIENT: Final = "There is no such client."
NO_PEER: Final = "There is no such device."


@dataclass(frozen=True)
class ClientView:
    """A client with all that is shown of it."""

    client: Client
    devices: tuple[Device, ...]
    holds: tuple[Hold, ...]
    usage: Usage | None = None

    @property
    def balance(self) -> Balance:
        """How much of its bytes it used in its period."""
        return balance(self.client, self.usage)

    @property
    def off(self) -> Off | None:
        """Why it is off, and what brings it back; None when it may connect."""
        return why_off(self.client, self.holds, self.devices, self.usage)

    @property
    def state(self) -> str:
        """Why it is off, else how far it has come."""
        if self.client.deleted_at is not None:
            return DELETED
        held = held_state({hold.reason for hold in self.holds})
        if held is not None:
            return held
        statuses = {device.status for device in self.devices}
        if statuses & {"failed", "quarantined"}:
            return "failed"
        return "pending" if "pending" in statuses else "active"


def visible_clients(caller: Caller) -> QuerySet[Client]:
    """The clients of the acting tenant that are not deleted, with their plans."""
    return _live_clients(caller.tenant_id)


def _live_clients(tenant_id: int) -> QuerySet[Client]:
    rows = Client.objects.filter(tenant_id=tenant_id, deleted_at__isnull=True)
    return rows.select_related("plan", "next_plan")


_CLIENT: Final = Prepared(
    lambda tenant_id, uuid: _live_clients(tenant_id).filter(uuid=uuid), int, UUID
)
_CLIENT_BY_EXTERNAL_ID: Final = Prepared(
    lambda tenant_id, text: _live_clients(tenant_id).filter(external_id=text), int, str
)


def find_client(caller: Caller, client_id: UUID, *, lock: bool = False) -> Client:
    """The client; with ``lock`` its row is held till the end of the transaction.

    Raises `Missing`, in the same words for a foreign client and for none.
    """
    if not lock:
        return _of_caller(_CLIENT.first(caller.tenant_id, client_id), caller)
    rows = visible_clients(caller).select_for_update(of=("self",), no_key=True)
    return _of_caller(rows.filter(uuid=client_id).first(), caller)


def is_live(caller: Caller, client_id: UUID) -> bool:
    """Whether the acting tenant has this client, not deleted."""
    return visible_clients(caller).filter(uuid=client_id).exists()


def restorable_clients(caller: Caller, *, at: datetime) -> QuerySet[Client]:
    """The deleted clients of the acting tenant that can still be brought back.

    A device always has an address; where one has none, what it kept is gone already.
    """
    bare = Peer.objects.filter(client=OuterRef("pk"), deleted_at=OuterRef("deleted_at")).exclude(
        Exists(PeerAddress.objects.filter(peer=OuterRef("pk")))
    )
    rows = Client.objects.filter(
        ~Exists(bare), tenant_id=caller.tenant_id, deleted_at__isnull=False, purge_at__gt=at
    )
    return rows.select_related("plan", "next_plan")


def find_deleted(caller: Caller, client_id: UUID, *, at: datetime, lock: bool = False) -> Client:
    """A deleted client that can be brought back. Raises `Missing`."""
    rows = restorable_clients(caller, at=at).filter(uuid=client_id)
    if lock:
        # Asked again under the lock: the statement that waited for it does not see what a purge,
        # or whoever got its address, did to its devices meanwhile.
        rows.select_for_update(of=("self",), no_key=True).first()
    return _of_caller(rows.first(), caller)


def find_by_external_id(caller: Caller, external_id: str) -> Client:
    """The client that the seller knows by this id. Raises `Missing`."""
    found = None
    if "\0" not in external_id:  # PostgreSQL refuses to be asked
        found = _CLIENT_BY_EXTERNAL_ID.first(caller.tenant_id, external_id)
    return _of_caller(found, caller)


def find_deleted_by_external_id(caller: Caller, external_id: str, *, at: datetime) -> Client:
    """Of the deleted clients of this id, that can be brought back, the last. Raises `Missing`."""
    found = None
    if "\0" not in external_id:
        rows = restorable_clients(caller, at=at).filter(external_id=external_id)
        found = rows.order_by("-deleted_at", "-pk").first()
    return _of_caller(found, caller)


def _of_caller(found: Client | None, caller: Caller) -> Client:
    """The client with its tenant, which the caller has at hand. Raises `Missing` for None."""
    if found is None:
        raise Missing(NO_CLIENT)
    found.tenant = caller.tenant
    return found


def visible_peers(caller: Caller) -> QuerySet[Peer]:
    """The devices of the acting tenant that are not deleted, with their clients."""
    rows = Peer.objects.filter(tenant_id=caller.tenant_id, deleted_at__isnull=True)
    return rows.select_related("client")


def for_delivery() -> QuerySet[Peer]:
    """Devices with all that `peers.delivery` reads around them; not the seller's picture."""
    rows = Peer.objects.select_related("client", "tenant", "interface__gateway")
    return rows.defer("tenant__brand_logo")


def find_peer(caller: Caller, peer_id: UUID) -> Peer:
    """A device of the acting tenant, with all that its file needs. Raises `Missing`."""
    found = (
        for_delivery()
        .filter(tenant_id=caller.tenant_id, deleted_at__isnull=True, uuid=peer_id)
        .first()
    )
    if found is None:
        raise Missing(NO_PEER)
    return found


def only_peer(client: Client) -> Peer:
    """The one device of a client. Raises `Invalid` (``several_devices``) or `Missing`."""
    return only_of(live_peers(client))


def only_of(peers: Sequence[Peer]) -> Peer:
    """The one device among a client's. Raises as `only_peer`."""
    if not peers:
        raise Missing(NO_PEER)
    if len(peers) > 1:
        raise Invalid("This client has several devices; name one of them.", code="several_devices")
    return peers[0]


def live_peers(client: Client) -> list[Peer]:
    """The client's devices that are not deleted, oldest first, with interface and gateway."""
    return list(_live_peers().filter(client=client))


def live_peers_of(client_ids: Sequence[int], *, addresses: bool) -> dict[int, list[Peer]]:
    """`live_peers` of many clients at once, with their addresses if asked."""
    rows = _live_peers().filter(client__in=client_ids)
    found: defaultdict[int, list[Peer]] = defaultdict(list)
    for peer in rows.prefetch_related("addresses") if addresses else rows:
        found[peer.client_id].append(peer)
    return dict(found)


def lock_peers_of(client_ids: Sequence[int]) -> None:
    """Hold the devices of these clients, in the order of their rows, as workers do.

    Before any of them is written: a worker locks devices first, then interfaces and jobs.
    """
    if connection.features.has_select_for_update:
        rows = Peer.objects.select_for_update(no_key=True).filter(client__in=client_ids)
        list(rows.filter(deleted_at__isnull=True).order_by("pk").values_list("pk"))


def _live_peers() -> QuerySet[Peer]:
    rows = Peer.objects.filter(deleted_at__isnull=True)
    return rows.select_related("interface__gateway").order_by("pk")


def view_clients(clients: Sequence[Client]) -> list[ClientView]:
    """These clients as they are shown, in this order, in four queries."""
    ids = [client.pk for client in clients]
    of_deleted = any(client.deleted_at for client in clients)
    devices: defaultdict[int, list[Device]] = defaultdict(list)
    for device in as_devices(PEERS_WITH_DELETED(ids) if of_deleted else PEERS(ids)):
        devices[device.peer.client_id].append(device)
    holds, usages = open_holds(ids), usages_of(ids)
    return [
        ClientView(
            client,
            tuple(devices[client.pk]),
            tuple(holds.get(client.pk, ())),
            usages.get(client.pk),
        )
        for client in clients
    ]


def view_client(client: Client) -> ClientView:
    """One client as it is shown."""
    return view_clients([client])[0]


def count_peers(interface: Interface, tenant_id: int | None, *, at: datetime) -> dict[str, int]:
    """How many peers the interface should have, are online, and wait: of one tenant, or of all."""
    rows = Peer.objects.filter(interface=interface, deleted_at__isnull=True)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    online = Q(observed_present=True, blocked=False, last_handshake_at__gte=at - ONLINE_WITHIN)
    return rows.aggregate(
        peers=Count("pk"),
        online=Count("pk", filter=online),
        pending=Count("pk", filter=Q(applied_generation__lt=F("generation"))),
    )
