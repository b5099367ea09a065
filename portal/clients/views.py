"""The list of clients: the page, its live cells, its counts, and the choices of its view."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.timezone import now as clock
from django.views.decorators.http import require_GET

from portal.clients import choices
from portal.clients.address import Address
from portal.clients.columns import COLUMNS
from portal.clients.places import Place
from portal.clients.tables import Table
from portal.clients.tabs import counted, tabs_of
from portal.doors import for_tenant, is_fragment, operators_only, shell
from tenants.scoping import Caller


@require_GET
@for_tenant("clients:read")
def clients(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The tenant's clients, as the address says; for a search, only the table."""
    return _list(request, Place(caller))


@require_GET
@operators_only()
def all_clients(request: HttpRequest) -> HttpResponse:
    """Everybody's clients."""
    return _list(request, Place())


@require_GET
@for_tenant("clients:read")
def live(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The cells that change by themselves; 304 when none has."""
    return _live(request, Place(caller))


@require_GET
@operators_only()
def all_live(request: HttpRequest) -> HttpResponse:
    """`live`, of everybody's."""
    return _live(request, Place())


@require_GET
@for_tenant("clients:read")
def counts(request: HttpRequest, caller: Caller) -> HttpResponse:
    """How many clients the view and each saved view has: asked for when the rows are there."""
    return _counts(request, Place(caller))


@require_GET
@operators_only()
def all_counts(request: HttpRequest) -> HttpResponse:
    """`counts`, of everybody's."""
    return _counts(request, Place())


@require_GET
@for_tenant("clients:read")
def choose(request: HttpRequest, caller: Caller, name: str) -> HttpResponse:
    """The values that a condition can have, each a link to the view with it."""
    return _choose(request, Place(caller), name)


@require_GET
@operators_only()
def all_choose(request: HttpRequest, name: str) -> HttpResponse:
    """`choose`, of everybody's."""
    return _choose(request, Place(), name)


@require_GET
@for_tenant("clients:read")
def columns(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Which columns are shown."""
    return _columns(request, Place(caller))


@require_GET
@operators_only()
def all_columns(request: HttpRequest) -> HttpResponse:
    """`columns`, of everybody's."""
    return _columns(request, Place())


def _list(request: HttpRequest, place: Place) -> HttpResponse:
    found = _table(request, place)
    piece = is_fragment(request) and request.headers.get("HX-Target") == "clients"
    context = {**_context(found), "piece": piece, "tabs": tabs_of(found, request.user)}
    return render(request, f"clients/{'piece' if piece else 'list'}.html", context)


def _live(request: HttpRequest, place: Place) -> HttpResponse:
    found = _table(request, place)
    etag = found.etag
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "clients/live.html", _context(found))
    response["ETag"] = etag
    response["X-VWG-Now"] = found.at.isoformat()
    if found.pulse.observed_at is not None:
        response["X-VWG-Observed"] = f"page={found.pulse.observed_at.isoformat()}"
    return response


def _counts(request: HttpRequest, place: Place) -> HttpResponse:
    found = _table(request, place)
    context = {**_context(found), "tally": counted(found, tabs_of(found, request.user))}
    return render(request, "clients/counts.html", context)


def _choose(request: HttpRequest, place: Place, name: str) -> HttpResponse:
    found = _table(request, place)
    if name not in choices.NAMES or (place.caller is None and name == "plan"):
        raise Http404
    context = {**_context(found), "choice": choices.of(found, name), "shell": shell(request)}
    return render(request, "clients/choose.html", context)


def _columns(request: HttpRequest, place: Place) -> HttpResponse:
    found = _table(request, place)
    context = {**_context(found), "columns": COLUMNS, "shell": shell(request)}
    return render(request, "clients/columns.html", context)


def _table(request: HttpRequest, place: Place) -> Table:
    return Table(place, Address.of(request.GET), clock())


def _context(found: Table) -> dict[str, Any]:
    place = found.place
    return {
        "table": found,
        "place": place,
        "address": found.address,
        "shown": found.shown,
        "list_url": place.url(),
        "live_url": place.url("live"),
        "counts_url": place.url("counts"),
        "columns_url": place.url("columns"),
    }
