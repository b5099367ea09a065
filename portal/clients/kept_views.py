"""Keeping a view by a name, and forgetting it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.clients.address import Address
from portal.clients.kept import find_view, forget_view, keep_view
from portal.clients.places import Place
from portal.clients.wording import chips_of
from portal.doors import for_tenant, shell
from rest.errors import Conflict, Missing, Refusal
from tenants.models import User
from tenants.scoping import Caller


@require_http_methods(["GET", "POST"])
@for_tenant("clients:read")
def keep(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Ask for the name of the view that the address holds, and keep it."""
    address, name, refusal = Address.of(request.GET), "", None
    if request.method == "POST":
        address = Address.read(request.POST.get("view", ""))
        name = request.POST.get("name", "")
        try:
            keep_view(caller=caller, user=_person(request), name=name, address=address)
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("The view “%s” is kept.") % name.strip())
            return _to(caller, address)
    context = {
        "shell": shell(request),
        "address": address,
        "chips": chips_of(address, caller),
        "name": name,
        "refusal": refusal,
        "list_url": Place(caller).url(),
    }
    status = 200 if refusal is None else 409 if isinstance(refusal, Conflict) else 400
    return render(request, "clients/keep.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_tenant("clients:read")
def forget(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """Ask, and keep it no more."""
    try:
        view = find_view(caller, _person(request), uuid)
        if request.method == "POST":
            name = forget_view(caller=caller, user=_person(request), view_id=uuid)
            messages.success(request, _("The view “%s” is forgotten.") % name)
            return _to(caller, Address())
    except Missing as missing:
        raise Http404 from missing
    address = Address.read(view.query)
    context = {"shell": shell(request), "view": view, "address": address}
    return render(request, "clients/forget.html", {**context, "list_url": Place(caller).url()})


def _to(caller: Caller, address: Address) -> HttpResponse:
    url = reverse("clients", args=[caller.tenant.slug])
    return redirect(f"{url}?{address.view}" if address.view else url)


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("signed in, and no user of ours")
    return request.user
