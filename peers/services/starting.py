"""What was sold begins with the first handshake, where nobody said when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.events import SYSTEM, record_all
from peers.models import Client
from peers.services.changes import act
from peers.services.mass import lock_clients
from peers.services.periods import date_periods
from quotas.models import Hold


def begin(*, client_ids: Collection[int], at: datetime) -> int:
    """Begin what was sold to these clients, who shook hands just now; how many began.

    A client that began already, and one that is held, is left as it is: one that is let go shakes
    hands anew. In the caller's transaction, before he locks any device.
    """
    ids = list(_waiting().filter(pk__in=client_ids).values_list("pk", flat=True))
    if not ids:
        return 0
    locked = [row.id for row in lock_clients(ids, wait=True)]
    clients = list(_waiting().filter(pk__in=locked).select_related("tenant").order_by("pk"))
    begun = [client for client in clients if client.starts_at is None]
    events = []
    for client in clients:
        client.first_connected_at = client.first_connected_at or at
        client.version += 1
        client.updated_at = at
        if client.starts_at is None:
            _begin(client, at)
        after = {"starts_at": client.starts_at, "expires_at": client.expires_at}
        events.append(act(client=client, actor=SYSTEM, action="client.started", after=after))
    date_periods(begun, at=at)
    Client.objects.bulk_update(
        clients,
        ["first_connected_at", "starts_at", "expires_at", "start_before", "version", "updated_at"],
        batch_size=500,
    )
    record_all(events)
    return len(clients)


def _begin(client: Client, at: datetime) -> None:
    client.starts_at, client.start_before = at, None
    if client.duration_days is not None:
        end = at + timedelta(days=client.duration_days)
        client.expires_at = min(end, client.expires_at or end)


def _waiting() -> QuerySet[Client]:
    """Who may connect, and has not yet, or not yet since something else was sold to him."""
    held = Hold.objects.filter(client=OuterRef("pk"), closed_at__isnull=True)
    rows = Client.objects.filter(Q(first_connected_at__isnull=True) | Q(starts_at__isnull=True))
    return rows.filter(~Exists(held), deleted_at__isnull=True)
