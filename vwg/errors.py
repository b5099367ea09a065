"""From exception to HTTP: the one table, and the shapes of an error's body.

Everything below /api/ answers with RFC 9457 problem details; views that declare ``founding = True``
keep the founding document's ``{"success": false, "message": …}`` with the same true status.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    UnreadablePostError,
)
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from drf_standardized_errors.formatter import flatten_errors
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from rest import errors as refusals
from rest.problems import type_and_title
from tenants.tokens import TokenNameTaken, TokenRefused
from wireguard.errors import InvalidConfig, InvalidKey

logger = logging.getLogger("vwg.errors")

CONTENT_TYPE: Final = "application/problem+json"

#: Exception -> status. The first match counts, so subclasses stand before their bases.
STATUS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (refusals.Invalid, 400),
    (refusals.Forbidden, 403),
    (refusals.Missing, 404),
    (refusals.Conflict, 409),
    (refusals.StaleVersion, 412),
    (refusals.Unprocessable, 422),
    (refusals.NotApplied, 502),
    (refusals.Unavailable, 503),
    (InvalidKey, 400),
    (InvalidConfig, 400),
    (TokenNameTaken, 409),
    (TokenRefused, 400),
    (Http404, 404),
    (DjangoPermissionDenied, 403),
    (UnreadablePostError, 408),
    (RequestDataTooBig, 413),
    (BadRequest, 400),
    (OperationalError, 503),
    (InterfaceError, 503),
    (IntegrityError, 409),
    (DataError, 400),
)
_RETRY_AFTER: Final = 5
_SENTENCES: Final[Mapping[type[Exception], tuple[str, str]]] = {
    Http404: ("not_found", "Not found."),
    DjangoPermissionDenied: ("permission_denied", "You may not do this."),
    UnreadablePostError: ("request_timeout", "The body did not arrive in time."),
    RequestDataTooBig: ("too_large", "The request is too large."),
    BadRequest: ("invalid", "The request cannot be understood."),
    OperationalError: ("unavailable", "The database is not available. Ask again in a while."),
    InterfaceError: ("unavailable", "The database is not available. Ask again in a while."),
    IntegrityError: ("conflict", "Something else was changed at the same time. Try again."),
    DataError: ("invalid", "A value is out of range."),
}
_FOUNDING: Final = ("/api/wg/", "/api/apply-wg-config")
_NO_FIELD: Final = api_settings.NON_FIELD_ERRORS_KEY


def handle(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. None (and so Django's 500) for what is not in the table."""
    if isinstance(exc, drf.APIException):
        status, errors = exc.status_code, _flatten(exc)
    else:
        found = next((code for kind, code in STATUS if isinstance(exc, kind)), None)
        if found is None:
            return None
        status, errors = found, [_error(exc)]
        if isinstance(exc, IntegrityError | OperationalError | InterfaceError | DataError):
            logger.error("%s became %d", type(exc).__name__, status, exc_info=exc)
    set_rollback()
    founding = bool(getattr(context.get("view"), "founding", False))
    extra = getattr(exc, "extra", {})  # NotApplied: what was stored all the same
    response = Response(
        {**extra, **body(status, errors, founding=founding)},
        status=status,
        headers=_headers(exc, status),
    )
    response.content_type = "application/json" if founding else CONTENT_TYPE
    return response


def body(status: int, errors: list[dict[str, Any]], *, founding: bool = False) -> dict[str, Any]:
    """An error's body. ``errors`` hold field (or None), code and detail."""
    first = errors[0]
    sentence = f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]
    if founding:
        return {"success": False, "message": sentence, "errors": errors}
    fields = status == HTTPStatus.BAD_REQUEST and (len(errors) > 1 or first["field"])
    kind, title = type_and_title("validation_failed" if fields else first["code"], status)
    return {"type": kind, "title": title, "status": status, "detail": sentence, "errors": errors}


def _flatten(exc: drf.APIException) -> list[dict[str, Any]]:
    found = []
    for error in flatten_errors(exc.detail):
        parts = [part for part in (error.attr or "").split(".") if part and part != _NO_FIELD]
        found.append({"field": ".".join(parts) or None, "code": error.code, "detail": error.detail})
    return found or [{"field": None, "code": "invalid", "detail": exc.default_detail}]


def _error(exc: Exception) -> dict[str, Any]:
    if isinstance(exc, refusals.Refusal):
        return {"field": exc.field, "code": exc.code, "detail": exc.message}
    if isinstance(exc, TokenRefused):
        return {"field": exc.field, "code": "invalid", "detail": exc.message}
    if isinstance(exc, InvalidKey | InvalidConfig):
        return {"field": getattr(exc, "field", None), "code": "invalid", "detail": str(exc)}
    code, sentence = next(text for kind, text in _SENTENCES.items() if isinstance(exc, kind))
    return {"field": None, "code": code, "detail": sentence}


def _headers(exc: Exception, status: int) -> dict[str, str]:
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(exc.auth_header)  # type: ignore[attr-defined]
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait))  # type: ignore[attr-defined]
    elif hasattr(exc, "retry_after") or status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(getattr(exc, "retry_after", _RETRY_AFTER))
    return headers


# -- What Django answers by itself, outside of any view --------------------------------------


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """403 for a form or a session's API call without its CSRF token."""
    return _plain(request, 403, "csrf_failed", "The CSRF token is missing or wrong.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400, for an unknown host name too."""
    if isinstance(exception, RequestDataTooBig):
        return _plain(request, 413, "too_large", "The request is too large.")
    return _plain(request, 400, "invalid", "The request cannot be understood.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403."""
    return _plain(request, 403, "permission_denied", "You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404, the same for what never existed and for what is another tenant's."""
    return _plain(request, 404, "not_found", "Not found.")


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500. Says nothing of the cause; the log has it."""
    return _plain(request, 500, "server_error", "Something went wrong. It has been logged.")


def is_api(request: HttpRequest) -> bool:
    """Whether a request expects JSON: it does below /api/."""
    return request.path.startswith("/api/")


def _plain(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponseBase:
    if is_api(request):
        founding = request.path.startswith(_FOUNDING)
        return JsonResponse(
            body(status, [{"field": None, "code": code, "detail": detail}], founding=founding),
            status=status,
            content_type="application/json" if founding else CONTENT_TYPE,
            json_dumps_params={"separators": (",", ":")},
        )
    try:
        return render(request, f"{status}.html", {"detail": detail}, status=status)
    except TemplateDoesNotExist:
        return HttpResponse(
            f"<!doctype html><title>{status}</title><h1>{detail}</h1>", status=status
        )
