"""A tenant's jobs: what was asked for, how far it has come, what became of each."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now as clock
from django.views.decorators.http import require_GET

from portal.doors import for_tenant, is_fragment, shell
from portal.outcomes import queries
from tenants.permissions import may
from tenants.scoping import Caller


@require_GET
@for_tenant("jobs:read")
def jobs(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The newest of them."""
    runs, rows = queries.newest(caller, clock())
    return render(request, "outcomes/list.html", {"runs": runs, "jobs": rows, "caller": caller})


@require_GET
@for_tenant("jobs:read")
def job(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """One of them: its progress while it goes on, what did not work, and each on its own page."""
    found = queries.find_task(caller, uuid)
    if found is None:
        raise Http404
    task, row = found
    piece = is_fragment(request)
    failed, _ = queries.results(caller, row, failed=True)
    after = request.GET.get("after", "")
    place = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else -1
    each, last = ([], -1) if piece else queries.results(caller, row, failed=False, after=place)
    context = {
        "task": task,
        "failed": failed,
        "each": each,
        "last": last,
        "may_write": may(caller, "clients:write"),
        "tenant": caller.tenant,
        "shell": shell(request),
        "piece": piece,
    }
    return render(request, "outcomes/job.html", context)
