"""A new client: a form, and the QR code at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from peers.models import Client
from peers.queries import find_interface, visible_clients
from peers.services.clients import create_client
from portal import calendar
from portal.client.dialogs import gone_to
from portal.client.terms import plan_words
from portal.create.forms import ClientForm
from portal.doors import for_tenant, shell
from portal.fields import mark
from portal.offers import interfaces_of, plans_of
from portal.once import new_key, once, was_sent
from rest.errors import Conflict, InProgress, Refusal, Unprocessable
from tenants.permissions import may
from tenants.scoping import Caller


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def new(request: HttpRequest, caller: Caller) -> HttpResponse:
    """A name is enough. Sent twice, it makes one client."""
    plans, interfaces = plans_of(caller), interfaces_of(caller)
    form = ClientForm(
        request.POST if request.method == "POST" else None,
        plans=plans,
        interfaces=interfaces,
        plan=last_plan(caller),
    )
    status = 200
    if request.method == "POST":
        answer = _made(request, caller, form) if form.is_valid() else None
        if answer is not None:
            return answer
        status = 409 if getattr(form, "is_conflict", False) else 400
    mark(form)
    context = {
        "form": form,
        "folded": [form[name] for name in form.FOLDED if name in form.fields],
        "is_open": any(name in form.errors for name in form.FOLDED),
        "is_double": getattr(form, "is_double", False),
        "plan_words": {str(plan.uuid): plan_words(plan) for plan in plans},
        "has_places": bool(interfaces),
        "key": new_key(),
        "shell": shell(request),
    }
    return render(request, "create/new.html", context, status=status)


def last_plan(caller: Caller) -> UUID | None:
    """The plan that was sold last: most likely it is the next one too."""
    rows = visible_clients(caller).filter(plan__isnull=False, plan__archived_at__isnull=True)
    newest: UUID | None = rows.order_by("-pk").values_list("plan__uuid", flat=True).first()
    if newest is not None:
        return newest
    plans = plans_of(caller)
    return plans[0].uuid if plans else None


def _made(request: HttpRequest, caller: Caller, form: ClientForm) -> HttpResponse | None:
    """Where the new client is shown; None where it was refused: the form says why."""
    at = clock()
    if _is_double(request, caller, form, at):
        return None

    def create() -> str:
        details: dict[str, Any] = form.details()
        interface = find_interface(form.cleaned_data.get("interface") or None, caller=caller)
        made = create_client(
            caller=caller, name=details.pop("name"), interface=interface, at=at,
            savepoint=False, **details,
        )  # fmt: skip
        home = reverse("client", args=[caller.tenant.slug, made.client.uuid])
        is_shown = may(caller, "configs:read") and not made.peer.awaits_key
        return f"{home}?file={made.peer.uuid}&new=1#file" if is_shown else home

    try:
        place = once(request, create)
    except InProgress:
        form.add_error(None, gettext("It is being done already. Look again in a moment."))
    except Unprocessable:
        text = gettext("This form was sent already, with other words. Send it again to repeat it.")
        form.add_error(None, text)
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        form.is_conflict = isinstance(refusal, Conflict)  # type: ignore[attr-defined]
    else:
        messages.success(request, gettext("%s is created.") % form.cleaned_data["name"])
        return gone_to(request, place)
    return None


def _is_double(request: HttpRequest, caller: Caller, form: ClientForm, at: datetime) -> bool:
    """Whether there is one of this name already, and nobody said that this is meant."""
    name = form.cleaned_data["name"].strip()
    if request.POST.get("double") == name:
        return False
    found: Client | None = visible_clients(caller).filter(name=name).order_by("-pk").first()
    if found is None or was_sent(request, caller):
        return False
    text = gettext(
        "You already have a client with this name, made on %s. Names may repeat; press the button "
        "again to keep it."
    )
    form.add_error("name", text % calendar.near(found.created_at, "", at))
    form.is_double = form.is_conflict = True  # type: ignore[attr-defined]
    return True
