"""The system: versions, the host's load, the database, workers, the last log lines, help."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now as clock
from django.views.decorators.http import require_GET

from audit.events import Target, record
from portal.doors import operators_only
from portal.overview.queries import clockwork
from portal.status.queries import workers
from portal.system import host
from portal.system.bundle import bundle
from tenants.scoping import caller_of


@require_GET
@operators_only()
def system(request: HttpRequest) -> HttpResponse:
    """The page, with the end of one log."""
    now = clock()
    files = host.log_files()
    name = request.GET.get("log", "")
    level = request.GET.get("level", "")
    name = name if name in files else (files[0] if files else "")
    level = level if level in host.LEVELS else ""
    works = clockwork(now)
    context: dict[str, Any] = {
        "host": host.host(),
        "versions": host.versions(),
        "database_bytes": host.database_bytes(),
        "workers": workers(now),
        "silent": works.silent,
        "late": len(works.late),
        "files": files,
        "file": name,
        "level": level,
        "levels": host.LEVELS,
        "lines": host.tail(name, level=level),
    }
    return render(request, "system/system.html", context)


@require_GET
@operators_only(write=True)
def support(request: HttpRequest) -> HttpResponse:
    """The bundle for whoever helps; that somebody took it is written down."""
    at = clock()
    content = bundle(at=at)
    record(
        actor=caller_of(request).actor,
        action="system.bundled",
        target=Target(type="system", id="", name="vwg"),
        after={"bytes": len(content)},
    )
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="vwg-support-{at:%Y%m%d-%H%M}.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
