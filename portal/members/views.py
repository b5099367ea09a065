"""Members: who may act for the tenant."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal.doors import for_tenant, shell
from portal.members.forms import MemberForm, RoleForm
from resellers.invitations import invite_member
from resellers.services.members import add_member, change_role, find_member, remove_member
from rest.errors import Missing, Refusal
from tenants.models import Membership
from tenants.permissions import may
from tenants.scoping import Caller, visible

_SHOWN = 500


@require_GET
@for_tenant("members:read")
def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The members, owners first."""
    rows = visible(Membership.objects.select_related("user"), caller)
    order = {Membership.Role.OWNER: 0, Membership.Role.MANAGER: 1}
    members = sorted(
        rows.order_by("pk")[:_SHOWN], key=lambda row: order.get(Membership.Role(row.role), 2)
    )
    context = {
        "members": members,
        "own": getattr(request.user, "pk", None),
        "may_write": may(caller, "members:write") and not caller.tenant.is_sandbox,
    }
    return render(request, "members/index.html", context)


@require_http_methods(["GET", "POST"])
@for_tenant("members:write")
def new(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Make somebody a member."""
    form = MemberForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            person, role = form.person(), form.cleaned_data["role"]
            try:
                member = add_member(caller=caller, person=person, role=role, at=clock())
            except Refusal as refusal:
                status = form.refuse(refusal)
            else:
                invite_member(member, caller.tenant)
                messages.success(request, _("%(name)s is a member.") % {"name": person.shown})
                return redirect("members", caller.tenant.slug)
    context = {"form": form, "shell": shell(request)}
    return render(request, "members/form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_tenant("members:write")
def role(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """Give a member another role."""
    member = _find(caller, uuid)
    form = RoleForm(request.POST or None, initial={"role": member.role})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            wanted = form.cleaned_data["role"]
            try:
                change_role(caller=caller, user_id=uuid, role=wanted, at=clock())
            except Refusal as refusal:
                status = form.refuse(refusal)
            else:
                return redirect("members", caller.tenant.slug)
    context = {"form": form, "member": member, "shell": shell(request)}
    return render(request, "members/role.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_tenant("members:write")
def remove(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """End a membership, and the member's tokens with it."""
    member, refused = _find(caller, uuid), ""
    if request.method == "POST":
        try:
            remove_member(caller=caller, user_id=uuid, at=clock())
        except Refusal as refusal:
            refused = refusal.message
        else:
            return redirect("members", caller.tenant.slug)
    context = {"member": member, "refusal": refused, "shell": shell(request)}
    return render(request, "members/remove.html", context, status=409 if refused else 200)


def _find(caller: Caller, uuid: UUID) -> Membership:
    try:
        return find_member(caller, uuid)
    except Missing as missing:
        raise Http404 from missing
