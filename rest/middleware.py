"""What surrounds every request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

#: These tell a HEAD from its GET: a program that only asks takes nothing.
_TELL_HEADS: Final = ("/api/", "/s/")

Answer = Callable[[HttpRequest], HttpResponseBase]


def bare_heads(answer: Answer) -> Answer:
    """A HEAD is answered as its GET, length included, without the body.

    Django leaves the body to the server, and gunicorn drops it with a warning each time. Pages are
    asked for a GET: one that takes what is no GET for a form that was sent never sees a HEAD.
    """

    def bared(request: HttpRequest) -> HttpResponseBase:
        head = request.method == "HEAD"
        if head and not request.path.startswith(_TELL_HEADS):
            request.method = request.META["REQUEST_METHOD"] = "GET"
        response = answer(request)
        if head:
            if isinstance(response, StreamingHttpResponse):
                response.streaming_content = ()
            elif isinstance(response, HttpResponse):
                response.content = b""
        return response

    return bared


def kept_by_nobody(answer: Answer) -> Answer:
    """No copy of an answer stays in a browser or on the way, unless it says that it may.

    Refusals, redirects and the admin site as well: they name things of who asked.
    """

    def unkept(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        if not response.has_header("Cache-Control") and not request.path.startswith("/api/"):
            add_never_cache_headers(response)
        return response

    return unkept
