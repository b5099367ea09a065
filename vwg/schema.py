"""What drf-spectacular cannot guess: who may call, what a strict body is, and where it belongs.

What all operations share (errors, headers, examples) joins in `vwg.description`.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from rest.fields import StrictSerializer
from tenants.permissions import for_operators, needed_scope


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer vwg_…``."""

    target_class = "tenants.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "vwg_<prefix>_<secret>"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The portal's cookie; writes also need the CSRF token."""

    target_class = "tenants.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class ApiSchema(AutoSchema):
    """The description of one view.

    ``x-vwg-scope`` is what the method needs, ``x-vwg-operator`` whether it is for operators alone,
    ``x-vwg-founding`` whether its errors have the founding document's shape, ``x-vwg-unkeyed``
    whether an ``Idempotency-Key`` would do nothing.
    """

    def get_extensions(self) -> dict[str, Any]:
        found: dict[str, Any] = dict(super().get_extensions())
        scope = needed_scope(self.view, self.method)
        if scope is not None:
            found["x-vwg-scope"] = scope
            found["x-vwg-operator"] = for_operators(self.view, self.method)
        if getattr(self.view, "founding", False):
            found["x-vwg-founding"] = True
        if not getattr(self.view, "keyed", True):
            found["x-vwg-unkeyed"] = True
        return found

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part not in ("", "api", "v1")]
        return ["founding"] if getattr(self.view, "founding", False) else parts[:1]

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(  # type: ignore[no-untyped-call]
            serializer, direction
        )
        if direction == "request" and isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema
