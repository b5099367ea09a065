"""An operator's home: how everything is, what waits, and what was done last."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.timezone import now as clock
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from portal.audit.wording import deed
from portal.doors import operators_only
from portal.overview import queries
from portal.overview.alarms import Seen, alarms
from portal.overview.hosts import gateway_rows
from portal.overview.rows import Overview
from portal.overview.traffic import SPANS, traffic
from portal.overview.verdicts import verdict
from portal.status.queries import Counts, counts, counts_by_tenant, interfaces, jobs

#: Jobs of the list that the home shows.
JOBS = 4


@require_GET
@operators_only()
def home(request: HttpRequest) -> HttpResponse:
    """The page."""
    now = clock()
    span = request.GET.get("span", "24h")
    span = span if span in SPANS else "24h"
    found = counts_by_tenant(now)
    shown = _overview(_folded(found, 0), now)
    context: dict[str, Any] = {
        "shown": shown,
        "etag": _etag(shown),
        "chart": traffic(span, now),
        "span": span,
        "spans": tuple(SPANS),
        "tenants": queries.tenants(_folded(found, 1), now),
        "tenant_count": queries.count_tenants(),
        "changes": [(event, deed(event.action)) for event in queries.changes()],
    }
    return render(request, "overview/home.html", context)


@require_GET
@operators_only()
def live(request: HttpRequest) -> HttpResponse:
    """The live parts of the page, each with its id; 304 when nothing on it has changed."""
    now = clock()
    shown = _overview(counts(now), now)
    etag = _etag(shown)
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "overview/live.html", {"shown": shown})
    add_never_cache_headers(response)
    response["ETag"] = etag
    response["X-VWG-Now"] = now.isoformat()
    if shown.observed_at is not None:
        response["X-VWG-Observed"] = f"page={shown.observed_at.isoformat()}"
    return response


def _overview(found: dict[int, Counts], now: datetime) -> Overview:
    rows = interfaces(found, now)
    pools, work = queries.pools(now), queries.work(now)
    clockwork = queries.clockwork(now)
    hosts = gateway_rows(rows, queries.places(), pools, queries.speeds(now))
    waiting = alarms(Seen(rows, clockwork.silent, clockwork.late, pools, work, queries.stopped()))
    return Overview(
        verdict=verdict(rows, waiting, hosts),
        alarms=waiting,
        gateways=hosts,
        jobs=jobs(limit=JOBS, now=now),
        work=work,
        machinery=clockwork.machinery,
        online=sum(host.online for host in hosts),
        devices=sum(host.peers for host in hosts),
        bits=sum(host.bits for host in hosts),
        now=now,
    )


def _folded(found: dict[tuple[int, int], Counts], place: int) -> dict[int, Counts]:
    """Sums by one of the two columns."""
    sums: dict[int, Counts] = {}
    for key, one in found.items():
        sums[key[place]] = sums.get(key[place], Counts()) + one
    return sums


def _etag(shown: Overview) -> str:
    """Names what is shown, without the ages: those are told in headers, with a 304 too."""
    hosts = [replace(row, observed_at=None, bits=_roughly(row.bits)) for row in shown.gateways]
    told = [(alarm.glyph, alarm.words) for alarm in shown.alarms]
    parts = (get_language(), shown.verdict, told, hosts, shown.jobs, shown.work, shown.machinery)
    return f'"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def _roughly(bits: int) -> int:
    """Two figures of it: an average that moves a little is no news."""
    step = 10 ** max(len(str(bits)) - 2, 0)
    return int(bits // step * step)
