"""Holds of many clients at once, as time and traffic open and close them: a few statements for a
thousand clients, with one event each and one job for each tenant.

The caller has locked the clients (`lock_clients`), and looked again under the lock whether it is
still so; so a verdict and an act on one client never cross.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F

from audit.events import SYSTEM, Target, record_each
from gateways.models import Job
from gateways.outbox import Wish, enqueue_each
from peers.models import Client, Peer
from peers.services.changes import mark_boot_dirty, shown
from quotas.models import Hold
from quotas.services import open_each

#: Clients of one transaction.
BATCH: Final = 1000


class Row(NamedTuple):
    """A client whose row is locked."""

    id: int
    uuid: UUID
    name: str
    tenant_id: int


def lock_clients(ids: Collection[int], *, wait: bool = False) -> list[Row]:
    """Those of these clients that live, locked in the order of their rows.

    One that somebody else holds is left out, unless the caller waits: he changes it, and the next
    look finds what came of it. So nobody waits for a client while he holds what stands behind it
    in the order of locks.
    """
    rows = Client.objects.filter(pk__in=ids, deleted_at__isnull=True).order_by("pk")
    skip = not wait and connection.features.has_select_for_update_skip_locked
    locked = rows.select_for_update(no_key=True, skip_locked=skip)
    return [Row._make(values) for values in locked.values_list(*Row._fields)]


def tenants_of(rows: Mapping[int, Row]) -> dict[int, int]:
    """Whose these clients are, as `quotas.services.lock_usages` asks for it."""
    return {pk: row.tenant_id for pk, row in rows.items()}


def hold_many(
    rows: Sequence[Row],
    *,
    reason: str,
    action: str,
    at: datetime,
    periods: Mapping[int, int] | None = None,
) -> None:
    """Stop these clients, which have no open hold for the reason; with the period of each that was
    judged.
    """
    judged = periods or {}
    holds = [(row.tenant_id, row.id, judged.get(row.id)) for row in rows]
    open_each(holds, reason=reason, by=SYSTEM.name, at=at)
    note(rows, action=action, at=at, after={"holds": [reason]})
    follow([row.id for row in rows], blocked=True, at=at)


def release_many(rows: Sequence[Row], *, reason: str, action: str, at: datetime) -> None:
    """Close this hold of theirs; those that no other one keeps off may connect at once."""
    ids = [row.id for row in rows]
    holds = Hold.objects.filter(client__in=ids, closed_at__isnull=True)
    holds.filter(reason=reason).update(closed_at=at, closed_by=SYSTEM.name)
    note(rows, action=action, at=at, before={"holds": [reason]})
    held = set(holds.values_list("client_id", flat=True))
    follow([pk for pk in ids if pk not in held], blocked=False, at=at)


def note(
    rows: Sequence[Row],
    *,
    action: str,
    at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Their versions rise, and each has its event."""
    ids = [row.id for row in rows]
    Client.objects.filter(pk__in=ids).update(version=F("version") + 1, updated_at=at)
    record_each(
        actor=SYSTEM,
        action=action,
        targets=(Target("client", str(row.uuid), row.name, row.tenant_id) for row in rows),
        before=shown(before),
        after=shown(after),
    )


def follow(ids: Collection[int], *, blocked: bool, at: datetime) -> None:
    """Block or free the devices of these clients, and have WireGuard told of it."""
    if not ids:
        return
    peers = Peer.objects.select_for_update(no_key=True, of=("self",)).filter(
        client__in=ids, deleted_at__isnull=True, blocked=not blocked
    )
    columns = ("pk", "interface_id", "public_key", "tenant_id", "interface__simulated")
    found = list(peers.order_by("pk").values_list(*columns, "interface__gateway__slug"))
    Peer.objects.filter(pk__in=[one[0] for one in found]).update(
        blocked=blocked, generation=F("generation") + 1
    )
    mark_boot_dirty({one[1] for one in found}, at=at)
    wishes: defaultdict[int, list[Wish]] = defaultdict(list)
    for peer_id, interface_id, key, tenant_id, simulated, slug in found:
        wish = Wish(interface_id, peer_id, key, queue=f"gateway.{slug}", simulated=simulated)
        wishes[tenant_id].append(wish)
    kind = Job.Kind.DISABLE if blocked else Job.Kind.ENABLE
    enqueue_each(kind=kind, actor_name=SYSTEM.name, wishes=wishes, at=at)
