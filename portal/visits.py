"""An operator who opens a tenant's pages sees what its people see; that is written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.http import HttpRequest
from django.utils.timezone import now as clock

from audit.events import Target, record
from tenants.scoping import Caller

#: Pages opened within this time of the first are the same visit.
VISIT: Final = timedelta(hours=1)
_KEY: Final = "visits"


def is_guest(caller: Caller) -> bool:
    """Whether somebody looks at a tenant's pages as an operator, and not as one of its people."""
    return bool(caller.operator)


def note_visit(request: HttpRequest, caller: Caller) -> None:
    """Record the event ``tenant.visited`` for an operator's visit, once a visit."""
    if not is_guest(caller):
        return
    at = clock()
    visits: dict[str, float] = request.session.get(_KEY, {})
    begun = visits.get(caller.tenant.slug, 0.0)
    if at.timestamp() - begun < VISIT.total_seconds():
        return
    fresh = {slug: when for slug, when in visits.items() if at.timestamp() - when < 24 * 3600}
    request.session[_KEY] = {**fresh, caller.tenant.slug: at.timestamp()}
    tenant = caller.tenant
    target = Target("tenant", str(tenant.uuid), tenant.slug, tenant.pk)
    record(actor=caller.actor, action="tenant.visited", target=target)
