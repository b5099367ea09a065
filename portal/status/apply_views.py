"""Apply: what would happen, the act, and what came of it."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now as clock
from django.views.decorators.http import require_GET, require_http_methods

from gateways.models import Interface
from peers.services.founding import apply_open
from portal.doors import may_write, operators_only, shell
from portal.status import queries
from portal.status.previews import plan_of
from rest.errors import Refusal
from tenants.scoping import caller_of


@require_http_methods(["GET", "POST"])
@operators_only()
def apply(request: HttpRequest) -> HttpResponse:
    """GET: the plan and its tier. POST: the job that `POST /api/apply-wg-config` would make."""
    interface = _interface(request)
    if request.method == "POST":
        try:
            job = apply_open(caller=caller_of(request), interface=interface, at=clock())
        except Refusal as refusal:
            return _plan(request, interface, str(refusal), status=409)
        return redirect("page-job", job.uuid)
    return _plan(request, interface, "", status=200)


@require_GET
@operators_only()
def job(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """A job: its progress while it runs, then its result with tier and duration."""
    found = queries.job(uuid, clock())
    if found is None:
        raise Http404
    row, troubled = found
    return render(
        request, "status/job.html", {"job": row, "troubled": troubled, "shell": shell(request)}
    )


def _plan(request: HttpRequest, interface: Interface, refusal: str, *, status: int) -> HttpResponse:
    plan = plan_of(interface, clock())
    context = {
        "plan": plan,
        "refusal": refusal,
        "may_write": may_write(request),
        "shell": shell(request),
    }
    return render(request, "status/apply.html", context, status=status)


def _interface(request: HttpRequest) -> Interface:
    """The interface that is named, else the default one."""
    rows = Interface.objects.filter(simulated=False).select_related("gateway")
    named = request.GET.get("interface") or request.POST.get("interface")
    if not named:
        return get_object_or_404(rows, is_default=True)
    try:
        return get_object_or_404(rows, uuid=UUID(named))
    except ValueError as error:
        raise Http404 from error
