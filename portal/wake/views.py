"""Wake-on-LAN: machines beside the gateways, and the button that wakes one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gateways.models import WakeHost
from gateways.queries import find_wake_host
from gateways.services.wake import (
    create_wake_host,
    delete_wake_host,
    update_wake_host,
    wake_host,
)
from portal.doors import may_write, operators_only, shell
from portal.status.rows import JobRow
from portal.status.wording import job_row
from portal.wake.forms import WakeHostForm
from portal.windows import window
from rest.errors import Missing, Refusal
from tenants.scoping import caller_of


@require_GET
@operators_only()
def hosts(request: HttpRequest) -> HttpResponse:
    """Every machine, and what came of its last waking."""
    found = window(WakeHost.objects.select_related("gateway", "job"), request)
    now = clock()
    lines: list[tuple[WakeHost, JobRow | None]] = [
        (host, job_row(host.job, "", "", now) if host.job else None) for host in found.rows
    ]
    context: dict[str, Any] = {
        "window": found,
        "lines": lines,
        "may_write": may_write(request),
    }
    return render(request, "wake/hosts.html", context)


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def new(request: HttpRequest) -> HttpResponse:
    """Another machine."""
    form = WakeHostForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _form(request, form, 400 if form.is_bound else 200)
    data = {**form.cleaned_data, "gateway": form.cleaned_data["gateway"].slug}
    try:
        host = create_wake_host(actor=caller_of(request).actor, **data)
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal))
    messages.success(request, gettext("%s is added.") % host.name)
    return redirect("wake")


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def edit(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Other facts of a machine."""
    host = _find(uuid)
    form = WakeHostForm(request.POST or None, host=host)
    if request.method != "POST" or not form.is_valid():
        return _form(request, form, 400 if form.is_bound else 200, host)
    try:
        host = update_wake_host(
            actor=caller_of(request).actor, host_id=uuid, changes=form.cleaned_data
        )
    except Refusal as refusal:
        return _form(request, form, form.refuse(refusal), host)
    messages.success(request, gettext("%s is changed.") % host.name)
    return redirect("wake")


@require_POST
@operators_only(write=True)
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Forget a machine: nothing happens to it."""
    host = _find(uuid)
    delete_wake_host(actor=caller_of(request).actor, host_id=uuid)
    messages.success(request, gettext("%s is deleted.") % host.name)
    return redirect("wake")


@require_POST
@operators_only(write=True)
def wake(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Have its gateway send the packet."""
    host = _find(uuid)
    wake_host(actor=caller_of(request).actor, host_id=uuid)
    messages.success(
        request, gettext("%s is being woken: its gateway sends the packet.") % host.name
    )
    return redirect("wake")


def _find(uuid: UUID) -> WakeHost:
    try:
        return find_wake_host(uuid)
    except Missing as missing:
        raise Http404 from missing


def _form(
    request: HttpRequest, form: WakeHostForm, status: int, host: WakeHost | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "host": host, "shell": shell(request)}
    return render(request, "wake/host_form.html", context, status=status)
