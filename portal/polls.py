"""Answers to a page's poll: its live parts, or 304 when what they say has not changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.timezone import now as clock

#: Ages are told by the page's own script: they change nothing.
_AGES: Final = re.compile(r"(<time [^>]*data-ago[^>]*>)[^<]*(?=</time>)")
#: The token of a form is another one in every answer.
_TOKENS: Final = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]*')


def answer(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    """The parts of ``template``, each with an id and ``data-part``."""
    text = render_to_string(template, dict(context), request)
    said = _TOKENS.sub(r"\1", _AGES.sub(r"\1", text))
    digest = blake2b(said.encode(), digest_size=12).hexdigest()
    etag = f'"{digest}"'
    response: HttpResponse
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(text)
    add_never_cache_headers(response)
    response["ETag"] = etag
    response["X-VWG-Now"] = clock().isoformat()
    return response
