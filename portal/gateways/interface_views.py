"""One interface: how it stands, new ones, changes with what they do to whom, keys, on and off."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from gateways.models import Interface
from gateways.services.changes import Edited
from gateways.services.effects import Preview
from gateways.services.interfaces import rotate_key, update_interface
from peers.services.interfaces import create_interface, delete_interface
from portal.doors import may_write, operators_only, shell
from portal.effects import effects, hurts, is_grave
from portal.gateways import queries
from portal.gateways.forms import InterfaceForm
from portal.gateways.wording import drift_lines
from portal.status.queries import counts, interfaces
from portal.versions import stale_note, version_of
from rest.errors import Refusal, StaleVersion
from tenants.scoping import caller_of


@require_GET
@operators_only()
def show(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """How the interface stands: state, drift, pools, settings."""
    row = queries.find_interface(uuid)
    now = clock()
    told = next(one for one in interfaces(counts(now), now) if one.uuid == row.uuid)
    context: dict[str, Any] = {
        "interface": row,
        "row": told,
        "drift": drift_lines(row),
        "pools": queries.pools(now, row),
        "may_write": may_write(request),
    }
    return render(request, "gateways/interface.html", context)


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def new(request: HttpRequest) -> HttpResponse:
    """A new interface with a key pair of its own; it is brought up at once."""
    if request.method == "GET":
        first = {"gateway": request.GET.get("gateway", ""), "nat": True, "forward": True}
        return _form(request, InterfaceForm(initial={**first, "listen_port": 51820}), 200)
    form = InterfaceForm(request.POST)
    if not form.is_valid():
        return _form(request, form, 400)
    try:
        made, _ = create_interface(actor=caller_of(request).actor, at=clock(), **form.changes())
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal))
    messages.success(request, gettext("%s is made, and is brought up.") % made)
    return redirect("interface-page", made.uuid)


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def edit(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """What an interface is; what a change does is told before it is made."""
    row = queries.find_interface(uuid)
    if request.method == "GET":
        names = InterfaceForm(interface=row).fields
        first = {name: getattr(row, name) for name in names}
        return _form(request, InterfaceForm(initial=first, interface=row), 200, row)
    form = InterfaceForm(request.POST, interface=row)
    if not form.is_valid():
        return _form(request, form, 400, row)
    try:
        asked = _asked(request, form, row)
        if asked is not None:
            fresh = queries.find_interface(uuid)
            return _form(request, form, 400 if form.errors else 200, fresh, asked)
        edited = _change(request, form, row, dry_run=False)
    except StaleVersion:
        form.add_error(None, stale_note())
        return _form(request, form, 409, queries.find_interface(uuid))
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal), row)
    messages.success(request, gettext("%s is changed.") % row)
    if edited.job is not None:
        return redirect("page-job", edited.job.uuid)
    return redirect("interface-page", uuid)


def _asked(request: HttpRequest, form: InterfaceForm, row: Interface) -> Preview | None:
    """What is to be confirmed first; None when nothing is, or when it was."""
    preview = _change(request, form, row, dry_run=True).preview
    if not hurts(preview):
        return None
    if "confirmed" not in request.POST:
        return preview
    if is_grave(preview) and not typed(request, row):
        form.add_error(None, gettext("Type the name as it stands there: %s") % row.gateway.slug)
        return preview
    return None


def _change(request: HttpRequest, form: InterfaceForm, row: Interface, *, dry_run: bool) -> Edited:
    return update_interface(
        actor=caller_of(request).actor,
        interface_id=row.uuid,
        changes=form.changes(),
        at=clock(),
        if_match=version_of(request),
        dry_run=dry_run,
    )


def typed(request: HttpRequest, row: Interface) -> bool:
    """Whether the gateway's name was typed: who does it knows where he is."""
    return request.POST.get("typed", "").strip() == row.gateway.slug


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def act(request: HttpRequest, uuid: UUID, deed: str) -> HttpResponse:
    """GET: what another key, a stop or a start does to whom. POST: do it."""
    row = queries.find_interface(uuid)
    error = ""
    preview = _try(request, row, deed, dry_run=True).preview
    if request.method == "POST":
        if is_grave(preview) and not typed(request, row):
            error = gettext("Type the name as it stands there: %s") % row.gateway.slug
        else:
            try:
                edited = _try(request, row, deed, dry_run=False)
            except Refusal as refusal:
                error = refusal.message
            else:
                return _done(request, row, edited)
    context: dict[str, Any] = {
        "interface": row,
        "deed": deed,
        "effects": effects(preview),
        "preview": preview,
        "grave": is_grave(preview),
        "error": error,
        "shell": shell(request),
    }
    return render(request, "gateways/act.html", context, status=409 if error else 200)


def _done(request: HttpRequest, row: Interface, edited: Edited) -> HttpResponse:
    messages.success(request, gettext("%s is changed.") % row)
    if edited.job is not None:
        return redirect("page-job", edited.job.uuid)
    return redirect("interface-page", row.uuid)


def _try(request: HttpRequest, row: Interface, deed: str, *, dry_run: bool) -> Edited:
    actor = caller_of(request).actor
    if deed == "key":
        return rotate_key(actor=actor, interface_id=row.uuid, at=clock(), dry_run=dry_run)
    return update_interface(
        actor=actor,
        interface_id=row.uuid,
        changes={"enabled": deed == "start"},
        at=clock(),
        dry_run=dry_run,
    )


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Forget an interface that is down and has no device."""
    row = queries.find_interface(uuid)
    error = ""
    if request.method == "POST":
        try:
            delete_interface(actor=caller_of(request).actor, interface_id=uuid)
        except Refusal as refusal:
            error = refusal.message
        else:
            messages.success(request, gettext("%s is deleted.") % row)
            return redirect("gateway-list")
    context = {"interface": row, "error": error, "shell": shell(request)}
    status = 409 if error else 200
    return render(request, "gateways/interface_delete.html", context, status=status)


def _form(
    request: HttpRequest,
    form: InterfaceForm,
    status: int,
    row: Interface | None = None,
    preview: Preview | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "interface": row,
        "preview": preview,
        "effects": effects(preview) if preview else [],
        "grave": preview is not None and is_grave(preview),
    }
    return render(request, "gateways/interface_form.html", context, status=status)
