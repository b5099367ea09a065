"""Opening and closing holds. `peers.services.entitlement` keeps the peers in step: call that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from quotas.models import Hold


def open_hold(
    *,
    tenant_id: int,
    client_id: int,
    reason: str,
    note: str,
    by: str,
    at: datetime,
    until: datetime | None = None,
) -> bool:
    """Open a hold, for good or ``until`` it closes by itself.

    False when one for this reason is open already: it keeps its note and its end.
    """
    _, is_new = Hold.objects.get_or_create(
        client_id=client_id,
        reason=reason,
        closed_at=None,
        defaults={
            "tenant_id": tenant_id,
            "note": note[:255],
            "opened_at": at,
            "opened_by": by[:150],
            "until": until,
        },
    )
    return is_new


def open_holds(
    *, tenant_id: int, client_ids: Iterable[int], reason: str, by: str, at: datetime
) -> None:
    """Open a hold of each of these clients, which have none for this reason (they are new)."""
    Hold.objects.bulk_create(
        (
            Hold(
                tenant_id=tenant_id,
                client_id=client_id,
                reason=reason,
                opened_at=at,
                opened_by=by[:150],
            )
            for client_id in client_ids
        ),
        batch_size=500,
    )


def close_hold(*, client_id: int, reason: str, by: str, at: datetime) -> bool:
    """Close the open hold for this reason, and no other; False when there is none."""
    closed = Hold.objects.filter(client_id=client_id, reason=reason, closed_at__isnull=True).update(
        closed_at=at, closed_by=by[:150]
    )
    return bool(closed)
