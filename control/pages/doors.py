"""Who may open a page: operators. Everybody else gets a plain answer that says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import update_wrapper
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS

from tenants import row_security
from tenants.models import Tenant, User
from tenants.scoping import Caller, caller_of

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a piece, and not the browser for a page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"
    )


def operators_only(*, write: bool = False) -> Callable[[View[P]], View[P]]:
    """Let operators in; with ``write``, and for every unsafe method, only those who may change
    things.

    Nobody signed in: to the sign-in, or 401 where a piece was asked for (a redirect would put the
    sign-in page into the piece's place). The answer is never cached by anyone.
    """

    def wrap(view: View[P]) -> View[P]:
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            refusal = _refuse(request, write=write)
            response = refusal or _answer(view, request, *args, **kwargs)
            if not response.has_header("Cache-Control"):
                add_never_cache_headers(response)
            patch_vary_headers(response, ["HX-Request", "Cookie"])
            return response

        return update_wrapper(guarded, view)

    return wrap


def shell(request: HttpRequest) -> str:
    """What a dialog's template extends: a page of its own, or a piece for ``<dialog>``."""
    return f"portal/dialog_{'piece' if is_fragment(request) else 'page'}.html"


def acting_for(request: HttpRequest, tenant: Tenant) -> Caller:
    """The operator as caller for this tenant: an operator's act on a reseller's thing."""
    return replace(caller_of(request), tenant=tenant)


def may_write(request: HttpRequest) -> bool:
    """Whether the signed-in operator may change things."""
    return bool(getattr(request.user, "operator", "") == User.Operator.FULL)


def _answer(view: View[P], request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except Http404:
        if is_fragment(request):
            return render(request, "portal/missing_piece.html", status=404)
        raise


def _forbid(request: HttpRequest, reason: str) -> HttpResponse:
    template = "portal/refusal_piece.html" if is_fragment(request) else "403.html"
    return render(request, template, {"reason": reason}, status=403)


def _refuse(request: HttpRequest, *, write: bool) -> HttpResponse | None:
    user = request.user
    if not user.is_authenticated:
        if is_fragment(request):
            return HttpResponse(_("Your sign-in ended."), status=401)
        return redirect_to_login(request.get_full_path())
    if not user.is_operator:
        reason = _("This page is for operators. Resellers use the REST API with a token.")
        return _forbid(request, reason)
    if (write or request.method not in SAFE_METHODS) and not may_write(request):
        reason = _("You may look, but not change anything: your account is a read-only operator.")
        return _forbid(request, reason)
    row_security.reach(tenant=row_security.EVERY)
    return None
