"""What a tenant's home counts: one query, whatever the number of clients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from peers.models import Peer
from peers.queries import ONLINE_WITHIN, visible_clients
from quotas.models import Hold
from tenants.scoping import Caller


@dataclass(frozen=True)
class Tally:
    """Clients of one tenant: all of them, those that are online, those that are off."""

    clients: int
    online: int
    off: int


def tally(caller: Caller, at: datetime) -> Tally:
    """Count the caller's clients."""
    online = Peer.objects.filter(
        client=OuterRef("pk"),
        deleted_at__isnull=True,
        observed_present=True,
        blocked=False,
        last_handshake_at__gte=at - ONLINE_WITHIN,
    )
    holds = Hold.objects.filter(client=OuterRef("pk"), closed_at__isnull=True)
    found = visible_clients(caller).aggregate(
        clients=Count("pk"),
        online=Count("pk", filter=Q(Exists(online))),
        off=Count("pk", filter=Q(Exists(holds))),
    )
    return Tally(**found)
