"""/api/v1/tenant/logo: the acting tenant's picture, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from resellers.services.branding import MAX_LOGO, remove_logo, set_logo
from rest.errors import Missing
from rest.etag import etag, wanted_version
from rest.filters import check_query
from rest.parsers import TooLarge
from rest.views import ApiView
from tenants.models import Tenant
from tenants.scoping import caller_of


class PngParser(BaseParser):
    """The body as it is, up to the size of a logo."""

    media_type = "image/png"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body: bytes = stream.read(MAX_LOGO + 1)
        if len(body) > MAX_LOGO:
            raise TooLarge(f"A logo has at most {MAX_LOGO} bytes.")
        return body


class JpegParser(PngParser):
    """The same."""

    media_type = "image/jpeg"


class TenantLogo(ApiView):
    """The picture that the tenant's customers see: a PNG or JPEG of at most 64 KiB."""

    scopes = {"GET": "tenants:read", "PUT": "tenants:write", "DELETE": "tenants:write"}
    parser_classes = [PngParser, JpegParser]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # Errors are JSON, whatever picture was asked for.
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="tenant_logo_retrieve",
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request) -> HttpResponse:
        check_query(request, ())
        tenant = Tenant.objects.get(pk=caller_of(request).tenant_id)
        if not tenant.brand_logo:
            raise Missing("There is no logo.")
        headers = {
            "ETag": etag(tenant),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-cache",
        }
        return HttpResponse(
            bytes(tenant.brand_logo), content_type=tenant.brand_logo_type, headers=headers
        )

    @extend_schema(
        operation_id="tenant_logo_update",
        request={"image/png": OpenApiTypes.BINARY, "image/jpeg": OpenApiTypes.BINARY},
        responses={204: OpenApiResponse(description="Stored.")},
    )
    def put(self, request: Request) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        picture: Any = request.data  # of a request without a body: a dict
        tenant = set_logo(
            actor=caller.actor,
            tenant_id=caller.tenant.uuid,
            picture=picture if isinstance(picture, bytes) else b"",
            at=timezone.now(),
            if_match=wanted_version(request),
        )
        return Response(status=204, headers={"ETag": etag(tenant)})

    @extend_schema(
        operation_id="tenant_logo_delete",
        responses={204: OpenApiResponse(description="Removed.")},
    )
    def delete(self, request: Request) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        remove_logo(
            actor=caller.actor,
            tenant_id=caller.tenant.uuid,
            at=timezone.now(),
            if_match=wanted_version(request),
        )
        return Response(status=204)
