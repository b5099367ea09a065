"""The view that every endpoint is built on: one transaction a write, waiting outside of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from rest.etag import conditional, say_how_to_keep
from rest.idempotency import once, wanted_key
from rest.prefer import Pending
from tenants import row_security
from tenants.scoping import caller_of
from tenants.throttling import Standing, spend_failure, spend_request

Handler = Callable[..., HttpResponseBase]


class ApiView(APIView):
    """An endpoint. ``scopes`` name what each of its methods needs (`tenants.permissions`).

    A write runs in one transaction, which an exception rolls back as a whole: what answers 4xx or
    5xx left no trace (I5). A POST with an ``Idempotency-Key`` runs once (`rest.idempotency`). A
    `Pending` answer waits for its job after the commit.
    """

    scopes: dict[str, str] = {}
    operator_only = False
    #: Methods that are for operators alone, where the others are not.
    operator_methods: tuple[str, ...] = ()
    #: Fields of an answer (dotted for nested ones) that are shown once: a replay has null there.
    secret_fields: tuple[str, ...] = ()
    #: Whether its POSTs heed an ``Idempotency-Key``. For the description alone.
    keyed = True
    #: What is left of the rate limit; None for nobody, and where there is none.
    standing: Standing | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As REST framework's, but for `carry_out` around the handler."""
        self.args, self.kwargs = args, kwargs
        wrapped = self.initialize_request(request, *args, **kwargs)
        self.request = wrapped
        self.headers = self.default_response_headers
        response: Any  # REST framework says Response and means any of Django's
        try:
            with row_security.together() if request.method in SAFE_METHODS else nullcontext():
                self.initial(wrapped, *args, **kwargs)
                method = str(wrapped.method).lower()
                known = method in self.http_method_names
                handler = getattr(self, method, None) if known else None
                response = self.carry_out(wrapped, handler or self.http_method_not_allowed)
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(wrapped, response, *args, **kwargs)
        return self.response

    def perform_authentication(self, request: Request) -> None:
        """Who asks, and whether they have requests left this minute (429).

        Who may do nothing at all (a wrong token, a suspended tenant's) counts too, by address.
        """
        try:
            super().perform_authentication(request)
            if not request.user.is_authenticated:
                return
            if request.method not in self.allowed_methods:
                self.http_method_not_allowed(request)
            caller = caller_of(request) if self.scopes else None
        except (AuthenticationFailed, PermissionDenied):
            spend_failure(request)
            raise
        if caller is not None:
            self.standing = spend_request(caller)
            if self.standing:
                self.standing.check()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """As REST framework's; with what is left of the rate limit, and how it may be kept."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.standing:
            for name, text in self.standing.headers.items():
                answer[name] = text
        say_how_to_keep(answer)
        return answer

    def carry_out(self, request: Request, handler: Handler) -> HttpResponseBase:
        """Run the handler, a write in its transaction; then wait, if the caller likes to."""

        def handle() -> HttpResponseBase:
            return handler(request, *self.args, **self.kwargs)

        if request.method in SAFE_METHODS:
            return conditional(request, handle())
        key = wanted_key(request)
        # Before the transaction: a body that comes slowly must not hold the lock of all writers.
        request.body  # noqa: B018
        if key is not None:
            response = once(key, request, handle, secrets=self.secret_fields)
        else:
            with transaction.atomic():
                response = handle()
        return response.settle() if isinstance(response, Pending) else response


def checked(body: BaseSerializer[Any]) -> dict[str, Any]:
    """The values of a body of the right shape. Raises ValidationError (400)."""
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def created(body: Any, *, location: str, etag: str | None = None) -> Response:
    """201 with where the new thing is."""
    headers = {"Location": location} | ({"ETag": etag} if etag else {})
    return Response(body, status=201, headers=headers)
