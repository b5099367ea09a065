"""What time brings about: timed holds that close, deleted clients that go for good.

Safe to run twice, late and side by side: each step locks a client and looks again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from audit.events import SYSTEM, Target, event, record_all
from audit.models import Erasure
from gateways.models import GlobalSetting, Job
from peers.allocation import release
from peers.models import Client, Peer, PeerAddress, PeerKey, PeerNetwork, ShareLink
from peers.services.changes import note_act, raise_version, tell
from peers.services.entitlement import close_hold
from peers.services.meters import name_meters
from quotas.models import Hold

#: Clients of one transaction of a purge.
BATCH: Final = 100
#: When a client whose device is still on an interface is looked at again.
_LATER: Final = timedelta(hours=1)


def close_due_holds(*, at: datetime, limit: int = 1000) -> int:
    """Close the holds whose time is over, each client in a transaction of its own."""
    due = Hold.objects.filter(closed_at__isnull=True, until__lte=at).order_by("until", "pk")
    return sum(
        _close_due(client_id, at)
        for client_id in dict.fromkeys(due.values_list("client_id", flat=True)[:limit])
    )


@transaction.atomic
def _close_due(client_id: int, at: datetime) -> int:
    client = Client.objects.select_for_update(no_key=True).filter(pk=client_id).first()
    return 0 if client is None else release_due(client, at=at)


def release_due(client: Client, *, at: datetime) -> int:
    """Close those holds of the client whose time is over; how many. The caller holds its row."""
    due = Hold.objects.filter(client=client, closed_at__isnull=True, until__lte=at)
    reasons = sorted(due.values_list("reason", flat=True))
    told = [
        peer
        for reason in reasons
        for peer in close_hold(client=client, reason=reason, actor=SYSTEM, at=at) or ()
    ]
    if reasons:
        raise_version(client)
        note_act(client=client, actor=SYSTEM, action="client.released", before={"holds": reasons})
        tell(client=client, kind=Job.Kind.ENABLE, actor=SYSTEM, peers=told, at=at)
    return len(reasons)


def purge_due(*, at: datetime, limit: int = BATCH) -> int:
    """One batch of deleted clients whose time to be brought back is over; how many were due.

    Their secrets are destroyed and their addresses released now. A row goes once its devices are
    off their interfaces: until then it is what says that they must go.
    """
    with transaction.atomic():
        due = Client.objects.filter(purge_at__lte=at, deleted_at__isnull=False)
        clients = list(
            due.select_for_update(skip_locked=True, of=("self",), no_key=True).order_by("purge_at")[
                :limit
            ]
        )
        forget(Peer.objects.filter(client__in=clients), at=at)
        still_on = set(_on_interfaces().filter(client__in=clients).values_list("client", flat=True))
        gone = [client for client in clients if client.pk not in still_on]
        Client.objects.filter(pk__in=still_on).update(purge_at=at + _LATER)
        erased = set(
            Erasure.objects.filter(tenant_id__in={client.tenant_id for client in gone}).values_list(
                "tenant_id", flat=True
            )
        )  # that was one act, and is one event
        record_all(
            event(
                actor=SYSTEM,
                action="client.purged",
                target=Target("client", str(one.uuid), one.name, one.tenant_id),
            )
            for one in gone
            if one.tenant_id not in erased
        )
        name_meters(gone)
        Client.objects.filter(pk__in=[client.pk for client in gone]).delete()
    return len(clients)


def date_purges(*, at: datetime) -> None:
    """Give clients that were deleted without a date (by an older release) theirs."""
    undated = Client.objects.filter(deleted_at__isnull=False, purge_at__isnull=True)
    undated.filter(deleted_at__lte=at - _kept()).update(purge_at=at)


def purge_tombstones(*, at: datetime, limit: int = BATCH) -> int:
    """Rows of devices that were removed from clients that live on, when nobody asks any more."""
    rows = Peer.objects.filter(deleted_at__lte=at - _kept(), client__deleted_at__isnull=True)
    ids = list(rows.exclude(pk__in=_on_interfaces()).values_list("pk", flat=True)[:limit])
    with transaction.atomic():
        peers = Peer.objects.filter(pk__in=ids)
        forget(peers, at=at)
        peers.delete()
    return len(ids)


def forget(peers: QuerySet[Peer], *, at: datetime) -> None:
    """Destroy the secrets of these devices and release what they hold."""
    ids = list(peers.values_list("pk", flat=True))
    release(PeerAddress.objects.filter(peer__in=ids), at=at)
    for model in (PeerKey, PeerNetwork, ShareLink):
        model._default_manager.filter(peer__in=ids).delete()
    Peer.objects.filter(pk__in=ids).exclude(preshared_key="").update(preshared_key="")


def _kept() -> timedelta:
    """How long what was deleted is kept."""
    return timedelta(
        seconds=GlobalSetting.objects.values_list("undelete_seconds", flat=True).get(pk=1)
    )


def _on_interfaces() -> QuerySet[Peer]:
    """Deleted devices that may still be on their interfaces."""
    return Peer.objects.filter(
        Q(applied_generation__lt=F("generation")) | Q(applied_unknown=True) | ~Q(applied_key=""),
        deleted_at__isnull=False,
    )
