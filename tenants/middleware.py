"""What surrounds every request."""

from __future__ import annotations

import select
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tenants import row_security

Answer = Callable[[HttpRequest], HttpResponseBase]


def behind_the_wall(answer: Answer) -> Answer:
    """A request sees no tenant's row until it is known for whom it acts."""

    def walled(request: HttpRequest) -> HttpResponseBase:
        _trust_a_silent_connection()
        with row_security.enforced():
            return answer(request)

    return walled


def _trust_a_silent_connection() -> None:
    """Spare Django's question, before each request, whether a kept connection still serves.

    A server that ends, or ends a connection, says so on the socket. While there is nothing to
    read, the round trip would be for nothing.
    """
    raw = connection.connection
    if connection.vendor != "postgresql" or raw is None or raw.closed:
        return
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN)
    if not poll.poll(0):
        connection.health_check_done = True  # type: ignore[attr-defined]
