"""Resellers: the list, one of them, new ones, and changes of their limits."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from audit.queries import events
from gateways.queries import global_settings
from portal.audit.wording import deed
from portal.doors import may_write, operators_only
from portal.tenants import queries
from portal.tenants.forms import ROLES, TenantForm, initial, person
from portal.versions import stale_note, version_of
from portal.windows import window
from resellers.invitations import invite_member
from resellers.services.tenants import create_tenant, update_tenant
from rest.errors import Refusal, StaleVersion
from tenants.models import Tenant
from tenants.scoping import caller_of, is_erased

CHANGES = 10


@require_GET
@operators_only()
def tenant_list(request: HttpRequest) -> HttpResponse:
    """Every reseller, by name."""
    show = request.GET.get("show", "all")
    show = show if show in queries.SHOWS else "all"
    words = request.GET.get("q", "").strip().replace("\0", "")[:120]
    found = window(queries.listed(show=show, words=words), request, ordering="name")
    context: dict[str, Any] = {
        "window": found,
        "rows": queries.told(found.rows, clock()),
        "show": show,
        "q": words,
        "views": _views(queries.tallies()),
        "may_write": may_write(request),
    }
    return render(request, "tenants/tenants.html", context)


@require_GET
@operators_only()
def tenant(request: HttpRequest, slug: str) -> HttpResponse:
    """One reseller: how it stands, its limits, its people, what was done last."""
    row = queries.find(slug)
    recent = events(row.pk).order_by("-pk")[:CHANGES]
    context: dict[str, Any] = {
        "tenant": row,
        "stand": queries.standing(row, clock()),
        "members": queries.members(row),
        "roles": ROLES,
        "changes": [(event, deed(event.action)) for event in recent],
        "erased": row.status == Tenant.Status.CLOSED and is_erased(row.pk),
        "may_write": may_write(request),
    }
    return render(request, "tenants/tenant.html", context)


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def new(request: HttpRequest) -> HttpResponse:
    """A new reseller, with its first owner if one is named."""
    if request.method == "GET":
        defaults = global_settings()
        first = {"timezone": defaults.timezone, "language": defaults.language}
        return _form(request, TenantForm(initial={"pool_reset": "month", **first}), 200)
    form = TenantForm(request.POST)
    if not form.is_valid():
        return _form(request, form, 400)
    named = form.cleaned_data["owner"]
    try:
        made = create_tenant(
            actor=caller_of(request).actor,
            slug=form.cleaned_data["slug"] or None,
            owner=person(named) if named else None,
            **form.wanted(),
        )
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal))
    for member in queries.members(made):
        invite_member(member, made)
    messages.success(request, gettext("%s is made.") % made.name)
    return redirect("tenant-page", made.slug)


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A reseller's name, limits, contact and place."""
    row = queries.find(slug)
    if request.method == "GET":
        return _form(request, TenantForm(initial=initial(row), tenant=row), 200, row)
    form = TenantForm(request.POST, tenant=row)
    if not form.is_valid():
        return _form(request, form, 400, row)
    try:
        update_tenant(
            actor=caller_of(request).actor,
            tenant_id=row.uuid,
            changes=form.wanted(),
            at=clock(),
            if_match=version_of(request),
        )
    except StaleVersion:
        form.add_error(None, stale_note())
        return _form(request, form, 409, queries.find(slug))
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal), row)
    messages.success(request, gettext("%s is changed.") % form.cleaned_data["name"])
    return redirect("tenant-page", slug)


def _form(
    request: HttpRequest, form: TenantForm, status: int, row: Tenant | None = None
) -> HttpResponse:
    return render(request, "tenants/form.html", {"form": form, "tenant": row}, status=status)


def _views(tallies: dict[str, int]) -> list[tuple[str, str, int]]:
    words = {
        "all": gettext("All"),
        "active": gettext("Active"),
        "suspended": gettext("Suspended"),
        "closed": gettext("Closed"),
        "stopped": gettext("Pool used up"),
    }
    return [(name, words[name], tallies[name]) for name in queries.SHOWS]
