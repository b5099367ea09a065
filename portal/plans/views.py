"""Plans: what the tenant sells."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal.doors import for_tenant, shell
from portal.plans.forms import PlanForm, values_of
from portal.plans.queries import plans
from quotas.models import Plan
from resellers.services.plans import create_plan, delete_plan, find_plan, update_plan
from rest.errors import Missing, Refusal
from rest.versions import Version
from tenants.permissions import may
from tenants.scoping import Caller


@require_GET
@for_tenant("plans:read")
def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The plans that are sold; with ``archived`` those that are not any more."""
    archived = request.GET.get("show") == "archived"
    context = {
        "plans": plans(caller, archived=archived)[:500],
        "archived": archived,
        "may_write": may(caller, "plans:write"),
    }
    return render(request, "plans/index.html", context)


@require_http_methods(["GET", "POST"])
@for_tenant("plans:write")
def new(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Make one. ``like`` names another whose terms the form begins with."""
    form = PlanForm(request.POST or None, initial=_like(request, caller))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                plan = create_plan(caller=caller, at=clock(), **form.columns())
            except Refusal as refusal:
                status = form.refuse(refusal)
            else:
                messages.success(request, _("Plan %(name)s made.") % {"name": plan.name})
                return redirect("plans", caller.tenant.slug)
    return _form(request, form, None, status)


@require_http_methods(["GET", "POST"])
@for_tenant("plans:write")
def edit(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """Change one. Who has it keeps what was sold."""
    plan = _find(caller, uuid)
    form = PlanForm(request.POST or None, initial=values_of(plan))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                update_plan(
                    caller=caller,
                    plan_id=uuid,
                    changes=form.columns(),
                    at=clock(),
                    if_match=_read(request, uuid),
                )
            except Refusal as refusal:
                status = form.refuse(refusal)
            else:
                messages.success(request, _("Plan %(name)s saved.") % {"name": plan.name})
                return redirect("plans", caller.tenant.slug)
    return _form(request, form, plan, status)


@require_http_methods(["GET", "POST"])
@for_tenant("plans:write")
def remove(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """Take one away; one that clients have is archived. An archived one is sold again."""
    plan = _find(caller, uuid)
    refusal_text = ""
    if request.method == "POST":
        try:
            if plan.archived_at is not None:
                update_plan(caller=caller, plan_id=uuid, changes={"archived": False}, at=clock())
            else:
                delete_plan(caller=caller, plan_id=uuid, at=clock())
        except Refusal as refusal:
            refusal_text = refusal.message
        else:
            return redirect("plans", caller.tenant.slug)
    sold = plans(caller, archived=plan.archived_at is not None).get(pk=plan.pk)
    context = {"plan": sold, "refusal": refusal_text, "shell": shell(request)}
    return render(request, "plans/remove.html", context, status=409 if refusal_text else 200)


def _find(caller: Caller, uuid: UUID) -> Plan:
    try:
        return find_plan(caller, uuid)
    except Missing as missing:
        raise Http404 from missing


def _like(request: HttpRequest, caller: Caller) -> dict[str, object]:
    try:
        return {**values_of(find_plan(caller, UUID(request.GET.get("like", "")))), "name": ""}
    except (ValueError, Missing):
        return {}


def _read(request: HttpRequest, uuid: UUID) -> Version | None:
    """The version that the form was made from."""
    text = request.POST.get("version", "")
    return Version.of(uuid, int(text)) if text.isdecimal() and len(text) < 19 else None


def _form(request: HttpRequest, form: PlanForm, plan: Plan | None, status: int) -> HttpResponse:
    context = {"form": form, "plan": plan, "version": _shown_version(request, plan)}
    return render(request, "plans/form.html", context, status=status)


def _shown_version(request: HttpRequest, plan: Plan | None) -> object:
    """What was read stays what the form is bound to, however often it is sent."""
    return request.POST.get("version") or (plan.version if plan is not None else "")
