"""What the status page reads: a constant number of queries, whatever the number of devices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from gateways.models import GlobalSetting, Heartbeat, Interface, Job, JobItem
from peers.delivery import interface_endpoint
from peers.models import Peer, PeerAddress
from peers.queries import ONLINE_WITHIN, with_status
from portal.status.rows import InterfaceRow, JobRow, Page, PeerRow, Worker
from portal.status.wording import interface_row, job_row, peer_row
from quotas.models import Hold
from tenants.prepared import Prepared

PAGE_SIZE = 50
#: A canary is sent every 10 s; a minute without an answer is what /healthz/ready calls late.
LATE_SECONDS = 60
SHOWS = ("all", "online", "waiting", "failed", "off")

_ROW_EXISTS = Q(deleted_at__isnull=True)
#: What a line shows: no secret, and no column that is not looked at.
_COLUMNS = (
    "id", "uuid", "name", "blocked", "deleted_at", "last_handshake_at", "observed_present",
    "observed_endpoint",
)  # fmt: skip
_LISTED = _ROW_EXISTS | ~Q(applied_key="")
#: The pages show what runs: of a sandbox nothing does.
_REAL = Q(interface__simulated=False)
_WAITING = Q(generation__gt=F("applied_generation"), quarantine_reason="") | Q(
    deleted_at__isnull=False
)
_FAILED = ~Q(quarantine_reason="")


@dataclass(frozen=True)
class Counts:
    """Devices of one interface, or of all."""

    wanted: int = 0
    applied: int = 0
    seen: int = 0
    online: int = 0
    waiting: int = 0
    failed: int = 0
    off: int = 0
    #: Off, and so without a peer on the interface.
    absent: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self.values(), other.values(), strict=True)))

    def values(self) -> tuple[int, ...]:
        return tuple(vars(self).values())

    @property
    def all(self) -> int:
        return self.wanted


def _online(since: datetime) -> Q:
    return Q(
        observed_present=True,
        blocked=False,
        deleted_at__isnull=True,
        last_handshake_at__gte=since,
    )


def _counted(columns: tuple[str, ...], since: datetime) -> QuerySet[Peer, Any]:
    rows: QuerySet[Peer, Any] = (
        Peer.objects.filter(_LISTED, _REAL)
        .values(*columns)
        .annotate(
            wanted=Count("id", filter=_ROW_EXISTS),
            applied=Count("id", filter=_ROW_EXISTS & Q(applied_generation__gte=F("generation"))),
            seen=Count("id", filter=_ROW_EXISTS & Q(observed_present=True)),
            online=Count("id", filter=_online(since)),
            waiting=Count("id", filter=_WAITING),
            failed=Count("id", filter=_FAILED),
            off=Count("id", filter=_ROW_EXISTS & Q(blocked=True)),
            absent=Count("id", filter=_ROW_EXISTS & Q(blocked=True, observed_present=False)),
        )
        .order_by(*columns)
        .values_list(*columns, *vars(Counts()))
    )
    return rows


_BY_INTERFACE: Final = ("interface_id",)
_BY_BOTH: Final = ("interface_id", "tenant_id")
_COUNTED: Final = {
    columns: Prepared(partial(_counted, columns), datetime) for columns in (_BY_INTERFACE, _BY_BOTH)
}


def counts(now: datetime) -> dict[int, Counts]:
    """Counts by interface id, in one pass over the devices."""
    rows = _COUNTED[_BY_INTERFACE](now - ONLINE_WITHIN)
    return {row[0]: Counts(*row[1:]) for row in rows}


def counts_by_tenant(now: datetime) -> dict[tuple[int, int], Counts]:
    """Counts by interface id and tenant id, in one pass over the devices."""
    rows = _COUNTED[_BY_BOTH](now - ONLINE_WITHIN)
    return {(row[0], row[1]): Counts(*row[2:]) for row in rows}


def _with_change() -> QuerySet[Interface]:
    newest = JobItem.objects.filter(interface=OuterRef("pk"), status=JobItem.Status.DONE)
    return (
        Interface.objects.filter(simulated=False)
        .select_related("gateway")
        .annotate(changed_at=Subquery(newest.order_by("-id").values("settled_at")[:1]))
        .order_by("-is_default", "gateway__slug", "name")
    )


_INTERFACES: Final = Prepared(_with_change)
_DEFAULTS: Final = Prepared(lambda: GlobalSetting.objects.order_by("pk")[:1])


def interfaces(found: dict[int, Counts], now: datetime) -> tuple[InterfaceRow, ...]:
    """Every interface with its counts, the default one first."""
    defaults = _DEFAULTS.first() or GlobalSetting()
    return tuple(
        interface_row(
            row,
            vars(found.get(row.pk, Counts())),
            endpoint=interface_endpoint(row, defaults) or f"?:{row.listen_port}",
            changed_at=row.changed_at,  # type: ignore[attr-defined]  # annotated
            now=now,
        )
        for row in _INTERFACES()
    )


def peers(
    *, query: str, show: str, interface: UUID | None, older: int, newer: int, now: datetime
) -> Page:
    """One page of devices, newest first. ``older``/``newer``: go on below/above this id, or 0.

    ``query`` matches names anywhere, keys and addresses from their beginning.
    """
    found = _narrow(Peer.objects.filter(_LISTED, _REAL), query, show, now)
    if interface is not None:
        found = found.filter(interface__uuid=interface)
    window = _window(found, older, newer)
    full = window[:PAGE_SIZE]
    more = len(window) > PAGE_SIZE
    if newer:
        full.reverse()
    rows = tuple(peer_row(row, vars(row), now) for row in full)
    return Page(
        rows=rows,
        query=query,
        show=show,
        total=0,
        older=full[-1].pk if full and (more or newer) else 0,
        newer=full[0].pk if full and (older or (newer and more)) else 0,
        cursor=f"older={older}" if older else f"newer={newer}" if newer else "",
    )


def _narrow(rows: QuerySet[Peer], query: str, show: str, now: datetime) -> QuerySet[Peer]:
    conditions = {
        "online": _online(now - ONLINE_WITHIN),
        "waiting": _WAITING,
        "failed": _FAILED,
        "off": _ROW_EXISTS & Q(blocked=True),
    }
    if show in conditions:
        rows = rows.filter(conditions[show])
    if query:
        holders = PeerAddress.objects.filter(address__startswith=query, peer__isnull=False)
        rows = rows.filter(
            Q(client__name__icontains=query)
            | Q(name__icontains=query)
            | Q(public_key__startswith=query)
            | Q(pk__in=holders.values("peer_id"))
        )
    return rows


def _window(rows: QuerySet[Peer], older: int, newer: int) -> list[Peer]:
    if newer:
        rows = rows.filter(pk__gt=newer).order_by("pk")
    elif older:
        rows = rows.filter(pk__lt=older).order_by("-pk")
    else:
        rows = rows.order_by("-pk")
    return list(_told(rows).only(*_COLUMNS)[: PAGE_SIZE + 1])


def _told(rows: QuerySet[Peer]) -> QuerySet[Peer]:
    """With all that a line says, in two queries. Names come as annotations: 250 objects less."""
    holds = Hold.objects.filter(client=OuterRef("client"), closed_at__isnull=True).order_by("pk")
    return (
        with_status(rows)
        .annotate(
            client_name=F("client__name"),
            tenant_slug=F("tenant__slug"),
            tenant_name=F("tenant__name"),
            interface_name=F("interface__name"),
            hold_reason=Subquery(holds.values("reason")[:1]),
            bytes_up=Coalesce(F("meter__raw_up"), 0),
            bytes_down=Coalesce(F("meter__raw_down"), 0),
        )
        .prefetch_related("addresses")
    )


def told_jobs() -> QuerySet[Job]:
    """The jobs of what runs, each with ``where`` it is done and the ``worst`` of its messages."""
    where = JobItem.objects.filter(job=OuterRef("pk")).order_by("pk")
    real = Job.objects.filter(Q(tenant=None) | Q(tenant__sandbox_of=None))
    return (
        real.select_related("tenant")
        .defer("tenant__brand_logo")
        .annotate(
            where=Subquery(where.values("interface__name")[:1]),
            worst=Subquery(where.exclude(message="").order_by("-status").values("message")[:1]),
        )
    )


#: As many jobs of each kind as a page may ask for.
JOBS: Final = 5
_OPEN_JOBS: Final = Prepared(
    lambda: told_jobs().filter(status__in=["pending", "running"]).order_by("-id")[:JOBS]
)
# What had nothing to apply changed nothing here: it is no line of this list.
_ENDED_JOBS: Final = Prepared(
    lambda: (
        told_jobs().filter(status__in=["succeeded", "failed"], total__gt=0).order_by("-id")[:JOBS]
    )
)


def jobs(*, limit: int = JOBS, now: datetime) -> tuple[JobRow, ...]:
    """At most ``limit`` (up to `JOBS`) open jobs, then the newest finished ones; ``limit`` + 1 in
    all.
    """
    rows: list[Any] = [*_OPEN_JOBS()[:limit], *_ENDED_JOBS()[:limit]]
    return tuple(job_row(row, row.where or "", row.worst or "", now) for row in rows[: limit + 1])


def job(uuid: UUID, now: datetime) -> tuple[JobRow, QuerySet[JobItem]] | None:
    """One job and its items that did not work, or None."""
    row = Job.objects.select_related("tenant").filter(uuid=uuid).first()
    if row is None:
        return None
    items = row.items.select_related("interface__gateway", "peer__client").order_by("pk")
    first = items.first()
    troubled = items.filter(status=JobItem.Status.FAILED)[:20]
    name = first.interface.name if first else ""
    return job_row(row, name, "", now), troubled


def workers(now: datetime) -> tuple[Worker, ...]:
    """Every queue that has ever answered."""
    late = now - timedelta(seconds=LATE_SECONDS)
    beats = Heartbeat.objects.order_by("queue")[:50]
    return tuple(Worker(beat.queue, beat.seen_at, beat.seen_at < late) for beat in beats)


def peer_of(uuid: UUID, now: datetime) -> tuple[Peer, PeerRow] | None:
    """One device that is not removed, with all that its page needs, or None."""
    found = Peer.objects.filter(uuid=uuid, deleted_at__isnull=True)
    row = _told(found).select_related("client", "tenant", "interface__gateway").first()
    return None if row is None else (row, peer_row(row, vars(row), now))
