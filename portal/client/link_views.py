"""Share links of a client: made, shown once, and revoked."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from peers.queries import find_client, view_client
from peers.services.links import create_link, find_owned, revoke_link
from peers.sharing import url_of
from portal.client import dialogs
from portal.client.act_words import Words
from portal.client.device_forms import LinkForm
from portal.client.forms import ActForm
from portal.client.queries import link_row, scene_of
from portal.doors import for_tenant, shell
from rest.errors import Conflict, Forbidden, Missing, Refusal
from tenants.permissions import may
from tenants.scoping import Caller


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
@sensitive_variables()
def make(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """A form; then the address, which is shown this once: only its digest is kept."""
    view = view_client(find_client(caller, uuid))
    form = LinkForm(request.POST if request.method == "POST" else None, view=view)
    if request.method == "GET" or not form.is_valid():
        return _form(request, form, 200 if request.method == "GET" else 400)
    told, at = form.cleaned_data, clock()
    days = int(told["days"])
    try:
        if not may(caller, "configs:read"):
            raise Forbidden(gettext("A share link shows the file, which your role may not see."))
        made = create_link(
            caller=caller,
            peer_id=UUID(told["device"]),
            at=at,
            expires_at=at + timedelta(days=days) if days else None,
            single_use=told["single_use"],
            allows_key=told.get("allows_key", False),
            name=told["name"],
        )
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _form(request, form, 409 if isinstance(refusal, Conflict) else 400)
    context = {
        "client": view.client,
        "url": url_of(made.secret),
        "link": link_row(made.link, scene_of(caller, at)),
        "shell": shell(request),
    }
    return render(request, "client/link_made.html", context)


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def revoke(request: HttpRequest, caller: Caller, uuid: UUID, link_id: UUID) -> HttpResponse:
    """End a link for good."""
    view = view_client(find_client(caller, uuid))
    link = find_owned(caller, link_id)
    if link.peer.client_id != view.client.pk:
        raise Missing("This client has no such link.")
    if request.method == "POST":
        revoke_link(caller=caller, link_id=link_id, at=clock())
        messages.success(request, gettext("The link is revoked."))
        return dialogs.gone_to(request, dialogs.page_of(request, caller.tenant, uuid))
    words = Words(
        gettext("Revoke this link?"),
        (
            gettext("Whoever has it sees nothing any more, from now on and for good."),
            gettext("The connection stays as it is, and so does every other link."),
        ),
        gettext("Revoke 1 link"),
        "",
        is_bad=True,
    )
    context = {
        "words": words,
        "is_possible": True,
        "about": link_row(link, scene_of(caller, clock())),
    }
    return dialogs.show(request, "client/act.html", view, ActForm(view=view), context)


def _form(request: HttpRequest, form: LinkForm, status: int) -> HttpResponse:
    return dialogs.show(request, "client/link_new.html", form.view, form, {}, status=status)
