"""The audit log: who did what, to what, when and from where. Filtered, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import get_current_timezone
from django.views.decorators.http import require_GET

from audit.models import AuditEvent
from audit.queries import events
from portal.audit.wording import KINDS, deed, thing_words
from portal.doors import operators_only
from portal.windows import window
from rest.spreadsheets import MEDIA, lines
from tenants.models import Tenant

#: Rows of one file; who needs more asks for a shorter time.
LONGEST_FILE: Final = 50_000
_LONGEST_TEXT: Final = 120


@dataclass(frozen=True)
class Asked:
    """What of the log is wanted."""

    who: str
    what: str
    kind: str
    tenant: str
    since: date | None
    until: date | None

    @property
    def narrows(self) -> bool:
        return any(vars(self).values())


@require_GET
@operators_only()
def audit_log(request: HttpRequest) -> HttpResponse:
    """The page."""
    asked = _asked(request)
    found = window(_events(asked), request)
    context: dict[str, Any] = {
        "window": found,
        "lines": [(event, deed(event.action)) for event in found.rows],
        "asked": asked,
        "kinds": [(kind, thing_words(kind)) for kind in KINDS],
        "tenants": Tenant.objects.filter(sandbox_of=None).order_by("name").only("slug", "name"),
        "longest": LONGEST_FILE,
    }
    return render(request, "audit/log.html", context)


@require_GET
@operators_only()
def audit_file(request: HttpRequest) -> HttpResponse:
    """The same events as CSV, newest first."""
    rows = list(_events(_asked(request)).order_by("-pk")[:LONGEST_FILE])
    header = (
        "at", "action", "target_type", "target_id", "target", "tenant", "actor_kind", "actor",
        "by_operator", "address", "before", "after", "result",
    )  # fmt: skip
    text = "".join(lines(header, _cells(rows)))
    name = 'attachment; filename="audit.csv"'
    return HttpResponse(
        text,
        content_type=f"{MEDIA}; charset=utf-8",
        headers={"Content-Disposition": name, "X-Content-Type-Options": "nosniff"},
    )


def _cells(rows: list[AuditEvent]) -> Iterator[tuple[Any, ...]]:
    for event in rows:
        yield (
            event.created_at.isoformat(), event.action, event.target_type, event.target_id,
            event.target_name, event.tenant.slug if event.tenant else "", event.actor_kind,
            event.actor_name, event.by_operator, event.address, str(event.before or ""),
            str(event.after or ""), event.result,
        )  # fmt: skip


def _events(asked: Asked) -> QuerySet[AuditEvent]:
    rows = events(None)
    fields = [field.name for field in AuditEvent._meta.concrete_fields]
    rows = rows.only(*fields, "tenant__uuid", "tenant__slug", "tenant__name")
    if asked.tenant:
        rows = rows.filter(tenant__slug=asked.tenant)
    if asked.kind:
        rows = rows.filter(target_type=asked.kind)
    if asked.who:
        rows = rows.filter(actor_name__icontains=asked.who)
    if asked.what:
        rows = rows.filter(
            Q(target_name__icontains=asked.what)
            | Q(target_id=asked.what)
            | Q(action__icontains=asked.what)
        )
    if asked.since:
        rows = rows.filter(created_at__gte=_midnight(asked.since))
    if asked.until:
        rows = rows.filter(created_at__lt=_midnight(asked.until + timedelta(days=1)))
    return rows


def _asked(request: HttpRequest) -> Asked:
    def text(name: str) -> str:
        return request.GET.get(name, "").strip().replace("\0", "")[:_LONGEST_TEXT]

    kind = text("kind")
    return Asked(
        who=text("who"),
        what=text("what"),
        kind=kind if kind in KINDS else "",
        tenant=text("tenant"),
        since=_day(text("since")),
        until=_day(text("until")),
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 < found.year < 9000 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), get_current_timezone())
