"""Opening and closing holds, and the usage of clients that somebody changes.

`peers.services.entitlement` keeps the peers in step with holds: call that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from quotas.models import Hold, Usage


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


def lock_usages(clients: Mapping[int, int]) -> dict[int, Usage]:
    """The usage of these clients (each with its tenant), locked; made where there is none yet.

    The caller holds the clients' rows. Before any device is locked: so does who counts bytes.
    """
    found = _locked(clients)
    missing = clients.keys() - found.keys()
    if missing:
        rows = [Usage(client_id=pk, tenant_id=clients[pk]) for pk in sorted(missing)]
        Usage.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        found |= _locked(missing)
    return found


def _locked(ids: Collection[int]) -> dict[int, Usage]:
    rows = Usage.objects.select_for_update(no_key=True).filter(client__in=ids).order_by("client")
    return {usage.client_id: usage for usage in rows}


def save_usages(changes: Sequence[tuple[Usage, Collection[str]]]) -> None:
    """Save these fields of usages that the caller holds; many in a few statements."""
    if len(changes) == 1:
        usage, fields = changes[0]
        usage.save(update_fields=fields)
    elif names := {name for _, fields in changes for name in fields}:
        Usage.objects.bulk_update([usage for usage, _ in changes], sorted(names), batch_size=500)
