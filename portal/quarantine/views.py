"""Devices that a gateway refused: set aside with their reasons, so that no other one suffers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from peers.models import Peer
from peers.services.retries import retry_quarantined
from portal import formats
from portal.doors import may_write, operators_only
from portal.windows import window
from rest.errors import Refusal
from tenants.scoping import caller_of

#: So many are tried again with one press.
MOST = 1000


@require_http_methods(["GET", "POST"])
@operators_only()
def quarantine(request: HttpRequest) -> HttpResponse:
    """GET: who is set aside, and why. POST: try the one that is named again, or all of them."""
    if request.method == "POST":
        return _retry(request)
    rows = _rows().select_related("client", "tenant", "interface__gateway")
    found = window(rows.defer("tenant__brand_logo"), request)
    context: dict[str, Any] = {
        "window": found,
        "total": _rows().count(),
        "may_write": may_write(request),
    }
    return render(request, "quarantine/quarantine.html", context)


def _retry(request: HttpRequest) -> HttpResponse:
    try:
        named = [UUID(text) for text in request.POST.getlist("peer")]
    except ValueError:
        named = []
    if "all" in request.POST:
        named = list(_rows().order_by("pk").values_list("uuid", flat=True)[:MOST])
    try:
        job = retry_quarantined(actor=caller_of(request).actor, peer_ids=named, at=clock())
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("quarantine")
    words = ngettext("%s device is tried again.", "%s devices are tried again.", job.total)
    messages.success(request, words % formats.number(job.total))
    return redirect("quarantine")


def _rows() -> QuerySet[Peer]:
    return Peer.objects.filter(interface__simulated=False).exclude(quarantine_reason="")
