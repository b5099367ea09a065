"""Peers that vwg has no record of, and interfaces that it did not bring up: an operator decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from control.decisions import ask_adoption, ask_removal
from gateways.models import Interface, Job
from portal.doors import operators_only, shell
from portal.gateways import queries
from portal.gateways.interface_views import typed
from rest.errors import Refusal
from tenants.models import DEFAULT_TENANT, Tenant
from tenants.scoping import caller_of

#: So many keys are shown one by one.
SHOWN = 20


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def decide(request: HttpRequest, uuid: UUID, deed: str) -> HttpResponse:
    """GET: what adopting them, or removing them, does to whom. POST: have it done."""
    row = queries.find_interface(uuid)
    error = ""
    if request.method == "POST":
        if deed == "remove" and not typed(request, row):
            error = gettext("Type the name as it stands there: %s") % row.gateway.slug
        else:
            try:
                job = _ask(request, row, deed)
            except Refusal as refusal:
                error = refusal.message
            else:
                messages.success(request, gettext("%s is told.") % row.gateway.slug)
                return redirect("page-job", job.uuid)
    tenants = Tenant.objects.filter(status=Tenant.Status.ACTIVE, sandbox_of=None)
    context: dict[str, Any] = {
        "interface": row,
        "deed": deed,
        "strays": len(row.guard_keys),
        "keys": row.guard_keys[:SHOWN],
        "unlisted": max(0, len(row.guard_keys) - SHOWN),
        "tenants": tenants.order_by("name").only("slug", "name"),
        "chosen": request.POST.get("tenant", DEFAULT_TENANT),
        "error": error,
        "shell": shell(request),
    }
    return render(request, "gateways/decide.html", context, status=409 if error else 200)


def _ask(request: HttpRequest, row: Interface, deed: str) -> Job:
    actor, at = caller_of(request).actor, clock()
    text = request.POST.get("strays", "")
    strays = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
    if deed == "remove":
        return ask_removal(actor=actor, interface_id=row.uuid, strays=strays, at=at)
    slug = request.POST.get("tenant", "").replace("\0", "")
    tenant = Tenant.objects.filter(slug=slug, sandbox_of=None).first()
    if tenant is None:
        raise Http404
    return ask_adoption(actor=actor, interface_id=row.uuid, tenant=tenant, strays=strays, at=at)
