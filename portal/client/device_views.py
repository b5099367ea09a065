"""The devices of a client: one more, another name, new keys, gone; and the file of one."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from peers.delivery import Delivery, deliver, qr_svg
from peers.models import Peer
from peers.queries import ClientView, find_client, find_interface, find_peer, view_client
from peers.services.clients import update_client
from peers.services.device_acts import add_client_device, remove_client_device
from peers.services.reveals import note_reveals
from peers.services.rotation import rotate_keys
from portal.client import dialogs
from portal.client.act_views import is_alone
from portal.client.act_words import Words
from portal.client.device_forms import DeviceForm, NewDeviceForm, RotateForm
from portal.client.forms import ActForm
from portal.doors import for_tenant, shell
from portal.offers import interfaces_of
from rest.errors import Conflict, Missing
from tenants.permissions import may
from tenants.scoping import Caller

_PLAIN = "text/plain; charset=utf-8"


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def add(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """One more device; its QR code follows."""
    view = view_client(find_client(caller, uuid))
    form = NewDeviceForm(_data(request), view=view, interfaces=interfaces_of(caller))
    words = Words(
        gettext("Add a device to %s?") % view.client.name,
        (gettext("It gets a key and an address of its own, and shares the plan."),),
        gettext("Add and show the QR code"),
        gettext("The device is added."),
    )

    def carry_out(at: datetime, details: dict[str, Any]) -> str:
        interface = find_interface(details.pop("interface", None), caller=caller)
        added = add_client_device(
            caller=caller, client_id=uuid, interface=interface, at=at, **details
        )
        return f"{_home(caller, uuid)}?file={added.device.peer.uuid}#file"

    return _act(request, caller, form, words, carry_out)


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def edit(request: HttpRequest, caller: Caller, uuid: UUID, peer_id: UUID) -> HttpResponse:
    """Name, addresses, networks, MTU and keepalive."""
    view, peer = _device(caller, uuid, peer_id)
    form = DeviceForm(_data(request), view=view, peer=peer)
    words = Words(
        gettext("Change %s?") % _name(peer),
        (
            gettext(
                "With another address, MTU or keepalive its file is another: hand it out again."
            ),
        ),
        gettext("Save"),
        gettext("The device is changed."),
    )

    def carry_out(at: datetime, details: dict[str, Any]) -> str:
        update_client(caller=caller, client_id=uuid, changes=details, at=at, peer=peer,
                      if_match=dialogs.seen_version(request))  # fmt: skip
        return dialogs.page_of(request, caller.tenant, uuid)

    return _act(request, caller, form, words, carry_out)


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def rotate(request: HttpRequest, caller: Caller, uuid: UUID, peer_id: UUID) -> HttpResponse:
    """New keys; the file that was handed out is worth nothing any more."""
    view, peer = _device(caller, uuid, peer_id)
    form = RotateForm(_data(request), view=view, peer=peer)
    words = Words(
        gettext("New keys for %s?") % _name(peer),
        (
            gettext("The old key is off at once: the file that was handed out stops working."),
            gettext("Address, plan and usage stay. Hand out the new file."),
        ),
        gettext("Make new keys"),
        gettext("The device has new keys. Hand out the new file."),
        is_bad=True,
    )

    def carry_out(at: datetime, details: dict[str, Any]) -> str:
        rotate_keys(caller=caller, client_id=uuid, peer_id=peer_id, at=at,
                    if_match=dialogs.seen_version(request), **details)  # fmt: skip
        return f"{_home(caller, uuid)}?file={peer_id}#file"

    return _act(request, caller, form, words, carry_out)


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def remove(request: HttpRequest, caller: Caller, uuid: UUID, peer_id: UUID) -> HttpResponse:
    """Take a device away, for good."""
    view, peer = _device(caller, uuid, peer_id)
    form = ActForm(_data(request), view=view, peer=peer)
    words = Words(
        gettext("Remove %s?") % _name(peer),
        (
            gettext("This device stops for good: its file and QR code never work again."),
            gettext("The client, its plan and its other devices stay as they are."),
        ),
        gettext("Remove 1 device"),
        gettext("The device is removed."),
        is_bad=True,
    )

    def carry_out(at: datetime, details: dict[str, Any]) -> str:
        remove_client_device(caller=caller, client_id=uuid, peer_id=peer_id, at=at,
                             if_match=dialogs.seen_version(request))  # fmt: skip
        return dialogs.page_of(request, caller.tenant, uuid)

    return _act(request, caller, form, words, carry_out)


@require_GET
@for_tenant("configs:read")
@sensitive_variables()
def file(request: HttpRequest, caller: Caller, uuid: UUID, peer_id: UUID) -> HttpResponse:
    """The QR code and the text of a device's file."""
    view, peer = _device(caller, uuid, peer_id)
    context = {"client": view.client, "shell": shell(request), **revealed(caller, peer)}
    context["may_write"] = may(caller, "clients:write")
    return render(request, "client/file.html", context)


@require_GET
@for_tenant("configs:read")
@sensitive_variables()
def download(request: HttpRequest, caller: Caller, uuid: UUID, peer_id: UUID) -> HttpResponse:
    """The file itself."""
    _, peer = _device(caller, uuid, peer_id)
    try:
        found = deliver(peer)
    except Conflict as refusal:
        return HttpResponse(f"{refusal.message}\n", status=409, content_type=_PLAIN)
    note_reveals([found], way="conf", actor=caller.actor, at=clock())
    response = HttpResponse(found.text, content_type=_PLAIN)
    response["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@sensitive_variables()
def revealed(caller: Caller, peer: Peer) -> dict[str, Any]:
    """A device's file for a page, or why there is none; noted."""
    try:
        found = deliver(peer)
    except Conflict as refusal:
        return {"peer": peer, "delivery": None, "trouble": refusal.message, "qr": ""}
    note_reveals([found], way="page", actor=caller.actor, at=clock())
    return {"peer": peer, "delivery": found, "trouble": "", "qr": _picture(found)}


@sensitive_variables()
def _picture(found: Delivery) -> str:
    return base64.b64encode(qr_svg(found.text)).decode() if found.private_key_known else ""


def _act(
    request: HttpRequest,
    caller: Caller,
    form: ActForm,
    words: Words,
    carry_out: Callable[[datetime, dict[str, Any]], str],
) -> HttpResponse:
    context = {"words": words, "is_possible": True, "is_alone": is_alone(form.view)}
    return dialogs.answer(
        request,
        caller,
        form,
        "client/act.html",
        context,
        lambda: carry_out(clock(), form.details()),
        done=words.done,
    )


def _data(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _device(caller: Caller, uuid: UUID, peer_id: UUID) -> tuple[ClientView, Peer]:
    client, peer = find_client(caller, uuid), find_peer(caller, peer_id)
    if peer.client_id != client.pk:
        raise Missing("This client has no such device.")
    return view_client(client), peer


def _name(peer: Peer) -> str:
    return f"{peer.client.name} · {peer.name}" if peer.name else peer.client.name


def _home(caller: Caller, uuid: UUID) -> str:
    return dialogs.home_of(caller.tenant, uuid)
