"""Gateways: the hosts, their interfaces, new ones, and changes with what they do to whom."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gateways.models import Gateway
from gateways.services.effects import Preview
from gateways.services.gateways import create_gateway, delete_gateway, update_gateway
from portal.doors import may_write, operators_only
from portal.effects import effects, hurts
from portal.gateways import queries
from portal.gateways.forms import GatewayForm
from portal.status.queries import counts, interfaces
from portal.status.verdicts import verdict
from portal.versions import stale_note, version_of
from rest.errors import Refusal, StaleVersion
from tenants.scoping import caller_of

FIELDS = (
    "name", "location", "country", "endpoint_address", "relay_endpoint", "netns", "usage_percent",
)  # fmt: skip


@require_GET
@operators_only()
def gateway_list(request: HttpRequest) -> HttpResponse:
    """Every host, and every interface."""
    now = clock()
    rows = interfaces(counts(now), now)
    context: dict[str, Any] = {
        "hosts": queries.hosts(now),
        "interfaces": rows,
        "verdict": verdict(rows),
        "may_write": may_write(request),
    }
    return render(request, "gateways/gateways.html", context)


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def new(request: HttpRequest) -> HttpResponse:
    """A new host."""
    if request.method == "GET":
        return _form(request, GatewayForm(initial={"usage_percent": 100}), 200)
    form = GatewayForm(request.POST)
    if not form.is_valid():
        return _form(request, form, 400)
    try:
        made = create_gateway(actor=caller_of(request).actor, **form.cleaned_data)
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal))
    messages.success(request, gettext("%s is made. Start its worker on the host.") % made.slug)
    return redirect("gateway-list")


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def edit(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """A host's names and addresses; what a change does is told before it is made."""
    row = queries.find_gateway(uuid)
    if request.method == "GET":
        first = {name: getattr(row, name) for name in FIELDS}
        return _form(request, GatewayForm(initial=first, gateway=row), 200, row)
    form = GatewayForm(request.POST, gateway=row)
    if not form.is_valid():
        return _form(request, form, 400, row)
    confirmed = "confirmed" in request.POST
    try:
        edited = update_gateway(
            actor=caller_of(request).actor,
            gateway_id=uuid,
            changes=form.cleaned_data,
            if_match=version_of(request),
            dry_run=not confirmed,
        )
        if not confirmed and hurts(edited.preview):
            return _form(request, form, 200, queries.find_gateway(uuid), edited.preview)
        if not confirmed:
            update_gateway(
                actor=caller_of(request).actor,
                gateway_id=uuid,
                changes=form.cleaned_data,
                if_match=version_of(request),
            )
    except StaleVersion:
        form.add_error(None, stale_note())
        return _form(request, form, 409, queries.find_gateway(uuid))
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal), row)
    messages.success(request, gettext("%s is changed.") % row.slug)
    return redirect("gateway-list")


@require_POST
@operators_only(write=True)
def put_out(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Put an alarm out: the host that answers next serves the gateway."""
    row = queries.find_gateway(uuid)
    update_gateway(actor=caller_of(request).actor, gateway_id=uuid, changes={"alarm": ""})
    messages.success(request, gettext("The alarm of %s is put out.") % row.slug)
    return redirect("gateway-list")


@require_POST
@operators_only(write=True)
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Forget a host that has no interface."""
    row = queries.find_gateway(uuid)
    try:
        delete_gateway(actor=caller_of(request).actor, gateway_id=uuid)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, gettext("%s is deleted.") % row.slug)
    return redirect("gateway-list")


def _form(
    request: HttpRequest,
    form: GatewayForm,
    status: int,
    row: Gateway | None = None,
    preview: Preview | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "gateway": row,
        "effects": effects(preview) if preview else [],
        "preview": preview,
    }
    return render(request, "gateways/gateway_form.html", context, status=status)
