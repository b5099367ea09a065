"""The reader's own language, time zone, digits and units, on every page he sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation

from portal import formats
from portal.zones import zone
from tenants.models import User

Answer = Callable[[HttpRequest], HttpResponseBase]

#: Programs read the one, customers the other: neither is written for who happens to be signed in.
_NOT_FOR_THE_READER: Final = ("/api/", "/s/")


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
