"""Address pools: how far they are given out, until when they last, and further networks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gateways.models import AddressPool
from peers.services.pools import create_pool, delete_pool, find_pool, rename_pool
from portal.doors import may_write, operators_only, shell
from portal.gateways import queries
from portal.gateways.forms import PoolForm, PoolNameForm
from rest.errors import Missing, Refusal
from tenants.scoping import caller_of

#: Who is this near its end is named in the sentence that the page opens with.
SOON_DAYS, NEARLY = 30, 90


@require_GET
@operators_only()
def pool_list(request: HttpRequest) -> HttpResponse:
    """Every pool."""
    rows = queries.pools(clock())
    soon = [
        row
        for row in rows
        if row.percent >= NEARLY or (row.days is not None and row.days <= SOON_DAYS)
    ]
    context: dict[str, Any] = {"rows": rows, "soon": soon, "may_write": may_write(request)}
    return render(request, "gateways/pools.html", context)


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def new(request: HttpRequest) -> HttpResponse:
    """A further network for an interface."""
    if request.method == "GET":
        first = {"interface": request.GET.get("interface", "")}
        return _form(request, PoolForm(initial=first), 200)
    form = PoolForm(request.POST)
    if not form.is_valid():
        return _form(request, form, 400)
    data = form.cleaned_data
    try:
        pool, _ = create_pool(
            actor=caller_of(request).actor,
            interface_id=data["interface"].uuid,
            network=data["network"],
            name=data["name"] or None,
            at=clock(),
        )
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal))
    messages.success(request, gettext("%s is added.") % pool.network)
    return redirect("pool-list")


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def rename(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Another name for a pool."""
    pool = _find(uuid)
    form = PoolNameForm(request.POST or None, initial={"name": pool.name})
    if request.method == "POST" and form.is_valid():
        try:
            rename_pool(
                actor=caller_of(request).actor, pool_id=uuid, name=form.cleaned_data["name"]
            )
        except Refusal as refusal:
            return _form(request, form, form.refuse(refusal), pool)
        messages.success(request, gettext("%s is changed.") % pool.network)
        return redirect("pool-list")
    return _form(request, form, 400 if form.errors else 200, pool)


@require_POST
@operators_only(write=True)
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Take a network that no device uses from its interface."""
    pool = _find(uuid)
    try:
        delete_pool(actor=caller_of(request).actor, pool_id=uuid, at=clock())
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, gettext("%s is deleted.") % pool.network)
    return redirect("pool-list")


def _find(uuid: UUID) -> AddressPool:
    try:
        pool = find_pool(uuid)
    except Missing as missing:
        raise Http404 from missing
    if pool.interface.simulated:
        raise Http404
    return pool


def _form(
    request: HttpRequest,
    form: PoolForm | PoolNameForm,
    status: int,
    pool: AddressPool | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "pool": pool, "shell": shell(request)}
    return render(request, "gateways/pool_form.html", context, status=status)
