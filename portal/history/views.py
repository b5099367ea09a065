"""What was done in a tenant, by whom: its part of the audit log."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.queries import events
from portal.audit.wording import KINDS, deed, thing_words
from portal.doors import for_tenant
from portal.windows import window
from tenants.scoping import Caller

_LONGEST = 120


@require_GET
@for_tenant("audit:read")
def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The events, newest first, narrowed down by who, what and kind."""
    kind, who, what = (_text(request, name) for name in ("kind", "who", "what"))
    rows = events(caller.tenant_id)
    if kind in KINDS:
        rows = rows.filter(target_type=kind)
    if who:
        rows = rows.filter(actor_name__icontains=who)
    if what:
        rows = rows.filter(
            Q(target_name__icontains=what) | Q(target_id=what) | Q(action__icontains=what)
        )
    found = window(rows, request)
    context = {
        "window": found,
        "lines": [(event, deed(event.action)) for event in found.rows],
        "kinds": [(one, thing_words(one)) for one in KINDS],
        "asked": {"kind": kind, "who": who, "what": what},
        "narrowed": bool(kind or who or what),
    }
    return render(request, "history/index.html", context)


def _text(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").strip().replace("\0", "")[:_LONGEST]
