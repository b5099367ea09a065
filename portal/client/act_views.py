"""Acts on a client: GET asks, and says what will happen to whom; POST does it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.timezone import now as clock
from django.views.decorators.http import require_http_methods

from peers.queries import ClientView, find_interface
from portal.client import dialogs
from portal.client.acts import ACTS, Act, may_happen, told
from portal.client.forms import ActForm
from portal.client.queries import read_client, scene_of
from portal.client.terms import plan_words
from portal.client.wording import Scene
from portal.doors import for_tenant
from portal.offers import interfaces_of, plans_of
from tenants.scoping import Caller


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def act(request: HttpRequest, caller: Caller, uuid: UUID, name: str) -> HttpResponse:
    """One of `ACTS`."""
    wanted, at = ACTS.get(name), clock()
    if wanted is None:
        raise Http404
    view = read_client(caller, uuid, at=at)
    if (view.client.deleted_at is not None) != wanted.deleted_too:
        raise Http404
    scene = scene_of(caller, at)
    form = _form(request, caller, wanted, view)
    context = _context(wanted, name, view, scene, form)

    def carry_out() -> str:
        details: dict[str, Any] = told(name, form)
        if wanted.shows_interfaces:
            details["interface"] = find_interface(details["interface"], caller=caller)
        if wanted.is_versioned:
            details["if_match"] = dialogs.seen_version(request)
        wanted.service(caller=caller, client_id=uuid, at=at, **details)
        return dialogs.page_of(request, caller.tenant, uuid)

    done = context["words"].done
    return dialogs.answer(request, caller, form, "client/act.html", context, carry_out, done=done)


def _form(request: HttpRequest, caller: Caller, wanted: Act, view: ClientView) -> ActForm:
    return wanted.form(
        request.POST if request.method == "POST" else None,
        view=view,
        plans=plans_of(caller) if wanted.shows_plans else (),
        interfaces=interfaces_of(caller) if wanted.shows_interfaces else (),
    )


def _context(
    wanted: Act, name: str, view: ClientView, scene: Scene, form: ActForm
) -> dict[str, Any]:
    return {
        "words": wanted.words(view, scene),
        "name": name,
        "is_possible": may_happen(name, view),
        "is_alone": is_alone(view) if wanted.touches else False,
        "plan_words": {str(plan.uuid): plan_words(plan) for plan in form.plans},
    }


def is_alone(view: ClientView) -> bool:
    """Whether the change goes out by naming its devices and nobody else: on every interface that
    is up. One that is down is brought up as a whole.
    """
    return bool(view.devices) and not any(device.interface_down for device in view.devices)
