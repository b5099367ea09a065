"""Suspending, resuming and closing a reseller: what happens to whom, said before it is done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from portal.doors import operators_only, shell
from portal.forms import ReasonForm
from portal.tenants import queries
from resellers.services.suspension import close_tenant, resume_tenant, suspend_tenant
from rest.errors import Refusal
from tenants.models import Tenant
from tenants.scoping import caller_of

_ACTS = {"suspend": suspend_tenant, "resume": resume_tenant, "close": close_tenant}


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def turn(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    """GET: what the act does, with numbers. POST: do it."""
    if act not in _ACTS:
        raise Http404
    row = queries.find(slug)
    if request.method == "GET":
        return _ask(request, row, act, ReasonForm(), 200)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _ask(request, row, act, form, 400)
    if act == "close" and request.POST.get("typed", "").strip() != row.slug:
        form.add_error(None, gettext("Type the short name as it stands there: %s") % row.slug)
        return _ask(request, row, act, form, 400)
    try:
        _ACTS[act](
            tenant=row,
            reason=form.cleaned_data["reason"],
            actor=caller_of(request).actor,
            at=clock(),
        )
    except Refusal as refusal:
        return _ask(request, row, act, form, form.refuse(refusal))
    messages.success(request, _done(act) % row.name)
    return redirect("tenant-page", slug)


def _ask(
    request: HttpRequest, row: Tenant, act: str, form: ReasonForm, status: int
) -> HttpResponse:
    context: dict[str, Any] = {
        "tenant": row,
        "act": act,
        "form": form,
        "stand": queries.standing(row, clock()),
        "members": len(queries.members(row)),
        "comes_back": queries.resumed(row) if act == "resume" else 0,
        "shell": shell(request),
    }
    return render(request, "tenants/turn.html", context, status=status)


def _done(act: str) -> str:
    return {
        "suspend": gettext("%s is suspended. Its clients stop."),
        "resume": gettext("%s is active again. Its clients come back."),
        "close": gettext("%s is closed. Its clients stop."),
    }[act]
