"""Editing a client; the second of two people who do is told what the first one changed."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from peers.queries import ClientView, find_client, view_client
from peers.services.clients import update_client
from portal.client import dialogs
from portal.client.forms import EditForm
from portal.client.queries import scene_of
from portal.doors import for_tenant
from rest.errors import StaleVersion
from tenants.scoping import Caller


class Difference(NamedTuple):
    """A field that both changed: what stands there now, and what this form says."""

    label: str
    theirs: str
    mine: str


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def edit(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """Name, note, tags and limits."""
    at = clock()
    view = view_client(find_client(caller, uuid))
    if request.method == "GET":
        return _show(request, view, EditForm(view=view))
    form = EditForm(request.POST, view=view)

    def carry_out() -> str:
        seen = dialogs.seen_version(request)
        update_client(caller=caller, client_id=uuid, changes=form.changes(), at=at, if_match=seen)
        return dialogs.page_of(request, caller.tenant, uuid)

    done = gettext("Saved.")
    try:
        answer = dialogs.carried_out(request, form, carry_out, done=done)
    except StaleVersion:
        news = dialogs.overtaking(request, caller, uuid, scene_of(caller, at))
        again, differences = _merged(form, view)
        context = {"differences": differences}
        return _show(request, view, again, context, status=409, overtaken=news)
    return answer or _show(request, view, form, status=dialogs.status_of(form))


def _merged(form: EditForm, view: ClientView) -> tuple[EditForm, list[Difference]]:
    """The form with what stands there now where it changed nothing, and what it says itself."""
    fresh, data = EditForm(view=view), dict(form.data.items())
    differences = []
    for name, field in fresh.fields.items():
        bound, mine = fresh[name], form[name]
        now = bound.value()
        shown = field.widget.format_value(now) if hasattr(field.widget, "format_value") else now
        text = "" if now is None else str(_first(shown))
        data[bound.html_initial_name] = text
        if name not in form.changed_data:
            data[bound.html_name] = text
        elif text != str(mine.data or ""):
            differences.append(Difference(str(field.label), _label(field, text),
                                          _label(field, str(mine.data or ""))))  # fmt: skip
    return EditForm(data, view=view), differences


def _first(shown: Any) -> Any:
    """The value of a choice stands in a list."""
    return (
        (shown[0] if shown else "") if isinstance(shown, list) else ("" if shown is None else shown)
    )


def _label(field: Any, text: str) -> str:
    words = dict(getattr(field, "choices", ()))
    return str(words.get(text, text)) or "…"


def _show(
    request: HttpRequest,
    view: ClientView,
    form: EditForm,
    context: dict[str, Any] | None = None,
    **how: Any,
) -> HttpResponse:
    return dialogs.show(request, "client/edit.html", view, form, context or {}, **how)
