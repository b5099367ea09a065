"""Reading clients and their devices: always through their tenant, always a constant number of
queries, whatever the number of clients.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from gateways.models import Interface, JobItem
from peers.freshness import FILE_SUM, is_outdated
from peers.models import Client, Peer, PeerAddress, PeerKey, PeerNetwork
from peers.sellable import find_interface as find_interface
from quotas.models import Hold
from quotas.policies import held_state
from quotas.queries import open_holds
from rest.errors import Invalid, Missing
from tenants.scoping import Caller
from wireguard.allowed_ips import sort_networks

#: A device whose last handshake is younger is online: WireGuard makes a new one every 120 s
#: while data flows and drops a session after 180 s (Reject-After-Time, whitepaper section 6).
ONLINE_WITHIN: Final = timedelta(seconds=180)

DELETED: Final = "deleted"
#: What `peers.delivery` reads of a device's surroundings.
FOR_DELIVERY: Final = ("client", "tenant", "interface__gateway")
NO_CLIENT: Final = "There is no such client."
NO_PEER: Final = "There is no such device."


@dataclass(frozen=True)
class Device:
    """A device as it is shown. ``status``: pending, applied, verified, failed or quarantined."""

    peer: Peer
    interface: str
    gateway: str
    addresses: tuple[str, ...]
    networks: tuple[str, ...]
    status: str
    reason: str
    private_key_known: bool
    preshared_key_set: bool
    #: When the interface was last read; the peer's live figures are from then.
    observed_at: datetime | None
    #: Whether the file that was last handed out is still the right one.
    file_outdated: bool = False


@dataclass(frozen=True)
class ClientView:
    """A client with all that is shown of it."""

    client: Client
    devices: tuple[Device, ...]
    holds: tuple[Hold, ...]

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
    rows = Client.objects.filter(tenant_id=caller.tenant_id, deleted_at__isnull=True)
    return rows.select_related("plan")


def find_client(caller: Caller, client_id: UUID, *, lock: bool = False) -> Client:
    """The client; with ``lock`` its row is held till the end of the transaction.

    Raises `Missing`, in the same words for a foreign client and for none.
    """
    rows = visible_clients(caller)
    rows = rows.select_for_update(of=("self",)) if lock else rows
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
    return rows.select_related("plan")


def find_deleted(caller: Caller, client_id: UUID, *, at: datetime, lock: bool = False) -> Client:
    """A deleted client that can be brought back. Raises `Missing`."""
    rows = restorable_clients(caller, at=at)
    rows = rows.select_for_update(of=("self",)) if lock else rows
    return _of_caller(rows.filter(uuid=client_id).first(), caller)


def find_by_external_id(caller: Caller, external_id: str) -> Client:
    """The client that the seller knows by this id. Raises `Missing`."""
    found = None
    if "\0" not in external_id:  # PostgreSQL refuses to be asked
        found = visible_clients(caller).filter(external_id=external_id).first()
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


def find_peer(caller: Caller, peer_id: UUID) -> Peer:
    """A device of the acting tenant, with all that its file needs. Raises `Missing`."""
    found = (
        Peer.objects.select_related(*FOR_DELIVERY)
        .filter(tenant_id=caller.tenant_id, deleted_at__isnull=True, uuid=peer_id)
        .first()
    )
    if found is None:
        raise Missing(NO_PEER)
    return found


def only_peer(client: Client) -> Peer:
    """The one device of a client. Raises `Invalid` (``several_devices``) or `Missing`."""
    peers = live_peers(client)
    if not peers:
        raise Missing(NO_PEER)
    if len(peers) > 1:
        raise Invalid("This client has several devices; name one of them.", code="several_devices")
    return peers[0]


def live_peers(client: Client) -> list[Peer]:
    """The client's devices that are not deleted, oldest first, with interface and gateway."""
    rows = Peer.objects.filter(client=client, deleted_at__isnull=True)
    return list(rows.select_related("interface__gateway").order_by("pk"))


def with_status(peers: QuerySet[Peer]) -> QuerySet[Peer]:
    """Annotate ``status_word`` and ``status_reason``: how far each peer's row has come."""
    items = JobItem.objects.filter(peer=OuterRef("pk"), action=JobItem.Action.PEER).order_by("-id")
    no_word, blank = Value("", output_field=CharField()), Value("", output_field=TextField())
    return peers.annotate(
        last_outcome=Coalesce(Subquery(items.values("status")[:1]), no_word),
        last_message=Coalesce(Subquery(items.values("message")[:1]), blank),
    ).annotate(
        status_word=Case(
            When(quarantine_reason__gt="", then=Value("quarantined")),
            When(verified_generation__gte=F("generation"), then=Value("verified")),
            When(applied_generation__gte=F("generation"), then=Value("applied")),
            When(last_outcome=JobItem.Status.FAILED, then=Value("failed")),
            default=Value("pending"),
        ),
        status_reason=Case(
            When(quarantine_reason__gt="", then=F("quarantine_reason")),
            When(
                applied_generation__lt=F("generation"),
                last_outcome=JobItem.Status.FAILED,
                then=F("last_message"),
            ),
            default=blank,
        ),
    )


def view_clients(clients: Sequence[Client]) -> list[ClientView]:
    """These clients as they are shown, in this order, in three queries."""
    devices: defaultdict[int, list[Device]] = defaultdict(list)
    peers = Peer.objects.filter(client__in=clients)
    if any(client.deleted_at for client in clients):  # of a deleted one, what went with it
        peers = peers.filter(
            Q(deleted_at__isnull=True, client__deleted_at__isnull=True)
            | Q(deleted_at=F("client__deleted_at"))
        )
    else:
        peers = peers.filter(deleted_at__isnull=True)
    for device in view_devices(peers):
        devices[device.peer.client_id].append(device)
    holds = open_holds(client.pk for client in clients)
    return [
        ClientView(client, tuple(devices[client.pk]), tuple(holds.get(client.pk, ())))
        for client in clients
    ]


def view_client(client: Client) -> ClientView:
    """One client as it is shown."""
    return view_clients([client])[0]


def view_devices(peers: QuerySet[Peer]) -> list[Device]:
    """These devices as they are shown, oldest first, in two queries."""
    rows = list(
        with_status(peers)
        .annotate(
            interface_name=F("interface__name"),
            gateway_slug=F("interface__gateway__slug"),
            observed_at=F("interface__observed_at"),
            has_key=Exists(PeerKey.objects.filter(peer=OuterRef("pk"))),
            file_sum=FILE_SUM,
        )
        .order_by("pk")
    )
    ids = [row.pk for row in rows]
    held = PeerAddress.objects.filter(peer__in=ids).values_list("peer_id", "address")
    routed = PeerNetwork.objects.filter(peer__in=ids).values_list("peer_id", "network")
    addresses: defaultdict[int, list[str]] = defaultdict(list)
    networks: defaultdict[int, list[str]] = defaultdict(list)
    for peer_id, text in held.union(routed, all=True):
        (networks if "/" in text else addresses)[peer_id].append(text)
    return [
        Device(
            peer=row,
            interface=row.interface_name,
            gateway=row.gateway_slug,
            addresses=as_networks(addresses[row.pk]),
            networks=sort_networks(networks[row.pk]),
            status=vars(row)["status_word"],
            reason=vars(row)["status_reason"],
            private_key_known=bool(row.has_key),
            preshared_key_set=bool(row.preshared_key),
            observed_at=row.observed_at,
            file_outdated=is_outdated(row, vars(row)["file_sum"]),
        )
        for row in rows
    ]


def as_networks(addresses: Iterable[str]) -> tuple[str, ...]:
    """Addresses as WireGuard writes them ("10.252.0.9/32"), IPv4 first."""
    parsed = sorted((ip_address(text) for text in addresses), key=lambda a: (a.version, int(a)))
    return tuple(f"{address}/{address.max_prefixlen}" for address in parsed)


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
