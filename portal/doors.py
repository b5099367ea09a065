"""Who may open a page, and for which tenant it acts: its address says so (`/t/<slug>/…`).

Nobody signed in goes to the sign-in, and comes back. Whoever may not gets a plain answer that says
why; a tenant that is not one's own is 404, as one that does not exist. No answer is cached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import update_wrapper
from typing import Concatenate, Final, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.permissions import SAFE_METHODS

from audit.events import Actor
from portal.visits import note_visit
from portal.zones import zone
from rest.errors import Missing
from tenants import row_security
from tenants.models import Tenant, User
from tenants.permissions import may
from tenants.scoping import Caller, caller_of, client_address

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
TenantView = Callable[Concatenate[HttpRequest, Caller, P], HttpResponseBase]
Page = Callable[..., HttpResponseBase]

#: In the session: the slug of the tenant whose pages were opened last.
LAST_TENANT: Final = "tenant"
#: Parts of names of fields that no page may hold.
_NOT_KEPT: Final = ("csrfmiddlewaretoken", "password", "code", "credential", "secret")


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a piece, and not the browser for a page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"
    )


def for_tenant(scope: str) -> Callable[[TenantView[P]], Page]:
    """Let in the people of the tenant that the address names, and operators, who may ``scope``.

    The view is called with the caller, who acts for that tenant, after the request. An operator's
    visit to a tenant is an event of its own (`portal.visits`).
    """

    def wrap(view: TenantView[P]) -> Page:
        def guarded(
            request: HttpRequest, /, tenant: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            refusal = _refuse_nobody(request) or _refuse_member(request, tenant, scope)
            if refusal is not None:
                return _private(refusal)
            caller = caller_of(request)
            note_visit(request, caller)
            _stand_where(request, caller.tenant)
            return _private(_answer(request, lambda: view(request, caller, *args, **kwargs)))

        guarded.scope = scope  # type: ignore[attr-defined]
        return update_wrapper(guarded, view)

    return wrap


def operators_only(*, write: bool = False) -> Callable[[View[P]], Page]:
    """Let operators in; with ``write``, and for every unsafe method, only those who may change
    things.
    """

    def wrap(view: View[P]) -> Page:
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            refusal = _refuse_nobody(request) or _refuse_operator(request, write=write)
            return _private(refusal or _answer(request, lambda: view(request, *args, **kwargs)))

        guarded.scope = "operator"  # type: ignore[attr-defined]
        return update_wrapper(guarded, view)

    return wrap


def signed_in(view: View[P]) -> Page:
    """Let everybody in who is signed in: pages about oneself."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        refusal = _refuse_nobody(request)
        row_security.reach(user=str(request.user.pk or ""))  # one's memberships
        return _private(refusal or _answer(request, lambda: view(request, *args, **kwargs)))

    guarded.scope = "self"  # type: ignore[attr-defined]
    return update_wrapper(guarded, view)


def oneself(request: HttpRequest) -> User | None:
    """Who is signed in, his own rows within reach; None for nobody. For pages open to everybody."""
    user = request.user
    if not isinstance(user, User):
        return None
    row_security.reach(user=str(user.pk))
    return user


def me(request: HttpRequest) -> User:
    """Who is signed in, behind a door that lets nobody else in."""
    user = oneself(request)
    if user is None:
        raise TypeError("signed in, and no user of ours")
    return user


def actor_of(request: HttpRequest, user: User) -> Actor:
    """Who does something with his own account."""
    address = client_address(request)
    return Actor("user", str(user.uuid), user.get_username(), address, user.is_operator)


def shell(request: HttpRequest) -> str:
    """What a dialog's template extends: a page of its own, or a piece for ``<dialog>``."""
    return f"portal/dialog_{'piece' if is_fragment(request) else 'page'}.html"


def acting_for(request: HttpRequest, tenant: Tenant) -> Caller:
    """The operator as caller for this tenant: an operator's act on a reseller's thing."""
    return replace(caller_of(request), tenant=tenant)


def may_write(request: HttpRequest) -> bool:
    """Whether the signed-in operator may change things."""
    return bool(getattr(request.user, "operator", "") == User.Operator.FULL)


def _stand_where(request: HttpRequest, tenant: Tenant) -> None:
    """Who chose no time zone reads a tenant's pages in the tenant's. His pages about himself keep
    the menu of the tenant he came from.
    """
    if not getattr(request.user, "timezone", ""):
        timezone.activate(zone(tenant.timezone) or timezone.get_default_timezone())
    if request.session.get(LAST_TENANT) != tenant.slug:
        request.session[LAST_TENANT] = tenant.slug


def _private(response: HttpResponseBase) -> HttpResponseBase:
    if not response.has_header("Cache-Control"):
        add_never_cache_headers(response)
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    return response


def _answer(request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    try:
        return view()
    except (Http404, Missing) as missing:
        if is_fragment(request):
            return render(request, "portal/missing_piece.html", status=404)
        raise Http404 from missing


def _forbid(request: HttpRequest, reason: str) -> HttpResponse:
    template = "portal/refusal_piece.html" if is_fragment(request) else "403.html"
    return render(request, template, {"reason": reason}, status=403)


def _refuse_nobody(request: HttpRequest) -> HttpResponse | None:
    """To the sign-in; 401 where a piece was asked for, whose place that page would take, and where
    a form was sent: that page keeps what was typed.
    """
    if request.user.is_authenticated:
        return None
    if is_fragment(request):
        return HttpResponse(_("Your sign-in ended."), status=401)
    kept = _typed(request)
    if kept:
        return render(request, "portal/ended.html", {"kept": kept}, status=401)
    return redirect_to_login(request.get_full_path())


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """What the form says that nobody sent: to be sent again after a sign-in. Secrets are not."""
    return [
        (name, value)
        for name in request.POST
        if not any(word in name for word in _NOT_KEPT)
        for value in request.POST.getlist(name)
    ]


def _refuse_operator(request: HttpRequest, *, write: bool) -> HttpResponse | None:
    if not getattr(request.user, "is_operator", False):
        return _forbid(request, _("This page is for operators."))
    if (write or request.method not in SAFE_METHODS) and not may_write(request):
        reason = _("You may look, but not change anything: your account is a read-only operator.")
        return _forbid(request, reason)
    row_security.reach(tenant=row_security.EVERY)
    return None


def _refuse_member(request: HttpRequest, slug: str, scope: str) -> HttpResponse | None:
    try:
        caller = caller_of(request, slug)
    except ParseError as unknown:
        raise Http404 from unknown
    except PermissionDenied as refused:
        return _forbid(request, _why(refused))
    if may(caller, scope):
        return None
    if caller.operator:
        reason = _("You may look, but not change anything: your account is a read-only operator.")
    else:
        reason = _("Your role in this tenant does not allow that. Its owner can change it.")
    return _forbid(request, reason)


def _why(refused: PermissionDenied) -> str:
    """The refusal in the reader's words. Raises Http404 for a tenant that is not one's own."""
    code = refused.get_codes()
    words = {
        "tenant_suspended": _("This tenant is suspended. Its operator can tell you why."),
        "tenant_closed": _("This tenant is closed."),
        "tenant_erased": _("This tenant is erased."),
    }
    if code == "not_your_tenant":
        raise Http404 from refused
    if code in words:
        return words[str(code)]
    return _("You are not a member of any tenant. Ask its owner for an invitation.")
