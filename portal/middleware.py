"""What stands around every page: the reader's own ways, and what he must do before it opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from portal import formats
from portal.doors import is_fragment
from portal.zones import zone
from tenants.barriers import ADD_SECOND_FACTOR, CHANGE_PASSWORD, barrier
from tenants.models import User

Answer = Callable[[HttpRequest], HttpResponseBase]

#: Programs read the one, customers the other: neither is written for who happens to be signed in.
_NOT_FOR_THE_READER: Final = ("/api/", "/s/")

#: Where what is in the way is done with.
_PLACES: Final = {CHANGE_PASSWORD: "account_change_password", ADD_SECOND_FACTOR: "mfa_index"}
_ALWAYS: Final = ("account_logout", "page-language", "page-theme")


def as_the_reader_likes(answer: Answer) -> Answer:
    """Write the answer as the account of who is signed in says."""

    def written(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(_NOT_FOR_THE_READER):
            return answer(request)
        user = request.user
        if not isinstance(user, User):  # the lazy object tells the class of what it holds
            return answer(request)
        if user.language:
            # Until the next request, as `LocaleMiddleware`, which still names it in the answer.
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        with formats.read_by(user), timezone.override(zone(user.timezone)):
            return answer(request)

    return written


def first_things_first(answer: Answer) -> Answer:
    """Lead who must change his password, or add a second factor, to where that is done."""

    def gated(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(_NOT_FOR_THE_READER):
            return answer(request)
        user = request.user
        place = _PLACES.get(barrier(user)) if isinstance(user, User) else None
        if place is None or _is_open(request.path, place):
            return answer(request)
        if is_fragment(request):
            return HttpResponse(status=204, headers={"HX-Redirect": reverse(place)})
        return redirect(place)

    return gated


def _is_open(path: str, place: str) -> bool:
    exact = (reverse(name) for name in _ALWAYS)
    # Below the page of second factors lie those that add one; to add one, the password is asked.
    below = (reverse(place), "/sign-in/") if place == "mfa_index" else (reverse(place),)
    return path in exact or path.startswith(below)
