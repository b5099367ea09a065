"""What a deleted client keeps until it is purged: keys, addresses, networks.

It keeps them from other tenants. Its own tenant may have an address or a network back at once, by
asking for it by name (a peer that is removed and added again has its old address); that ends the
undo of the deletion.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from gateways.models import GlobalSetting
from peers.models import Client, Peer, PeerAddress, PeerNetwork


def release(rows: QuerySet[PeerAddress], *, at: datetime) -> int:
    """Take these addresses from their peers; others may have them after the hold-back time."""
    hold = GlobalSetting.objects.values_list("address_hold_seconds", flat=True).get(pk=1)
    return rows.filter(peer__isnull=False).update(peer=None, free_at=at + timedelta(seconds=hold))


def kept_peers(tenant_id: int) -> QuerySet[Peer]:
    """The tenant's devices whose client is deleted and can still be brought back."""
    return Peer.objects.filter(
        tenant_id=tenant_id,
        deleted_at__isnull=False,
        client__deleted_at__isnull=False,
        client__purge_at__isnull=False,
    )


def give_up(peers: Iterable[Peer], *, at: datetime) -> set[int]:
    """Let go what the clients of these kept devices hold, for their own tenant to have.

    They can be restored no more. Returns the devices' keys; one that was restored meanwhile is
    not among them.
    """
    gone = Client.objects.select_for_update(of=("self",), no_key=True).filter(
        pk__in={peer.client_id for peer in peers}, deleted_at__isnull=False
    )
    clients = list(gone.order_by("pk").values_list("pk", flat=True))
    ids = set(Peer.objects.filter(client__in=clients).values_list("pk", flat=True))
    Client.objects.filter(pk__in=clients).update(purge_at=at)
    release(PeerAddress.objects.filter(peer__in=ids), at=at)
    PeerNetwork.objects.filter(peer__in=ids).delete()
    return ids
