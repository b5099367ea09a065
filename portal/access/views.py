"""API tokens: who has one, and new ones. The text is shown once."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from portal.access.forms import TokenForm
from portal.doors import for_tenant, shell
from resellers.queries import visible_tokens
from resellers.services.tokens import find_token, issue_token, revoke_token
from rest.errors import Missing, Refusal
from tenants.permissions import granted_scopes, may
from tenants.scoping import Caller

_SHOWN = 200


@require_GET
@for_tenant("tokens:read")
def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Live tokens, newest first; with ``show=revoked`` those that are over."""
    revoked = request.GET.get("show") == "revoked"
    rows = visible_tokens(caller).filter(revoked_at__isnull=not revoked).order_by("-pk")
    context = {
        "tokens": rows[:_SHOWN],
        "revoked": revoked,
        "now": clock(),
        "may_write": may(caller, "tokens:write"),
    }
    return render(request, "tokens/index.html", context)


@require_http_methods(["GET", "POST"])
@for_tenant("tokens:write")
@sensitive_variables()
def new(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Issue one. Its text is in the answer to this one POST, and nowhere else."""
    form = TokenForm(request.POST or None, caller=caller, granted=granted_scopes(caller))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                token, text = issue_token(caller=caller, wish=form.wish(), at=clock())
            except Refusal as refusal:
                status = form.refuse(refusal)
            else:
                response = render(request, "tokens/made.html", {"token": token, "text": text})
                response["Cache-Control"] = "no-store"
                return response
    return render(request, "tokens/form.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@for_tenant("tokens:write")
def revoke(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """End one at once and for good."""
    try:
        token = find_token(caller, uuid)
    except Missing as missing:
        raise Http404 from missing
    if request.method == "POST":
        revoke_token(caller=caller, token_id=uuid, at=clock())
        return redirect("tokens", caller.tenant.slug)
    return render(request, "tokens/revoke.html", {"token": token, "shell": shell(request)})
