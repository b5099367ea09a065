"""One dialog for every act on many clients: what happens to whom, then the run that does it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from peers.archives import archive_of
from peers.selection import MAX_SELECTED
from peers.services.bulk.runs import start
from peers.services.removal import undelete_time
from portal.bulk.facts import Facts, button_of, consequences, facts_of, rest_words, title_of
from portal.bulk.forms import ACTS, ActForm, ConfigsForm
from portal.bulk.selection import Selection
from portal.clients.places import Place
from portal.doors import for_tenant, shell
from rest.errors import Conflict, Invalid, Missing, Refusal
from tenants.permissions import may
from tenants.scoping import Caller


@require_http_methods(["GET", "POST"])
@for_tenant("clients:read")
def act(request: HttpRequest, caller: Caller) -> HttpResponse:
    """GET: what would happen to whom. POST: the run, whose page says what became of each;
    or the archive of files."""
    data = request.POST if request.method == "POST" else request.GET
    name = data.get("act", "")
    if name not in ACTS:
        raise Http404
    needed = "configs:read" if name == "configs" else "clients:write"
    if not may(caller, needed):
        return _forbidden(request)
    try:
        selection = Selection.of(caller, data)
        facts = facts_of(caller, selection, clock())
    except Missing as missing:
        raise Http404 from missing
    except Invalid as refusal:
        context = {**_frame(request, caller), "words": refusal.message}
        return render(request, "bulk/nothing.html", context, status=400)
    if not facts.chosen:
        words, status = _("No client is selected."), 404 if selection.ids else 400
        context = {**_frame(request, caller), "words": words}
        return render(request, "bulk/nothing.html", context, status=status)
    if request.method == "POST" and name == "configs":
        return _archive(request, caller, selection, facts)
    form = ACTS[name](request.POST if request.method == "POST" else None, caller=caller)
    if request.method == "POST":
        return _carry_out(request, caller, name, selection, facts, form)
    return _ask(request, caller, name, selection, facts, form)


def _carry_out(
    request: HttpRequest,
    caller: Caller,
    name: str,
    selection: Selection,
    facts: Facts,
    form: ActForm,
) -> HttpResponse:
    if request.POST.get("expected", "") != str(facts.chosen):
        changed = Conflict(_("The view has changed: now it is another number. Look again."))
        return _ask(request, caller, name, selection, facts, form, refusal=changed)
    if not form.is_valid():
        return _ask(request, caller, name, selection, facts, form, status=400)
    try:
        entries = selection.entries(caller, form.values())
        started = start(caller=caller, action=form.action, entries=entries, at=clock())
    except Refusal as refusal:
        return _ask(request, caller, name, selection, facts, form, refusal=refusal)
    return redirect("tenant-job", caller.tenant.slug, started.run.uuid)


def _archive(
    request: HttpRequest, caller: Caller, selection: Selection, facts: Facts
) -> HttpResponse:
    """The files of the chosen clients; nothing changes."""
    try:
        chosen = list(selection.rows(caller).order_by("-pk")[: MAX_SELECTED + 1])
        archive = archive_of(caller, chosen, (), at=clock())
    except Refusal as refusal:
        form = ConfigsForm(caller=caller)
        return _ask(request, caller, "configs", selection, facts, form, refusal=refusal)
    return HttpResponse(archive.streaming_content, headers=archive.headers)


def _ask(
    request: HttpRequest,
    caller: Caller,
    name: str,
    selection: Selection,
    facts: Facts,
    form: ActForm,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    if refusal is not None:
        status = 409 if isinstance(refusal, Conflict) else 400
    context = {
        **_frame(request, caller),
        "act": name,
        "facts": facts,
        "few": facts.names if facts.chosen <= len(facts.names) else facts.names[:3],
        "unnamed": 0 if facts.chosen <= len(facts.names) else facts.chosen - 3,
        "form": form,
        "fields": selection.fields,
        "back": selection.address.query,
        "title": title_of(name, facts.chosen),
        "button": button_of(name, facts.chosen),
        "lines": consequences(name, facts, days_kept=undelete_time().days),
        "rest": rest_words(name, facts),
        "refusal": refusal,
    }
    return render(request, "bulk/ask.html", context, status=status)


def _frame(request: HttpRequest, caller: Caller) -> dict[str, Any]:
    return {"shell": shell(request), "list_url": Place(caller).url(), "caller": caller}


def _forbidden(request: HttpRequest) -> HttpResponse:
    reason = _("Your role in this tenant does not allow that. Its owner can change it.")
    piece = shell(request).endswith("piece.html")
    template = "portal/refusal_piece.html" if piece else "403.html"
    return render(request, template, {"reason": reason}, status=403)
