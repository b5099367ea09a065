"""The pages behind a share link.

A visit shows how the connection is and no secret, so a preview bot takes nothing and burns
nothing; the file comes by the button. There is no CSRF token: the secret in the address is the
capability itself, and who has it needs no forged form.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import parse_etags
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from peers.api.representation import is_online, moment
from peers.delivery import Delivery, deliver, qr_svg
from peers.models import ShareLink
from peers.queries import ClientView, Device, view_client
from peers.services.keys import set_customer_key
from peers.services.links import reveal
from peers.services.reveals import note_delivered
from portal import calendar
from portal.share.branding import style_sheet
from portal.share.customer import Setting, customer, days_left
from portal.share.doors import by_link, secret_of
from portal.share.looks import brand_of
from rest.errors import Conflict, Missing, Refusal
from tenants.scoping import client_address

_PLAIN: Final = "text/plain; charset=utf-8"


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@by_link()
@sensitive_variables()
def show(request: HttpRequest, link: ShareLink, at: datetime) -> HttpResponse:
    """GET: how the connection is, and a button. POST: the file; a link for one use ends here."""
    if request.method != "POST":
        return _page(request, link, at)
    way = "file" if request.POST.get("as") == "file" and not link.single_use else "page"
    try:
        found = reveal(link=link, way=way, address=client_address(request), at=at)
    except Conflict as refusal:
        return _page(request, link, at, trouble=refusal, status=409)
    return as_file(found) if way == "file" else _page(request, link, at, delivery=found)


@require_safe
@by_link(plain=True)
@sensitive_variables()
def config(request: HttpRequest, link: ShareLink, at: datetime) -> HttpResponse:
    """The file for programs that fetch it now and then; 304 while it is the one they have."""
    if link.single_use:
        raise Missing("A link for one use is no subscription.")
    try:
        found = deliver(link.peer)
        tag = f'"{hashlib.sha256(found.text.encode()).hexdigest()[:32]}"'
        if tag in parse_etags(request.headers.get("If-None-Match", "")):
            if found.outdated:  # a change that this device's file does not show
                note_delivered([found], at=at)
            return HttpResponse(status=304, headers={"ETag": tag})
        if request.method == "GET":
            reveal(link=link, way="subscription", address=client_address(request), at=at)
    except Conflict as refusal:
        return HttpResponse(f"{refusal.message}\n", status=409, content_type=_PLAIN)
    response = as_file(found)
    response["ETag"] = tag
    return response


@require_safe
@by_link(plain=True)
def status(request: HttpRequest, link: ShareLink, at: datetime) -> HttpResponse:
    """How the connection is, for programs."""
    view, device = _told(link)
    client, peer = view.client, device.peer
    return JsonResponse(
        {
            "name": client.name,
            "state": view.state,
            "online": is_online(peer, at=at),
            "upload_bytes": sum(one.upload_bytes for one in view.devices),
            "download_bytes": sum(one.download_bytes for one in view.devices),
            "quota_bytes": client.quota_bytes,
            "left_bytes": view.balance.left,
            "expires_at": moment(client.expires_at),
            "days_left": days_left(view, at),
            "last_handshake_at": moment(peer.last_handshake_at),
            "observed_at": moment(device.observed_at),
            "file": {"outdated": device.file_outdated, "delivered_at": moment(peer.delivered_at)},
        }
    )


@csrf_exempt
@require_POST
@by_link(again=True)
@sensitive_variables()
def key(request: HttpRequest, link: ShareLink, at: datetime) -> HttpResponse:
    """The public half of a key that the customer made: by the page's script (JSON), or pasted."""
    for_script = "application/json" in request.headers.get("Accept", "")
    text = request.POST.get("public_key", "").strip()
    try:
        made = set_customer_key(link=link, public_key=text, address=client_address(request), at=at)
    except Missing:
        raise
    except Refusal as refusal:
        status_code = 409 if isinstance(refusal, Conflict) else 400
        if for_script:
            told = {"code": refusal.code, "detail": refusal.message}
            return JsonResponse(told, status=status_code)
        return _page(request, link, at, trouble=refusal, status=status_code)
    if for_script:
        found = made.delivery
        return JsonResponse({"config": found.text, "file_name": found.file_name})
    link.peer.awaits_key = False
    return _page(request, link, at, delivery=made.delivery)


@require_safe
def colors(request: HttpRequest, light: str, dark: str) -> HttpResponse:
    """A style sheet with a tenant's colours, made of the address alone."""
    return HttpResponse(
        style_sheet(light, dark),
        content_type="text/css; charset=utf-8",
        headers={"Cache-Control": "public, max-age=604800, immutable"},
    )


@sensitive_variables()
def _page(
    request: HttpRequest,
    link: ShareLink,
    at: datetime,
    *,
    delivery: Delivery | None = None,
    trouble: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    view, device = _told(link)
    peer, zone = link.peer, link.tenant.timezone
    setting = Setting(link.tenant, at, zone, place=peer.interface.gateway.location)
    context: dict[str, Any] = {
        "link": link,
        "client": view.client,
        "customer": customer(setting, view, [device]),
        "brand": brand_of(link.tenant),
        "delivery": delivery,
        "trouble": trouble,
        "takes_key": peer.awaits_key and link.allows_key,
        "awaits_key": peer.awaits_key,
        "secret": secret_of(request),
        "until": link.expires_at and calendar.day(link.expires_at, link.tenant.timezone),
    }
    if delivery is not None:
        context["file"] = base64.b64encode(delivery.text.encode()).decode()
        if delivery.private_key_known:
            context["qr"] = base64.b64encode(qr_svg(delivery.text)).decode()
    return render(request, "share/page.html", context, status=status)


def _told(link: ShareLink) -> tuple[ClientView, Device]:
    """The client with all its devices, and the link's one among them. Raises `Missing`."""
    view = view_client(link.peer.client)
    for device in view.devices:
        if device.peer.pk == link.peer.pk:
            return view, device
    raise Missing("The device has been removed.")


def as_file(delivery: Delivery) -> HttpResponse:
    """A device's file as an answer that browsers keep."""
    disposition = f'attachment; filename="{delivery.file_name}"'
    headers = {"Content-Disposition": disposition}
    return HttpResponse(delivery.text, content_type=_PLAIN, headers=headers)
