"""What customers who sign in see of their own: how it is, what they used, their devices' files.

They are members of nothing: every page finds the login anew (`peers.customers`), so one that was
taken back shows nothing from then on. Nothing is changed here but that a file was handed out.
"""

from __future__ import annotations

import base64
from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.timezone import get_current_timezone_name
from django.utils.timezone import now as clock
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from peers.customers import find_own, find_own_peer, has_several, own_clients
from peers.delivery import Delivery, qr_svg
from peers.queries import ClientView
from peers.services.reveals import reveal_own
from portal.client.queries import ranges_of, usage_chart
from portal.client.wording import Scene
from portal.doors import actor_of, me, signed_in
from portal.my.rows import Shop, card, device_rows
from portal.share.customer import Setting, customer
from portal.share.looks import brand_of
from portal.share.views import as_file
from portal.zones import zone
from rest.errors import Conflict
from tenants.models import Tenant


@require_GET
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """All of one's connections, by their sellers; the only one is shown itself."""
    found = list(own_clients(me(request)))
    if not found:
        return render(request, "my/nothing.html", status=404)
    if len(found) == 1:
        return redirect("mine", found[0][0].uuid)
    shops = []
    for tenant, group in groupby(found, key=lambda pair: pair[1].client.tenant):
        setting = _setting(request, tenant)
        cards = tuple(card(access.uuid, view, setting) for access, view in group)
        shops.append(Shop(brand_of(tenant), cards))
    brand = shops[0].brand if len(shops) == 1 else None
    return render(request, "my/index.html", {"shops": shops, "brand": brand})


@require_GET
@signed_in
def show(request: HttpRequest, login_id: UUID) -> HttpResponse:
    """A connection of one's own."""
    _, view = find_own(me(request), login_id)
    return _page(request, login_id, view)


@require_http_methods(["GET", "POST"])
@signed_in
@sensitive_variables()
def device(request: HttpRequest, login_id: UUID, peer_id: UUID) -> HttpResponse:
    """A device's file: on the page, or as a file."""
    user = me(request)
    access, view = find_own(user, login_id)
    peer = find_own_peer(view.client, peer_id)
    if request.method == "GET":
        return redirect("mine", login_id)
    way = "file" if request.POST.get("as") == "file" else "page"
    try:
        found = reveal_own(
            access=access, peer=peer, way=way, actor=actor_of(request, user), at=clock()
        )
    except Conflict as trouble:
        return _page(request, login_id, view, status=409, trouble=trouble)
    if way == "file":
        return as_file(found)
    qr = base64.b64encode(qr_svg(found.text)).decode() if found.private_key_known else ""
    return _page(request, login_id, view, delivery=found, qr=qr, place=request.path, of=peer.name)


@sensitive_variables()
def _page(
    request: HttpRequest,
    login_id: UUID,
    view: ClientView,
    *,
    status: int = 200,
    delivery: Delivery | None = None,
    **more: Any,
) -> HttpResponse:
    tenant = view.client.tenant
    setting = _setting(request, tenant)
    scene = Scene(setting.at, setting.zone, setting.seller)
    wanted, there = ranges_of(view, request.GET.get("range", ""))
    told = customer(setting, view, view.devices)
    context = {
        "login_id": login_id,
        "several": has_several(me(request)),
        "client": view.client,
        "customer": told,
        "devices": device_rows(view.devices, setting),
        "chart": usage_chart(view, scene, wanted),
        "range": wanted,
        "ranges": there,
        "brand": brand_of(tenant),
        "delivery": delivery,
        **more,
    }
    return render(request, "my/page.html", context, status=status)


def _setting(request: HttpRequest, tenant: Tenant) -> Setting:
    """Who chose no time zone reads in his seller's."""
    if not getattr(request.user, "timezone", ""):
        timezone.activate(zone(tenant.timezone) or timezone.get_default_timezone())
    return Setting(tenant, clock(), get_current_timezone_name())
