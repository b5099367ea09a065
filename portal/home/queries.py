"""What a tenant's home shows: a constant number of queries, whatever the number of clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from audit.models import AuditEvent
from audit.queries import events
from peers.models import Client, Peer
from peers.queries import ONLINE_WITHIN, visible_clients, visible_peers
from quotas.models import Hold
from tenants.scoping import Caller

SOON: Final = timedelta(days=7)
_SHOWN: Final = 6
#: Every download of a file is an event; they would leave no room for what was changed.
_LOOKS: Final = ("config.revealed", "tenant.visited")


@dataclass(frozen=True)
class Tally:
    """Clients of one tenant: all of them, and those of a kind."""

    clients: int
    online: int
    off: int
    quota: int
    ended: int
    unused: int
    soon: int
    #: Of ``soon``, those that nothing follows.
    last: int


def tally(caller: Caller, at: datetime) -> Tally:
    """Count the caller's clients, in one query."""
    peers = Peer.objects.filter(client=OuterRef("pk"), deleted_at__isnull=True)
    online = peers.filter(
        observed_present=True, blocked=False, last_handshake_at__gte=at - ONLINE_WITHIN
    )
    used = peers.filter(last_handshake_at__isnull=False)
    holds = Hold.objects.filter(client=OuterRef("pk"), closed_at__isnull=True)
    soon = Q(expires_at__gt=at, expires_at__lte=at + SOON)
    found = visible_clients(caller).aggregate(
        clients=Count("pk"),
        online=Count("pk", filter=Q(Exists(online))),
        off=Count("pk", filter=Q(Exists(holds))),
        quota=Count("pk", filter=Q(Exists(holds.filter(reason=Hold.Reason.QUOTA)))),
        ended=Count("pk", filter=Q(Exists(holds.filter(reason=Hold.Reason.EXPIRED)))),
        unused=Count("pk", filter=~Q(Exists(used))),
        soon=Count("pk", filter=soon),
        last=Count("pk", filter=soon & Q(next_plan=None)),
    )
    return Tally(**found)


def ending(caller: Caller, at: datetime) -> Sequence[Client]:
    """The clients that end next."""
    rows = visible_clients(caller).filter(expires_at__gt=at, expires_at__lte=at + SOON)
    return list(rows.order_by("expires_at", "pk")[:_SHOWN])


def troubled(caller: Caller) -> Sequence[Peer]:
    """Devices that a gateway refused."""
    rows: QuerySet[Peer] = visible_peers(caller).exclude(quarantine_reason="")
    return list(rows.select_related("client", "interface__gateway").order_by("-pk")[:_SHOWN])


def waiting(caller: Caller) -> int:
    """Devices whose last change no gateway has applied yet."""
    rows = visible_peers(caller).filter(
        generation__gt=F("applied_generation"), quarantine_reason=""
    )
    return rows.count()


def changes(caller: Caller) -> Sequence[AuditEvent]:
    """The last things that were done."""
    rows = events(caller.tenant_id).exclude(action__in=_LOOKS)
    return list(rows.order_by("-pk")[:_SHOWN])
