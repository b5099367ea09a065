"""Many new clients: a list, what would become of each line, and then the bulk run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now as clock
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from peers.models import BulkRun
from peers.services.bulk.entries import Entry
from peers.services.bulk.runs import AT_ONCE, start
from peers.services.limits import places_left
from portal import formats
from portal.client.terms import plan_words
from portal.create.forms import ManyForm
from portal.create.lists import MOST, Row, TooMany, rows_of
from portal.create.views import last_plan
from portal.doors import for_tenant
from portal.fields import mark
from portal.offers import interfaces_of, plans_of
from portal.once import new_key, once
from quotas.models import Plan
from rest.errors import InProgress, Refusal, Unprocessable
from tenants.scoping import Caller

#: Lines of the preview that are shown; all of those that are wrong.
_SHOWN: Final = 50


@dataclass(frozen=True)
class Checked:
    """A line of the preview."""

    line: int
    name: str
    more: str
    trouble: str


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def many(request: HttpRequest, caller: Caller) -> HttpResponse:
    """GET: the form. POST: the preview; with ``create``, the run of the lines that can be made."""
    plans = plans_of(caller)
    form = ManyForm(
        request.POST if request.method == "POST" else None,
        plans=plans,
        interfaces=interfaces_of(caller),
        plan=last_plan(caller),
    )
    if request.method == "GET" or not form.is_valid():
        return _show(request, form, plans, 200 if request.method == "GET" else 400)
    try:
        rows = rows_of(form.cleaned_data["lines"], {plan.name: plan.uuid for plan in plans})
    except TooMany:
        text = gettext("At most %s clients at once. Part the list.") % formats.number(MOST)
        form.add_error("lines", text)
        return _show(request, form, plans, 400)
    if not rows:
        form.add_error("lines", gettext("There is no name in it."))
        return _show(request, form, plans, 400)
    if "create" in request.POST and request.POST.get("seen") == _digest(form):
        answer = _started(request, caller, form, rows)
        return answer or _show(request, form, plans, 409)
    checked = _checked(caller, form, rows)
    return _show(request, form, plans, 200, checked)


def _digest(form: ManyForm) -> str:
    """Names what was previewed: what was changed since is previewed first."""
    said = sorted((name, str(value)) for name, value in form.cleaned_data.items())
    return blake2b(repr(said).encode(), digest_size=12).hexdigest()


def _values(form: ManyForm, row: Row) -> dict[str, Any]:
    """What a line says, and what holds for all where it says nothing."""
    common = form.details()
    common.pop("lines", None)
    place = form.cleaned_data.get("interface")
    if place:
        common["interface"] = place
    found = {**common, **row.values}
    if "tags" in row.values:
        found["tags"] = list(dict.fromkeys([*common.get("tags", []), *row.values["tags"]]))
    return found


def _entries(form: ManyForm, rows: Sequence[Row]) -> list[Entry]:
    return [
        Entry(index, ref=row.values.get("external_id", "")[:120], values=_values(form, row))
        for index, row in enumerate(rows)
    ]


def _started(
    request: HttpRequest, caller: Caller, form: ManyForm, rows: Sequence[Row]
) -> HttpResponse | None:
    sound = [row for row in rows if not row.trouble]

    def run() -> str:
        started = start(
            caller=caller, action=BulkRun.Action.CREATE, entries=_entries(form, sound), at=clock()
        )
        return _place(caller, started.run)

    try:
        return HttpResponseRedirect(once(request, run), status=303)
    except InProgress:
        form.add_error(None, gettext("It is being done already. Look again in a moment."))
    except Unprocessable:
        text = gettext("This form was sent already, with other words. Send it again to repeat it.")
        form.add_error(None, text)
    except Refusal as refusal:
        form.add_error(None, refusal.message)
    return None


def _place(caller: Caller, run: BulkRun) -> str:
    """Where the run is followed."""
    return reverse("tenant-job", args=[caller.tenant.slug, run.uuid])


def _checked(caller: Caller, form: ManyForm, rows: Sequence[Row]) -> list[Checked]:
    """What would become of each line: made in earnest, in parts, and undone."""
    troubles = {index: row.trouble for index, row in enumerate(rows) if row.trouble}
    troubles |= _doubles(rows)
    entries = [one for one in _entries(form, rows) if one.index not in troubles]
    for begin in range(0, len(entries), AT_ONCE):
        part = entries[begin : begin + AT_ONCE]
        tried = start(caller=caller, action=BulkRun.Action.CREATE, entries=part, at=clock(),
                      dry_run=True)  # fmt: skip
        for outcome in tried.outcomes or ():
            if outcome.failure is not None:
                troubles[outcome.entry.index] = outcome.failure.message
    _limit(caller, [one.index for one in entries], troubles)
    return [
        Checked(row.line, row.name, _more(row), troubles.get(index, ""))
        for index, row in enumerate(rows)
    ]


def _limit(caller: Caller, indexes: Sequence[int], troubles: dict[int, str]) -> None:
    """The lines for which the tenant has no place left."""
    with transaction.atomic():
        left, refusal = places_left(caller.tenant)
    if left is not None:
        free = [index for index in indexes if index not in troubles]
        troubles |= dict.fromkeys(free[left:], refusal.message)


def _doubles(rows: Sequence[Row]) -> dict[int, str]:
    """The lines whose reference stands in an earlier one."""
    seen: Counter[str] = Counter()
    found = {}
    for index, row in enumerate(rows):
        reference = row.values.get("external_id")
        if reference and seen[reference]:
            found[index] = gettext("This reference stands in an earlier line.")
        seen[reference or ""] += 1
    return found


def _more(row: Row) -> str:
    parts = [
        str(row.values[name]) for name in ("external_id", "email", "note") if name in row.values
    ]
    return ", ".join(parts)


def _show(
    request: HttpRequest,
    form: ManyForm,
    plans: Sequence[Plan],
    status: int,
    checked: Sequence[Checked] | None = None,
) -> HttpResponse:
    mark(form)
    wrong = [one for one in checked or () if one.trouble]
    good = len(checked or ()) - len(wrong)
    context = {
        "form": form,
        "folded": [form[name] for name in form.FOLDED if name in form.fields],
        "is_open": any(name in form.errors for name in form.FOLDED),
        "plan_words": {str(plan.uuid): plan_words(plan) for plan in plans},
        "key": new_key(),
        "seen": _digest(form) if checked is not None else "",
        "checked": None if checked is None else [*wrong, *[
            one for one in checked if not one.trouble][:_SHOWN]],
        "good": good,
        "wrong": len(wrong),
        "unlisted": max(0, good - _SHOWN),
        "button": ngettext("Create %s client", "Create %s clients", good) % formats.number(good),
    }  # fmt: skip
    return render(request, "create/many.html", context, status=status)
