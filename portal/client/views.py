"""A client: why it is on or off, its devices, usage, plan and history; and its live parts."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.timezone import now as clock
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET

from peers.queries import ClientView, find_peer
from portal.client import queries
from portal.client.acts import offers
from portal.client.device_views import revealed
from portal.client.rows import Shown
from portal.client.terms import speed_words
from portal.client.wording import Scene, plan_rows
from portal.doors import for_tenant
from portal.offers import interfaces_of
from tenants.permissions import may
from tenants.scoping import Caller


@require_GET
@for_tenant("clients:read")
@sensitive_variables()
def show(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """The page."""
    at = clock()
    view = queries.read_client(caller, uuid, at=at)
    scene = queries.scene_of(caller, at, view)
    return render(request, "client/page.html", _page(request, caller, view, scene))


@require_GET
@for_tenant("clients:read")
def live(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """The live parts of the page, each with its id; 304 when nothing on it has changed."""
    at = clock()
    view = queries.read_client(caller, uuid, at=at)
    found = queries.shown(view, queries.scene_of(caller, at, view), _named(request))
    tag = etag(found)
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        context = {"shown": found, "view": view, "client": view.client, **_rights(caller)}
        response = render(request, "client/live.html", context)
    add_never_cache_headers(response)
    response["ETag"] = tag
    response["X-VWG-Now"] = at.isoformat()
    if found.observed_at is not None:
        response["X-VWG-Observed"] = f"page={found.observed_at.isoformat()}"
    return response


@require_GET
@for_tenant("audit:read")
def history(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """All that was done to the client, page by page."""
    at = clock()
    view = queries.read_client(caller, uuid, at=at)
    scene = queries.scene_of(caller, at)
    text = request.GET.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    rows, older = queries.history(caller, uuid, scene, before=before, most=queries.EVENTS_A_PAGE)
    context = {"client": view.client, "events": rows, "older": older, "before": before}
    return render(request, "client/history.html", context)


def etag(found: Shown) -> str:
    """Names what is shown, without the ages: those are told in headers, with a 304 too."""
    devices = [vars(row) | {"observed_at": None} for row in found.devices]
    parts = (found.verdict, devices, found.usage, found.version, found.language, found.eager,
             found.file_state)  # fmt: skip
    return f'"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def _named(request: HttpRequest) -> UUID | None:
    """The device whose file the address asks for."""
    try:
        return UUID(request.GET.get("file", ""))
    except ValueError:
        return None


@sensitive_variables()
def _file(caller: Caller, view: ClientView, uuid: UUID | None) -> dict[str, Any] | None:
    if uuid is None or all(device.peer.uuid != uuid for device in view.devices):
        return None
    return revealed(caller, find_peer(caller, uuid))


def _rights(caller: Caller) -> dict[str, bool]:
    return {
        "may_write": may(caller, "clients:write"),
        "may_transfer": bool(caller.operator)
        and not caller.tenant.is_sandbox
        and may(caller, "clients:write"),
        "may_reveal": may(caller, "configs:read"),
        "may_see_usage": may(caller, "usage:read"),
    }


def _page(request: HttpRequest, caller: Caller, view: ClientView, scene: Scene) -> dict[str, Any]:
    client, rights = view.client, _rights(caller)
    file = _named(request) if rights["may_reveal"] and client.deleted_at is None else None
    found = queries.shown(view, scene, file)
    wanted, there = queries.ranges_of(view, request.GET.get("range", ""))
    events, older = queries.history(caller, client.uuid, scene)
    return {
        "view": view,
        "client": client,
        "shown": found,
        "etag": etag(found),
        "range": wanted,
        "ranges": there,
        "chart": queries.usage_chart(view, scene, wanted) if rights["may_see_usage"] else None,
        "sessions": queries.sessions(caller, client, scene) if rights["may_see_usage"] else [],
        "plan_rows": plan_rows(view, scene),
        "speed": speed_words(client.download_kbit, client.upload_kbit),
        "events": events,
        "older": older,
        "links": queries.links(caller, client, scene),
        "logins": queries.logins(caller, client, scene),
        "may_sign_in": caller.tenant.customers_sign_in,
        "created": scene.day(client.created_at),
        "is_deleted": client.deleted_at is not None,
        "acts": offers(view, has_places=len(interfaces_of(caller)) > 1),
        "file": _file(caller, view, file),
        "is_new": "new" in request.GET,
        "poll": f"?file={file}" if file else "",
        "most_devices": client.plan.devices if client.plan is not None else None,
        **rights,
    }
