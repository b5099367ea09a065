"""What a tenant's home shows: a constant number of queries, whatever the number of clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Q, QuerySet

from audit.models import AuditEvent
from audit.queries import events
from peers.models import Client, Peer
from peers.queries import ONLINE_WITHIN, visible_clients, visible_peers
from quotas.models import Hold
from tenants.prepared import Prepared
from tenants.scoping import Caller

SOON: Final = timedelta(days=7)
_SHOWN: Final = 6
#: Every download of a file is an event; they would leave no room for what was changed.
_LOOKS: Final = ("config.revealed", "tenant.visited")


@dataclass(frozen=True)
class Tally:
    """Clients of one tenant: all of them, and those of a kind; and devices that wait, or that a
    gateway refused.
    """

    clients: int = 0
    unused: int = 0
    soon: int = 0
    #: Of ``soon``, those that nothing follows.
    last: int = 0
    online: int = 0
    waiting: int = 0
    refused: int = 0
    off: int = 0
    quota: int = 0
    ended: int = 0


# Each of the three tables is looked through once; a count for each client on its own would cost
# as many looks as there are clients.
def _clients(tenant: int, at: datetime, until: datetime) -> QuerySet[Client, Any]:
    soon = Q(expires_at__gt=at, expires_at__lte=until)
    rows = Client.objects.filter(tenant_id=tenant, deleted_at__isnull=True).order_by()
    return rows.values_list("tenant_id").annotate(
        clients=Count("pk"),
        unused=Count("pk", filter=Q(first_connected_at__isnull=True)),
        soon=Count("pk", filter=soon),
        last=Count("pk", filter=soon & Q(next_plan__isnull=True)),
    )


def _devices(tenant: int, since: datetime) -> QuerySet[Peer, Any]:
    online = Q(observed_present=True, blocked=False, last_handshake_at__gte=since)
    waiting = Q(generation__gt=F("applied_generation"), quarantine_reason="")
    rows = Peer.objects.filter(tenant_id=tenant, deleted_at__isnull=True).order_by()
    return rows.values_list("tenant_id").annotate(
        online=Count("client", filter=online, distinct=True),
        waiting=Count("pk", filter=waiting),
        refused=Count("pk", filter=~Q(quarantine_reason="")),
    )


def _held(tenant: int) -> QuerySet[Hold, Any]:
    rows = Hold.objects.filter(
        tenant_id=tenant, closed_at__isnull=True, client__deleted_at__isnull=True
    ).order_by()
    return rows.values_list("tenant_id").annotate(
        off=Count("client", distinct=True),
        quota=Count("client", filter=Q(reason=Hold.Reason.QUOTA.value), distinct=True),
        ended=Count("client", filter=Q(reason=Hold.Reason.EXPIRED.value), distinct=True),
    )


_CLIENTS: Final = Prepared(_clients, int, datetime, datetime)
_DEVICES: Final = Prepared(_devices, int, datetime)
_HELD: Final = Prepared(_held, int)


def tally(caller: Caller, at: datetime) -> Tally:
    """Count the caller's clients, in three short queries."""
    tenant = caller.tenant_id
    clients = _CLIENTS.first(tenant, at, at + SOON) or (0,) * 5
    devices = _DEVICES.first(tenant, at - ONLINE_WITHIN) or (0,) * 4
    held = _HELD.first(tenant) or (0,) * 4
    return Tally(*clients[1:], *devices[1:], *held[1:])


def ending(caller: Caller, at: datetime) -> Sequence[Client]:
    """The clients that end next."""
    rows = visible_clients(caller).filter(expires_at__gt=at, expires_at__lte=at + SOON)
    return list(rows.order_by("expires_at", "pk")[:_SHOWN])


def troubled(caller: Caller) -> Sequence[Peer]:
    """Devices that a gateway refused."""
    rows: QuerySet[Peer] = visible_peers(caller).exclude(quarantine_reason="")
    return list(rows.select_related("client", "interface__gateway").order_by("-pk")[:_SHOWN])


def changes(caller: Caller) -> Sequence[AuditEvent]:
    """The last things that were done."""
    rows = events(caller.tenant_id).exclude(action__in=_LOOKS)
    return list(rows.order_by("-pk")[:_SHOWN])
