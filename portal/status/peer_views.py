"""Devices: add one, show its file and QR code, remove one."""

from __future__ import annotations

import base64
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from peers.delivery import Delivery, deliver, qr_svg
from peers.models import Peer
from peers.queries import live_peers
from peers.services.clients import create_client
from peers.services.founding import remove_peer
from peers.services.reveals import note_reveals
from portal.doors import acting_for, may_write, operators_only, shell
from portal.status.forms import DeviceForm
from portal.status.queries import peer_of
from rest.errors import Conflict, Refusal
from tenants.models import DEFAULT_TENANT, Tenant


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def new(request: HttpRequest) -> HttpResponse:
    """A form; a device made by it is shown at once with its QR code."""
    if request.method == "GET":
        return _form(request, DeviceForm(), 200)
    form = DeviceForm(request.POST)
    if not form.is_valid():
        return _form(request, form, 400)
    data = form.cleaned_data
    tenant = data["tenant"] or Tenant.objects.get(slug=DEFAULT_TENANT)
    try:
        created = create_client(
            caller=acting_for(request, tenant),
            name=data["name"],
            interface=data["interface"],
            at=clock(),
            **form.details(),
        )
    except Refusal as refusal:
        field = refusal.field if refusal.field in form.fields else None
        form.add_error(field, refusal.message)
        return _form(request, form, 409 if isinstance(refusal, Conflict) else 400)
    return redirect("page-peer", created.peer.uuid)


@require_GET
@operators_only()
@sensitive_variables()
def show(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The device: what it is, its QR code where the portal knows the private key, its file."""
    peer, row = _peer(uuid)
    delivery, trouble = _delivery(peer)
    picture = ""
    if delivery is not None:
        _note(request, delivery, "page")
    if delivery is not None and delivery.private_key_known:
        picture = base64.b64encode(qr_svg(delivery.text)).decode()
    context = {
        "peer": peer,
        "row": row,
        "delivery": delivery,
        "trouble": trouble,
        "qr": picture,
        "may_write": may_write(request),
        "shell": shell(request),
    }
    return render(request, "status/peer.html", context)


@require_GET
@operators_only()
@sensitive_variables()
def file(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The device's configuration file, as a download."""
    peer, _ = _peer(uuid)
    delivery, trouble = _delivery(peer)
    if delivery is None:
        return HttpResponse(trouble, status=409, content_type="text/plain; charset=utf-8")
    _note(request, delivery, "conf")
    response = HttpResponse(delivery.text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{delivery.file_name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def remove(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """GET: what stops and what stays. POST: remove the device; its client goes with its last."""
    peer, row = _peer(uuid)
    if request.method == "POST":
        caller = acting_for(request, peer.tenant)
        try:
            removed = remove_peer(
                caller=caller, interface=peer.interface, public_key=peer.public_key, at=clock()
            )
        except Refusal as refusal:
            raise Http404 from refusal
        return redirect("page-job", removed.job.uuid)
    others = len(live_peers(peer.client)) - 1
    context = {"peer": peer, "row": row, "others": others, "shell": shell(request)}
    return render(request, "status/remove.html", context)


def _peer(uuid: UUID) -> tuple[Peer, object]:
    found = peer_of(uuid, clock())
    if found is None:
        raise Http404
    return found


def _form(request: HttpRequest, form: DeviceForm, status: int) -> HttpResponse:
    """The form with what was typed and, at the field it is about, why it was refused."""
    context = {
        "form": form,
        "interfaces": list(form.fields["interface"].queryset),  # type: ignore[attr-defined]
        "tenants": list(form.fields["tenant"].queryset),  # type: ignore[attr-defined]
        "more": any(form.errors.get(name) for name in form.fields if name != "name"),
        "shell": shell(request),
    }
    return render(request, "status/peer_new.html", context, status=status)


def _note(request: HttpRequest, delivery: Delivery, way: str) -> None:
    """Write down that the file was shown; a HEAD is answered without it."""
    if request.method != "HEAD":
        actor = acting_for(request, delivery.peer.tenant).actor
        note_reveals([delivery], way=way, actor=actor, at=clock())


def _delivery(peer: Peer) -> tuple[Delivery | None, str]:
    """The file, or why there is none."""
    try:
        return deliver(peer), ""
    except Refusal as refusal:
        if refusal.code == "secrets_unreadable":
            return None, gettext("The key ring does not open this device's secrets.")
        return None, refusal.message
