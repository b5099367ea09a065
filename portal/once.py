"""A form that is sent twice is carried out once: its hidden key is an ``Idempotency-Key``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode
from uuid import uuid4

from django.http import HttpRequest
from rest_framework.response import Response

from rest.idempotency import is_known
from rest.idempotency import once as carried_out_once
from tenants.scoping import Caller

_PREFIX, _TOKEN = "form-", "csrfmiddlewaretoken"


def new_key() -> str:
    """A key for a form that is about to be shown."""
    return f"{_PREFIX}{uuid4().hex}"


def key_of(request: HttpRequest) -> str:
    """The key that a form was sent with; a fresh one where it has none of ours."""
    key = request.POST.get("key", "")
    named = key.removeprefix(_PREFIX)
    is_ours = key.startswith(_PREFIX) and len(named) == 32 and named.isascii() and named.isalnum()
    return key if is_ours else new_key()


def was_sent(request: HttpRequest, caller: Caller) -> bool:
    """Whether this very form was sent before, so that its answer is kept."""
    return is_known(caller.tenant_id, key_of(request))


def once(request: HttpRequest, act: Callable[[], str]) -> str:
    """Carry ``act`` out in one transaction, and return the address that it leads to; for a form
    that was sent already, the address it led to then.

    Raises what ``act`` does, `rest.errors.InProgress` while the other one still runs, and
    `rest.errors.Unprocessable` where the same form came with other words.
    """

    def handle() -> Response:
        return Response(status=303, headers={"Location": act()})

    asked = cast("Any", request)
    answer = carried_out_once(key_of(request), asked, handle, words=_words(request))
    return str(answer.headers["Location"])


def _words(request: HttpRequest) -> bytes:
    """What the form says, less its token, which is masked anew each time."""
    said = sorted((name, request.POST.getlist(name)) for name in request.POST)
    return urlencode([one for one in said if one[0] != _TOKEN], doseq=True).encode()
