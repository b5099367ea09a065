"""Where a sign-in leads, and the first page of a tenant."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.views.decorators.http import require_GET

from portal.doors import for_tenant, signed_in
from portal.home.queries import tally
from portal.overview.views import home as operator_home
from tenants.models import Tenant, User
from tenants.scoping import Caller, memberships_of


@require_GET
@signed_in
def front(request: HttpRequest) -> HttpResponse:
    """What is one's own: an operator's home, others go to their tenant."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("signed in, and no user of ours")
    if user.is_operator:
        return operator_home(request)
    tenants = [membership.tenant for membership in memberships_of(user)]
    active = [tenant for tenant in tenants if tenant.status == Tenant.Status.ACTIVE]
    if not tenants:
        return render(request, "home/nowhere.html", status=403)
    return redirect("tenant-home", (active or tenants)[0].slug)


@require_GET
@for_tenant("clients:read")
def tenant_home(request: HttpRequest, caller: Caller) -> HttpResponse:
    """How the tenant's clients are."""
    return render(request, "home/tenant.html", {"tally": tally(caller, clock())})
