"""What a tenant used: the running period against its pool, a chart, and statements to download."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.timezone import now as clock
from django.views.decorators.http import require_GET

from portal.charts import Chart, usage_chart
from portal.doors import for_tenant
from portal.formats import in_digits
from portal.pools import standing_of
from quotas.kept import kept_series, quarters
from quotas.spans import DAY, HOUR, Bytes, edges, month_of
from quotas.usage import of_tenant, series
from resellers.api.usage_serializers import HEADER, statement_rows
from resellers.statements import interface_lines, statement
from rest.spreadsheets import as_file
from tenants.models import Tenant
from tenants.scoping import Caller

#: What the chart shows -> how far back, and in which steps.
SPANS: Final = {
    "24h": (timedelta(hours=24), HOUR),
    "7d": (timedelta(days=7), DAY),
    "30d": (timedelta(days=30), DAY),
}
_MONTHS: Final = 12


@require_GET
@for_tenant("usage:read")
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The page."""
    tenant, at = caller.tenant, clock()
    span = request.GET.get("span", "30d")
    span = span if span in SPANS else "30d"
    since, until = _month(tenant, at, 0)
    context = {
        "pool": standing_of(tenant, at),
        "chart": chart_of(tenant, span, at),
        "span": span,
        "spans": tuple(SPANS),
        "interfaces": interface_lines(tenant, since, min(until, _quarter(at))),
        "months": [_named(tenant, at, back) for back in range(_MONTHS)],
    }
    return render(request, "usage/show.html", context)


@require_GET
@for_tenant("usage:read")
def statement_file(request: HttpRequest, caller: Caller, year: int, month: int) -> HttpResponseBase:
    """The statement of one month as CSV: each client's bytes, deleted ones too."""
    if not 2000 <= year < 2999 or not 1 <= month <= 12:
        return HttpResponse(status=404)
    since, until = month_of(year, month, ZoneInfo(caller.tenant.timezone))
    found = statement(caller.tenant, since, until)
    name = f"statement-{caller.tenant.slug}-{year:04d}-{month:02d}.csv"
    return as_file(name, HEADER, statement_rows(found))


def chart_of(tenant: Tenant, span: str, at: datetime, *, height: int = 210) -> Chart:
    """The tenant's bytes of the last hours or days."""
    length, by = SPANS[span]
    zone = tenant.timezone
    spans = edges(by, at - length, at, ZoneInfo(zone))
    whose = of_tenant(tenant.pk)
    kept = kept_series(_kept(tenant), whose, spans, at=at) if by == HOUR else None
    found = kept or series(whose, spans)
    title = {"24h": "24 h", "7d": "7 d", "30d": "30 d"}[span]
    return usage_chart(found, by=by, zone=zone, key="usage", title=title, until=at, height=height)


def quarters_of(tenant: Tenant, since: datetime, at: datetime) -> Iterator[tuple[datetime, Bytes]]:
    """The tenant's bytes by quarters of an hour, until now."""
    return quarters(_kept(tenant), of_tenant(tenant.pk), since, at, at=at)


def _kept(tenant: Tenant) -> str:
    return f"tenant-{tenant.pk}"


def _named(tenant: Tenant, at: datetime, back: int) -> dict[str, object]:
    """A month of statements: they are kept by the Gregorian calendar, and named so."""
    begins = _month(tenant, at, back)[0].astimezone(ZoneInfo(tenant.timezone))
    words = in_digits(date_format(begins, "F Y"))
    return {"year": begins.year, "number": begins.month, "words": words}


def _month(tenant: Tenant, at: datetime, back: int) -> tuple[datetime, datetime]:
    """The month ``back`` months before this one, in the tenant's time zone."""
    zone = ZoneInfo(tenant.timezone)
    local = at.astimezone(zone)
    count = local.year * 12 + local.month - 1 - back
    return month_of(count // 12, count % 12 + 1, zone)


def _quarter(at: datetime) -> datetime:
    past = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at - past + timedelta(minutes=15)
