"""The door of a share link: who may come in, in which language, and what never leaves by it.

Every link that does not work (unknown, ended, revoked, used up, of a deleted client, of a
suspended seller) is the same 404, and after many of them nothing of that network is looked up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import update_wrapper
from typing import Final, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.timezone import now as clock
from django.utils.translation.trans_real import parse_accept_lang_header

from peers.models import ShareLink
from peers.sharing import NO_LINK, find_link
from rest.errors import Missing
from tenants.models import Tenant
from tenants.scoping import client_address
from tenants.throttling import Standing, network_of, spend, standing

P = ParamSpec("P")
Page = Callable[[HttpRequest, ShareLink, datetime], HttpResponse]

#: Unknown addresses a minute from one network, and visits.
UNKNOWN_A_MINUTE: Final = 60
VISITS_A_MINUTE: Final = 600
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
}
_PLAIN: Final = "text/plain; charset=utf-8"


def by_link(
    *, plain: bool = False, again: bool = False
) -> Callable[[Page], Callable[[HttpRequest, str], HttpResponse]]:
    """Call the view with the link that the secret leads to, and the moment.

    ``plain``: refusals are text for programs. ``again``: as `peers.sharing.usable` has it.
    """

    def wrap(view: Page) -> Callable[[HttpRequest, str], HttpResponse]:
        def guarded(request: HttpRequest, secret: str) -> HttpResponse:
            response = _enter(view, request, secret, plain=plain, again=again)
            for name, value in _HEADERS.items():
                response[name] = value
            return response

        return update_wrapper(guarded, view)

    return wrap


def _enter(
    view: Page, request: HttpRequest, secret: str, *, plain: bool, again: bool
) -> HttpResponse:
    at, network = clock(), network_of(client_address(request))
    second, unknown = at.timestamp(), f"share-unknown:{network}"
    tries = standing(unknown, UNKNOWN_A_MINUTE, at=second)
    if not tries.remaining:
        return _pause(request, tries, plain=plain)
    link = find_link(secret, at=at, again=again)
    if link is None:
        spend([(unknown, UNKNOWN_A_MINUTE)], at=second)
        return _gone(request, plain=plain)
    visits = spend([(f"share:{network}", VISITS_A_MINUTE)], at=second)
    if visits is not None and visits.used > visits.limit:
        return _pause(request, visits, plain=plain)
    language = language_of(request, link.tenant)
    try:
        with translation.override(language):
            response = view(request, link, at)
    except Missing:  # somebody was faster
        return _gone(request, plain=plain)
    response.headers.setdefault("Content-Language", language)
    return response


def secret_of(request: HttpRequest) -> str:
    """The secret in the address of a page behind `by_link`."""
    match = request.resolver_match
    return "" if match is None else str(match.kwargs.get("secret", ""))


def language_of(request: HttpRequest, tenant: Tenant) -> str:
    """The one asked for; the tenant's, if the browser reads it or reads none of ours; else the
    browser's first of ours.
    """
    known = [code for code, _ in settings.LANGUAGES]
    asked = request.GET.get("lang", "")
    if asked in known:
        return asked
    header = request.headers.get("Accept-Language", "")
    read = [language.partition("-")[0] for language, _ in parse_accept_lang_header(header)]
    if tenant.language not in read:
        for language in read:
            if language in known:
                return language
    return tenant.language if tenant.language in known else settings.LANGUAGE_CODE


def _gone(request: HttpRequest, *, plain: bool) -> HttpResponse:
    if plain:
        return HttpResponse(f"{NO_LINK}\n", status=404, content_type=_PLAIN)
    return render(request, "share/gone.html", status=404)


def _pause(request: HttpRequest, spent: Standing, *, plain: bool) -> HttpResponse:
    if plain:
        response = HttpResponse("Too many tries.\n", status=429, content_type=_PLAIN)
    else:
        response = render(request, "share/pause.html", status=429)
    response["Retry-After"] = str(spent.reset)
    return response
