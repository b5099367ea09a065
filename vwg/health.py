"""Is vwg alive, and is it ready? For load balancers and supervisors; nothing secret in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gateways.queries import late_queues
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
    """200 when the database answers and every queue's worker was heard of lately, else 503.

    ``late_jobs`` are for who watches the schedule: a web host serves no worse for a late roll-up.
    """
    try:
        late = late_queues(at=timezone.now(), after=MAX_SILENCE)
        jobs = [one.job.name for one in late_jobs()]
    except (DatabaseError, InterfaceError):
        return _not_ready({"database": False, "late": [], "late_jobs": []})
    if late:
        return _not_ready({"database": True, "late": late, "late_jobs": jobs})
    return JsonResponse({"status": "ready", "database": True, "late": [], "late_jobs": jobs})


def _not_ready(facts: dict[str, Any]) -> JsonResponse:
    return JsonResponse({"status": "not ready", **facts}, status=503, headers={"Retry-After": "5"})
