"""What a client's page reads, through the queries of the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language, gettext

from audit.models import AuditEvent
from audit.queries import events
from gateways.models import JobItem
from peers.models import Client, CustomerAccess, ShareLink
from peers.queries import ClientView, find_client, find_deleted, view_client
from peers.sharing import state_of
from peers.usage_queries import counted_now, visible_sessions
from portal import charts, formats
from portal.client.history import event_row
from portal.client.rows import DeviceRow, EventRow, LinkRow, LoginRow, SessionRow, Shown
from portal.client.terms import span
from portal.client.verdicts import SLOW_S, verdict
from portal.client.wording import Scene, device_row, usage_now
from quotas.spans import DAY, HOUR, day_of, edges
from quotas.usage import of_client, series
from resellers.services.customers import MOST_LOGINS, logins_of
from resellers.services.customers import shown as shown_person
from rest.errors import Missing
from tenants.permissions import may
from tenants.scoping import Caller, visible

RANGES: Final = ("24h", "7d", "30d", "period")
SESSIONS: Final = 6
EVENTS: Final = 6
LINKS: Final = 20
EVENTS_A_PAGE: Final = 50


def read_client(caller: Caller, uuid: UUID, *, at: datetime) -> ClientView:
    """The client, also a deleted one that can be brought back. Raises `Missing`."""
    try:
        found = find_client(caller, uuid)
    except Missing:
        found = find_deleted(caller, uuid, at=at)
    return view_client(found)


def scene_of(caller: Caller, at: datetime, view: ClientView | None = None) -> Scene:
    """Where and when; with ``view``, since when its latest change waits."""
    waiting = None
    if view is not None and any(one.status == "pending" for one in view.devices):
        ids = [one.peer.pk for one in view.devices]
        items = JobItem.objects.filter(peer__in=ids, status=JobItem.Status.OPEN)
        waiting = items.order_by("pk").values_list("job__created_at", flat=True).first()
    return Scene(at, get_current_timezone_name(), caller.tenant.name, waiting)


def shown(view: ClientView, scene: Scene, file: UUID | None = None) -> Shown:
    """What of the client changes by itself; ``file``: of whose file the page tells."""
    devices = tuple(device_row(device, at=scene.at) for device in view.devices)
    waits = formats.age(scene.waiting_since, scene.at)
    return Shown(
        verdict=verdict(view, scene),
        devices=devices,
        usage=usage_now(view, scene),
        version=view.client.version,
        language=get_language() or "",
        file_state=next((_file_state(row) for row in devices if row.uuid == file), ""),
        eager=waits is not None and waits < 3 * SLOW_S,
        observed_at=min(
            (row.observed_at for row in devices if row.observed_at is not None), default=None
        ),
    )


def _file_state(row: DeviceRow) -> str:
    if row.status in ("failed", "quarantined"):
        return "bad"
    return "wait" if row.status == "pending" else "live"


def usage_chart(view: ClientView, scene: Scene, wanted: str) -> charts.Chart:
    """What the client used in one of `RANGES`."""
    client, zone, at = view.client, ZoneInfo(scene.zone), scene.at
    by, since, until = _range(view, scene, wanted)
    found = series(of_client(client.tenant_id, client.uuid), edges(by, since, until, zone))
    titles = {
        "24h": gettext("Usage per hour, the last 24 hours"),
        "7d": gettext("Usage per day, the last 7 days"),
        "30d": gettext("Usage per day, the last 30 days"),
        "period": gettext("Usage per day since %s") % scene.day(since),
    }
    return charts.usage_chart(
        found, by=by, zone=scene.zone, key="usage-chart", title=titles[wanted], until=at
    )


def ranges_of(view: ClientView, asked: str) -> tuple[str, tuple[str, ...]]:
    """The range that is shown, and those there are: a client without periods has no last one."""
    has_period = view.usage is not None and view.usage.period_began_at is not None
    there = RANGES if has_period else RANGES[:-1]
    return (asked if asked in there else there[-1]), there


def _range(view: ClientView, scene: Scene, wanted: str) -> tuple[str, datetime, datetime]:
    at, zone = scene.at, ZoneInfo(scene.zone)
    if wanted == "24h":
        return HOUR, at - timedelta(hours=23), at
    local = at.astimezone(zone)
    today = day_of(local.year, local.month, local.day, zone)
    usage = view.usage
    if wanted != "period" or usage is None or usage.period_began_at is None:
        days = 7 if wanted == "7d" else 30
        return DAY, today - timedelta(days=days - 1), at
    began = max(usage.period_began_at, at - timedelta(days=400))
    ends = usage.period_ends_at or at
    until = max(at, min(ends, began + timedelta(days=62)))
    return DAY, began, until


def sessions(caller: Caller, client: Client, scene: Scene) -> list[SessionRow]:
    """When its devices were connected, the newest first."""
    rows = visible_sessions(caller).filter(peer__client=client).order_by("-began_at", "-pk")
    page = list(rows[:SESSIONS])
    counted = counted_now([one.peer_id for one in page if one.ended_at is None])
    found = []
    for one in page:
        up, down = one.up, one.down
        if one.ended_at is None:
            now = counted.get(one.peer_id, (one.base_up, one.base_down))
            up, down = max(0, now[0] - one.base_up), max(0, now[1] - one.base_down)
        lasted = ((one.ended_at or scene.at) - one.began_at).total_seconds()
        found.append(
            SessionRow(
                device=one.peer.name,
                began=scene.stamp(one.began_at),
                lasted=span(max(0.0, lasted)),
                is_open=one.ended_at is None,
                endpoint=one.endpoint,
                download=down,
                upload=up,
            )
        )
    return found


def history(
    caller: Caller, uuid: UUID, scene: Scene, *, before: int = 0, most: int = EVENTS
) -> tuple[list[EventRow], int]:
    """What was done to the client, the newest first; and from where the older ones go on, 0 where
    there are none. Empty for a caller who may not read the audit log.
    """
    if not may(caller, "audit:read"):
        return [], 0
    rows = events(caller.tenant_id).filter(target_type="client", target_id=str(uuid))
    if before:
        rows = rows.filter(pk__lt=before)
    page = list(rows.order_by("-pk")[: most + 1])
    older = page[most - 1].pk if len(page) > most else 0
    return [event_row(event, scene) for event in page[:most]], older


def changes_since(caller: Caller, uuid: UUID, since: datetime) -> list[AuditEvent]:
    """What others did to the client since then, the newest first; no mere look at its file."""
    rows = events(caller.tenant_id).filter(
        target_type="client", target_id=str(uuid), created_at__gt=since
    )
    return list(rows.exclude(action="config.revealed").order_by("-pk")[:10])


def links(caller: Caller, client: Client, scene: Scene) -> list[LinkRow]:
    """The share links of its devices, the newest first: those that work before the others."""
    rows = visible(ShareLink.objects.select_related("peer"), caller)
    rows = rows.filter(peer__client=client, peer__deleted_at__isnull=True)
    found = [link_row(link, scene) for link in rows.order_by("-pk")[:LINKS]]
    return sorted(found, key=lambda link: not link.is_active)


def logins(caller: Caller, client: Client, scene: Scene) -> list[LoginRow]:
    """Who sees the client as its customer, those who came first."""
    rows = logins_of(caller, client).order_by("pk")[:MOST_LOGINS]
    return [login_row(login, scene) for login in rows]


def login_row(login: CustomerAccess, scene: Scene) -> LoginRow:
    """A login as the seller sees it."""
    since = gettext("since %s") % scene.day(login.created_at)
    is_new = not login.user.has_usable_password()
    detail = gettext("invited %s") % scene.day(login.created_at) if is_new else since
    return LoginRow(login.uuid, shown_person(login), "new" if is_new else "done", detail)


def link_row(link: ShareLink, scene: Scene) -> LinkRow:
    """A share link as its owner sees it."""
    word = state_of(link, at=scene.at)
    glyph, words = {
        "active": ("live", gettext("Works")),
        "used": ("done", gettext("Used up")),
        "revoked": ("off", gettext("Revoked")),
        "expired": ("off", gettext("Over")),
    }[word]
    parts = [gettext("for one use")] if link.single_use else []
    parts += [gettext("may set the key")] if link.allows_key else []
    if link.expires_at is not None and word == "active":
        parts.append(gettext("until %s") % scene.day(link.expires_at))
    elif word == "active":
        parts.append(gettext("without an end"))
    if link.uses:
        parts.append(gettext("opened %s times") % formats.number(link.uses))
    return LinkRow(
        uuid=link.uuid,
        name=link.name,
        device=link.peer.name,
        glyph=glyph,
        words=words,
        detail=gettext(", ").join(parts),
        is_active=word == "active",
    )
