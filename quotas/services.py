"""Opening and closing holds, and the usage of clients that somebody changes.

`peers.services.entitlement` keeps the peers in step with holds: call that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from django.db.models import QuerySet

from audit.inserts import Inserts
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


_EACH: Final = Inserts(
    "quotas_hold",
    {
        "reason": "text", "note": "text", "opened_at": "timestamptz", "opened_by": "text",
        "until": "timestamptz", "closed_at": "timestamptz", "closed_by": "text",
    },
    {"uuid": "uuid", "tenant_id": "bigint", "client_id": "bigint", "period": "int"},
)  # fmt: skip


def open_each(
    clients: Sequence[tuple[int, int, int | None]], *, reason: str, by: str, at: datetime
) -> None:
    """Open a hold for one and the same reason of each of these, given as tenant, client and the
    period that was judged; none of them has one open for it.
    """
    rows = [(uuid4(), *client) for client in clients]
    _EACH.run((reason, "", at, by[:150], None, None, ""), rows)


def lock_periods(ids: Collection[int]) -> dict[int, int]:
    """The periods of these clients, whose usages are locked; of those that have one."""
    return dict(_locking(ids).values_list("client_id", "period"))


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
    return {usage.client_id: usage for usage in _locking(ids)}


def _locking(ids: Collection[int]) -> QuerySet[Usage]:
    rows = Usage.objects.select_for_update(no_key=True)
    return rows.filter(client__in=ids).order_by("client")


def save_usages(changes: Sequence[tuple[Usage, Collection[str]]]) -> None:
    """Save these fields of usages that the caller holds; many in a few statements."""
    if len(changes) == 1:
        usage, fields = changes[0]
        usage.save(update_fields=fields)
    elif names := {name for _, fields in changes for name in fields}:
        Usage.objects.bulk_update([usage for usage, _ in changes], sorted(names), batch_size=500)
