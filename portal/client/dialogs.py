"""What the dialogs about a client share: a form, the version it was made of, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now as clock
from django.utils.translation import gettext

from peers.queries import ClientView
from portal.client.forms import ActForm
from portal.client.history import event_row
from portal.client.queries import changes_since, scene_of
from portal.client.rows import EventRow
from portal.client.wording import Scene
from portal.doors import is_fragment, shell
from portal.fields import mark
from portal.once import new_key, once
from rest.errors import Conflict, InProgress, Refusal, StaleVersion, Unprocessable
from rest.versions import Version, version_of
from tenants.models import Tenant
from tenants.scoping import Caller


def seen_version(request: HttpRequest) -> Version | None:
    """The version that the form was made of; None where it does not say."""
    identity, _, number = request.POST.get("version", "").partition("-")
    if len(identity) != 12 or not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    return Version(identity, int(number))


def show(
    request: HttpRequest,
    template: str,
    view: ClientView,
    form: ActForm,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    overtaken: tuple[EventRow, ...] | None = None,
) -> HttpResponse:
    """The dialog. ``overtaken``: what others did to the client since the form was made."""
    mark(form)
    return render(
        request,
        template,
        {
            "client": view.client,
            "view": view,
            "form": form,
            "version": version_of(view.client),
            "read_at": clock().isoformat(),
            "key": new_key(),
            "overtaken": overtaken,
            "shell": shell(request),
            **context,
        },
        status=status,
    )


def answer(
    request: HttpRequest,
    caller: Caller,
    form: ActForm,
    template: str,
    context: Mapping[str, Any],
    act: Callable[[], str],
    *,
    done: str,
) -> HttpResponse:
    """GET: the dialog. POST: the act, and where it leads; the dialog again where it is refused, or
    where others changed the client meanwhile.
    """
    view = form.view
    if request.method == "GET":
        return show(request, template, view, form, context)
    try:
        found = carried_out(request, form, act, done=done)
    except StaleVersion:
        news = overtaking(request, caller, view.client.uuid, scene_of(caller, clock()))
        return show(request, template, view, form, context, status=409, overtaken=news)
    return found or show(request, template, view, form, context, status=status_of(form))


def carried_out(
    request: HttpRequest, form: ActForm, act: Callable[[], str], *, done: str
) -> HttpResponse | None:
    """Carry the act out, once, and go where it leads; None where it was refused: the form says
    why. Raises `StaleVersion`.
    """
    if not form.is_valid():
        return None
    try:
        place = once(request, act)
    except StaleVersion:
        raise
    except InProgress:
        form.add_error(None, gettext("It is being done already. Look again in a moment."))
    except Unprocessable:
        text = gettext("This form was sent already, with other words. Send it again to repeat it.")
        form.add_error(None, text)
    except Refusal as refusal:
        field = refusal.field if refusal.field in form.fields else None
        if refusal.field == "bytes" and "number" in form.fields:
            field = "number"
        form.add_error(field, refusal.message)
        form.refused_as = refusal  # type: ignore[attr-defined]
    else:
        if done:
            messages.success(request, done)
        return gone_to(request, place)
    return None


def status_of(form: ActForm) -> int:
    """Of an answer that shows the form again."""
    return 409 if isinstance(getattr(form, "refused_as", None), Conflict) else 400


def gone_to(request: HttpRequest, place: str) -> HttpResponse:
    """To a page. From a dialog over one of the tenant's lists, back to where it was opened."""
    if not is_fragment(request):
        return HttpResponseRedirect(place, status=303)
    return HttpResponse(status=204, headers={"HX-Redirect": place})


def home_of(tenant: Tenant, uuid: UUID) -> str:
    """The client's own page."""
    return reverse("client", args=[tenant.slug, uuid])


def page_of(request: HttpRequest, tenant: Tenant, uuid: UUID) -> str:
    """Where an act leads: the page it was opened over, where that is a list or the client's own,
    else the client's.
    """
    home = home_of(tenant, uuid)
    if not is_fragment(request):
        return home
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    lists = home.removesuffix(f"{uuid}/")
    if here.netloc != request.get_host() or here.path not in (home, lists):
        return home
    return f"{here.path}?{here.query}" if here.query else here.path


def overtaking(
    request: HttpRequest, caller: Caller, uuid: UUID, scene: Scene
) -> tuple[EventRow, ...]:
    """What was done to the client since the form was made, the newest first."""
    since = _moment(request.POST.get("read_at", ""))
    if since is None:
        return ()
    return tuple(event_row(event, scene) for event in changes_since(caller, uuid, since))


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
