"""Opening and closing holds. `peers.services.entitlement` keeps the peers in step: call that."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from quotas.models import Hold


def new_hold(
    *,
    tenant_id: int,
    client_id: int,
    reason: str,
    note: str = "",
    by: str,
    at: datetime,
    until: datetime | None = None,
) -> Hold:
    """A hold for good, or ``until`` it closes by itself; unsaved, for `open_holds`."""
    return Hold(
        tenant_id=tenant_id,
        client_id=client_id,
        reason=reason,
        note=note[:255],
        opened_at=at,
        opened_by=by[:150],
        until=until,
    )


def open_holds(holds: Iterable[Hold]) -> None:
    """Write these holds, of clients that have none open for their reasons."""
    Hold.objects.bulk_create(holds, batch_size=500)


def close_holds(holds: Collection[Hold], *, by: str, at: datetime) -> None:
    """Close these open holds, and no others."""
    if holds:
        rows = Hold.objects.filter(pk__in=[hold.pk for hold in holds], closed_at__isnull=True)
        rows.update(closed_at=at, closed_by=by[:150])
