"""Devices as they are shown, any number of them in two queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    ExpressionWrapper,
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
from peers.models import Peer, PeerAddress, PeerKey, PeerNetwork
from tenants.prepared import Prepared
from wireguard.allowed_ips import sort_networks

#: A device whose last handshake is younger is online: WireGuard makes a new one every 120 s
#: while data flows and drops a session after 180 s (Reject-After-Time, whitepaper section 6).
ONLINE_WITHIN: Final = timedelta(seconds=180)


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
    upload_bytes: int = 0
    download_bytes: int = 0
    #: Whether the file that was last handed out is still the right one.
    file_outdated: bool = False
    #: Whether the interface is off, or gone.
    interface_down: bool = False


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


def view_devices(peers: QuerySet[Peer]) -> list[Device]:
    """These devices as they are shown, oldest first, in two queries."""
    return as_devices(list(_with_all(peers)))


_DOWN: Final = ExpressionWrapper(
    Q(interface__simulated=False)
    & (Q(interface__enabled=False) | Q(interface__state=Interface.State.DOWN)),
    output_field=BooleanField(),
)


def _with_all(peers: QuerySet[Peer]) -> QuerySet[Peer]:
    """Annotate what a device is shown with and its row does not have."""
    return (
        with_status(peers)
        .annotate(
            interface_name=F("interface__name"),
            gateway_slug=F("interface__gateway__slug"),
            observed_at=F("interface__observed_at"),
            interface_down=_DOWN,
            has_key=Exists(PeerKey.objects.filter(peer=OuterRef("pk"))),
            bytes_up=Coalesce(F("meter__raw_up"), 0),
            bytes_down=Coalesce(F("meter__raw_down"), 0),
            file_sum=FILE_SUM,
        )
        .order_by("pk")
    )


#: The live devices of these clients.
PEERS: Final = Prepared(
    lambda ids: _with_all(Peer.objects.filter(client_id__in=ids, deleted_at__isnull=True)), [int]
)
#: Of a deleted client, what went with it.
PEERS_WITH_DELETED: Final = Prepared(
    lambda ids: _with_all(
        Peer.objects.filter(client_id__in=ids).filter(
            Q(deleted_at__isnull=True, client__deleted_at__isnull=True)
            | Q(deleted_at=F("client__deleted_at"))
        )
    ),
    [int],
)
#: Addresses and networks; these have a slash.
_ROUTED: Final = Prepared(
    lambda ids: (
        PeerAddress.objects.filter(peer_id__in=ids)
        .values_list("peer_id", "address")
        .union(
            PeerNetwork.objects.filter(peer_id__in=ids).values_list("peer_id", "network"), all=True
        )
    ),
    [int],
)


def as_devices(rows: Sequence[Peer]) -> list[Device]:
    """Rows of the queries above as devices; with their addresses and networks, in one query."""
    addresses: defaultdict[int, list[str]] = defaultdict(list)
    networks: defaultdict[int, list[str]] = defaultdict(list)
    for peer_id, text in _ROUTED([row.pk for row in rows]):
        (networks if "/" in text else addresses)[peer_id].append(text)
    return [
        Device(
            peer=row,
            interface=vars(row)["interface_name"],
            gateway=vars(row)["gateway_slug"],
            addresses=as_networks(addresses[row.pk]),
            networks=sort_networks(networks[row.pk]),
            status=vars(row)["status_word"],
            reason=vars(row)["status_reason"],
            private_key_known=bool(vars(row)["has_key"]),
            preshared_key_set=bool(row.preshared_key),
            observed_at=vars(row)["observed_at"],
            upload_bytes=vars(row)["bytes_up"],
            download_bytes=vars(row)["bytes_down"],
            file_outdated=is_outdated(row, vars(row)["file_sum"]),
            interface_down=bool(vars(row)["interface_down"]),
        )
        for row in rows
    ]


def as_networks(addresses: Iterable[str]) -> tuple[str, ...]:
    """Addresses as WireGuard writes them ("10.252.0.9/32"), IPv4 first."""
    parsed = sorted((ip_address(text) for text in addresses), key=lambda a: (a.version, int(a)))
    return tuple(f"{address}/{address.max_prefixlen}" for address in parsed)
