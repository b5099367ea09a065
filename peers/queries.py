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

from django.db import connection
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

from gateways.models import Gateway, Interface, JobItem
from peers.models import Client, Peer, PeerAddress, PeerKey, PeerNetwork
from quotas.models import Hold
from quotas.policies import held_state
from quotas.queries import open_holds
from rest.errors import Invalid, Missing
from tenants.scoping import Caller

#: A device whose last handshake is younger is online: WireGuard makes a new one every 120 s
#: while data flows and drops a session after 180 s (Reject-After-Time, whitepaper section 6).
ONLINE_WITHIN: Final = timedelta(seconds=180)

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


@dataclass(frozen=True)
class ClientView:
    """A client with all that is shown of it."""

    client: Client
    devices: tuple[Device, ...]
    holds: tuple[Hold, ...]

    @property
    def state(self) -> str:
        """Why it is off, else how far it has come."""
        held = held_state({hold.reason for hold in self.holds})
        if held is not None:
            return held
        statuses = {device.status for device in self.devices}
        if statuses & {"failed", "quarantined"}:
            return "failed"
        return "pending" if "pending" in statuses else "active"


def visible_clients(caller: Caller) -> QuerySet[Client]:
    """The clients of the acting tenant that are not deleted."""
    return Client.objects.filter(tenant_id=caller.tenant_id, deleted_at__isnull=True)


def find_client(caller: Caller, client_id: UUID, *, lock: bool = False) -> Client:
    """The client; with ``lock`` its row is held till the end of the transaction.

    Raises `Missing`, in the same words for a foreign client and for none.
    """
    rows = visible_clients(caller)
    found = (rows.select_for_update() if lock else rows).filter(uuid=client_id).first()
    if found is None:
        raise Missing(NO_CLIENT)
    return found


def find_by_external_id(caller: Caller, external_id: str) -> Client:
    """The client that the seller knows by this id. Raises `Missing`."""
    found = None
    if "\0" not in external_id:  # PostgreSQL refuses to be asked
        found = visible_clients(caller).filter(external_id=external_id).first()
    if found is None:
        raise Missing(NO_CLIENT)
    return found


def find_peer(caller: Caller, peer_id: UUID) -> Peer:
    """A device of the acting tenant, with client, interface and gateway. Raises `Missing`."""
    found = (
        Peer.objects.select_related("client", "interface__gateway")
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


#: On the way of every change; the ORM takes longer to write it than the database to answer it.
_INTERFACE: Final = (
    "SELECT i.*, g.slug AS gateway_slug FROM gateways_interface i"
    " JOIN gateways_gateway g ON g.id = i.gateway_id WHERE {} ORDER BY i.is_default DESC, i.id"
    " LIMIT 2"
)


def find_interface(name: str | None) -> Interface:
    """The interface of that name or UUID; the default one for None.

    Raises `Invalid` for an unknown name and for one that several gateways have, `Missing` when
    there is no interface yet.
    """
    if name is None:
        found = _interfaces("%s = 1", 1)
        if not found:
            raise Missing("There is no interface yet.", code="no_interface")
        return found[0]
    named = (
        _interfaces("i.uuid = %s", _as_stored(name))
        if _is_uuid(name)
        else (_interfaces("i.name = %s", name))
    )
    if len(named) == 1:
        return named[0]
    raise Invalid(
        "Several gateways have an interface of this name; give its id."
        if named
        else "There is no such interface.",
        field="interface",
        code="interface_unknown",
    )


def _interfaces(condition: str, value: object) -> list[Interface]:
    found = list(Interface.objects.raw(_INTERFACE.format(condition), [value]))
    for interface in found:
        interface.gateway = Gateway.from_db(  # its other columns are read when somebody asks
            connection.alias,
            ("id", "slug"),
            (interface.gateway_id, vars(interface)["gateway_slug"]),
        )
    return found


def _as_stored(uuid: str) -> object:
    return Interface._meta.get_field("uuid").get_db_prep_value(UUID(uuid), connection)


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
    """These clients as they are shown, in this order, in four queries."""
    devices: defaultdict[int, list[Device]] = defaultdict(list)
    for device in view_devices(Peer.objects.filter(client__in=clients, deleted_at__isnull=True)):
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
    """These devices as they are shown, oldest first, in three queries."""
    rows = list(
        with_status(peers)
        .annotate(
            interface_name=F("interface__name"),
            gateway_slug=F("interface__gateway__slug"),
            observed_at=F("interface__observed_at"),
            has_key=Exists(PeerKey.objects.filter(peer=OuterRef("pk"))),
        )
        .order_by("pk")
    )
    ids = [row.pk for row in rows]
    addresses: defaultdict[int | None, list[str]] = defaultdict(list)
    for peer_id, text in PeerAddress.objects.filter(peer__in=ids).values_list("peer", "address"):
        addresses[peer_id].append(text)
    networks: defaultdict[int, list[str]] = defaultdict(list)
    for owner, text in (
        PeerNetwork.objects.filter(peer__in=ids).order_by("start").values_list("peer", "network")
    ):
        networks[owner].append(text)
    return [
        Device(
            peer=row,
            interface=row.interface_name,
            gateway=row.gateway_slug,
            addresses=as_networks(addresses[row.pk]),
            networks=tuple(networks[row.pk]),
            status=vars(row)["status_word"],
            reason=vars(row)["status_reason"],
            private_key_known=bool(row.has_key),
            preshared_key_set=bool(row.preshared_key),
            observed_at=row.observed_at,
        )
        for row in rows
    ]


def as_networks(addresses: Iterable[str]) -> tuple[str, ...]:
    """Addresses as WireGuard writes them ("10.252.0.9/32"), IPv4 first."""
    parsed = sorted((ip_address(text) for text in addresses), key=lambda a: (a.version, int(a)))
    return tuple(f"{address}/{address.max_prefixlen}" for address in parsed)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


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
