"""Jobs: what was asked for, how far it is, why it failed, and trying it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from gateways.models import Job
from peers.services.retries import retry_job
from portal.doors import may_write, operators_only
from portal.jobs import queries
from portal.jobs.wording import kind_words
from portal.polls import answer
from rest.errors import Missing, Refusal
from tenants.models import Tenant
from tenants.scoping import caller_of


@require_GET
@operators_only()
def job_list(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "jobs/jobs.html", _context(request))


@require_GET
@operators_only()
def live(request: HttpRequest) -> HttpResponse:
    """The rows of the page that is looked at."""
    return answer(request, "jobs/live.html", _context(request))


@require_POST
@operators_only(write=True)
def retry(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Make a job of what failed of a job, and go to it."""
    try:
        job = retry_job(caller=caller_of(request), job_id=uuid, at=clock())
    except Missing as missing:
        raise Http404 from missing
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("page-job", uuid)
    messages.success(request, gettext("Trying again."))
    return redirect("page-job", job.uuid)


def _context(request: HttpRequest) -> dict[str, Any]:
    show = request.GET.get("show", "all")
    kind = request.GET.get("kind", "")
    tenant = request.GET.get("tenant", "").replace("\0", "")
    show = show if show in queries.SHOWS else "all"
    kind = kind if kind in Job.Kind.values else ""
    found = queries.jobs(request, show=show, kind=kind, tenant=tenant)
    return {
        "window": found,
        "lines": queries.lines(found.rows, clock()),
        "show": show,
        "kind": kind,
        "tenant": tenant,
        "open": queries.open_jobs(),
        "kinds": [(value, kind_words(value)) for value in Job.Kind.values],
        "tenants": Tenant.objects.filter(sandbox_of=None).order_by("name").only("slug", "name"),
        "narrowed": bool(kind or tenant),
        "may_write": may_write(request),
    }
