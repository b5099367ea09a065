"""Where a sign-in leads, and the first page of a tenant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.views.decorators.http import require_GET

from peers.customers import is_customer
from portal import polls
from portal.audit.wording import deed
from portal.doors import for_tenant, signed_in
from portal.home.queries import changes, ending, tally, troubled
from portal.overview.views import home as operator_home
from portal.pools import standing_of
from portal.usage.views import chart_of, quarters_of
from quotas.spans import total_of
from resellers.queries import used
from tenants.models import Tenant, User
from tenants.permissions import may
from tenants.scoping import Caller, memberships_of


@require_GET
@signed_in
def front(request: HttpRequest) -> HttpResponseBase:
    """What is one's own: an operator's home, others go to their tenant."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("signed in, and no user of ours")
    if user.is_operator:
        return operator_home(request)
    tenants = [membership.tenant for membership in memberships_of(user)]
    active = [tenant for tenant in tenants if tenant.status == Tenant.Status.ACTIVE]
    if not tenants and is_customer(user):
        return redirect("my")
    if not tenants:
        return render(request, "home/nowhere.html", status=403)
    return redirect("tenant-home", (active or tenants)[0].slug)


@require_GET
@for_tenant("clients:read")
def tenant_home(request: HttpRequest, caller: Caller) -> HttpResponse:
    """How the tenant's clients are, what they used, and what waits for its people."""
    tenant, at = caller.tenant, clock()
    limits = Tenant.objects.only("max_clients", "max_devices_per_client").get(pk=tenant.pk)
    context = {
        **_live(caller, at),
        "ending": ending(caller, at),
        "limits": limits,
        "used": used(tenant),
        "may_write": may(caller, "clients:write"),
    }
    if may(caller, "usage:read"):
        quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        context["chart"] = chart_of(tenant, "24h", at, height=190)
        context["today"] = total_of(
            sums
            for begins_at, sums in quarters_of(tenant, quarter - timedelta(hours=24), at)
            if begins_at >= quarter - timedelta(hours=24)
        )
    if may(caller, "audit:read"):
        context["changes"] = [(event, deed(event.action)) for event in changes(caller)]
    return render(request, "home/tenant.html", context)


@require_GET
@for_tenant("clients:read")
def live(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The live parts of the page, each with its id; 304 when nothing on it has changed."""
    return polls.answer(request, "home/live.html", _live(caller, clock()))


def _live(caller: Caller, at: datetime) -> dict[str, Any]:
    """What changes by itself."""
    counted = tally(caller, at)
    return {
        "tally": counted,
        "troubled": troubled(caller) if counted.refused else [],
        "pool": standing_of(caller.tenant, at) if may(caller, "usage:read") else None,
    }
