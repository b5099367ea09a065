"""What surrounds every request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tenants import row_security

Answer = Callable[[HttpRequest], HttpResponseBase]


def behind_the_wall(answer: Answer) -> Answer:
    """A request sees no tenant's row until it is known for whom it acts."""

    def walled(request: HttpRequest) -> HttpResponseBase:
        with row_security.enforced():
            return answer(request)

    return walled
