"""Is vwg alive, and is it ready? For load balancers and supervisors; nothing secret in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gateways.queries import late_queues, nothing_applies
from gateways.schedule import late_jobs

#: Beat sends each queue a canary every 10 s; a worker that is deaf does not answer it.
MAX_SILENCE: Final = timedelta(seconds=60)


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers at all; leans on nothing."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and changes can be applied, else 503: the control queue's
    worker was heard of lately, and that of a gateway at least. One gateway of many that is cut off
    stands in ``late``, and takes no web host out of service for all the others.

    ``late_jobs`` are for who watches the schedule: a web host serves no worse for a late roll-up.
    """
    try:
        late = late_queues(at=timezone.now(), after=MAX_SILENCE)
        jobs = [one.job.name for one in late_jobs()]
        unready = nothing_applies(late)
    except (DatabaseError, InterfaceError):
        return _not_ready({"database": False, "late": [], "late_jobs": []})
    facts = {"database": True, "late": late, "late_jobs": jobs}
    if unready:
        return _not_ready(facts)
    return JsonResponse({"status": "ready", **facts})


def _not_ready(facts: dict[str, Any]) -> JsonResponse:
    return JsonResponse({"status": "not ready", **facts}, status=503, headers={"Retry-After": "5"})
