"""A reseller's people, as an operator sees to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from portal.doors import acting_for, operators_only, shell
from portal.tenants import queries
from portal.tenants.forms import MemberForm
from resellers.invitations import invite_member
from resellers.services.members import add_member, change_role, find_member, remove_member
from rest.errors import Missing, Refusal
from tenants.models import Membership, Tenant


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Somebody more who may act for the reseller."""
    row = queries.find(slug)
    if request.method == "GET":
        return _form(request, row, MemberForm(), 200)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _form(request, row, form, 400)
    try:
        member = add_member(
            caller=acting_for(request, row),
            person=form.person(),
            role=form.cleaned_data["role"],
            at=clock(),
        )
    except Refusal as refusal:
        status = form.refuse(refusal)
        if refusal.field in ("email", "username"):
            form.errors["who"] = form.errors.pop("__all__")
        return _form(request, row, form, status)
    invite_member(member, row)
    messages.success(request, gettext("%s is a member now.") % _name(member))
    return redirect("tenant-page", slug)


@require_POST
@operators_only(write=True)
def role(request: HttpRequest, slug: str, user: UUID) -> HttpResponse:
    """Another role for a member."""
    row = queries.find(slug)
    wanted = request.POST.get("role", "")
    if wanted not in Membership.Role.values:
        raise Http404
    caller = acting_for(request, row)
    try:
        member = change_role(caller=caller, user_id=user, role=wanted, at=clock())
    except Missing as missing:
        raise Http404 from missing
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, gettext("The role of %s is changed.") % _name(member))
    return redirect("tenant-page", slug)


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def remove(request: HttpRequest, slug: str, user: UUID) -> HttpResponse:
    """GET: what ends with a membership. POST: end it."""
    row = queries.find(slug)
    caller = acting_for(request, row)
    try:
        member = find_member(caller, user)
        if request.method == "POST":
            remove_member(caller=caller, user_id=user, at=clock())
            messages.success(request, gettext("%s is no member any more.") % _name(member))
            return redirect("tenant-page", slug)
    except Missing as missing:
        raise Http404 from missing
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("tenant-page", slug)
    context: dict[str, Any] = {
        "tenant": row, "member": member, "name": _name(member), "shell": shell(request)
    }  # fmt: skip
    return render(request, "tenants/member_remove.html", context)


def _form(request: HttpRequest, row: Tenant, form: MemberForm, status: int) -> HttpResponse:
    context: dict[str, Any] = {"tenant": row, "form": form, "shell": shell(request)}
    return render(request, "tenants/member.html", context, status=status)


def _name(member: Membership) -> str:
    return member.user.email or member.user.get_username()
