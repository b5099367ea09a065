"""POST /api/v1/tenant/export and /api/v1/tenants/{id}/export: all of a tenant's data as a file."""

from __future__ import annotations

import tempfile
from typing import Final
from uuid import UUID

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from peers.api.serializers import Nothing
from resellers.queries import find_tenant, tenant_in_full
from resellers.services.exporting import export_tenant
from rest.filters import check_query
from rest.views import ApiView, Handler, checked
from tenants.models import Tenant
from tenants.scoping import caller_of

LINES: Final = "application/x-ndjson"
#: So much of a file lies in memory; what is longer lies on the disk.
_IN_MEMORY: Final = 2**20
_ANSWER: Final = {
    (200, LINES): OpenApiResponse(
        OpenApiTypes.STR,
        description="One thing a line, its `kind` first; the last line is of kind `end` and counts"
        " the others. Private and preshared keys are not in it.",
        examples=[OpenApiExample("Lines", '{"kind": "end", "counts": {"client": 200}}\n')],
    )
}


class _Export(ApiView):
    """It changes nothing, and to keep a transaction open for so long would make others wait."""

    scopes = {"POST": "tenants:write"}
    keyed = False

    def carry_out(self, request: Request, handler: Handler) -> HttpResponseBase:
        return handler(request, *self.args, **self.kwargs)


class OwnExport(_Export):
    """Everything that is stored of the acting tenant, for its owners."""

    @extend_schema(operation_id="tenant_export", request=Nothing, responses=_ANSWER)
    def post(self, request: Request) -> HttpResponseBase:
        _check(request)
        return _file(request, tenant_in_full(caller_of(request).tenant))


class TenantExport(_Export):
    """Everything that is stored of a tenant. For operators."""

    operator_only = True

    @extend_schema(operation_id="tenants_export", request=Nothing, responses=_ANSWER)
    def post(self, request: Request, tenant_id: UUID) -> HttpResponseBase:
        _check(request)
        return _file(request, find_tenant(tenant_id))


def _check(request: Request) -> None:
    check_query(request, ())
    checked(Nothing(data=request.data))


def _file(request: Request, tenant: Tenant) -> FileResponse:
    """Written as a whole before the answer begins: what goes wrong is a problem, not a stump."""
    caller, at = caller_of(request), timezone.now()
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  the answer closes it
    try:
        export_tenant(
            tenant=tenant,
            file=file,
            actor=caller.actor,
            at=at,
            for_operator=bool(caller.operator),
        )
        file.seek(0)
    except BaseException:
        file.close()
        raise
    name = f"{tenant.slug}-{at:%Y-%m-%d}.jsonl"
    return FileResponse(file, as_attachment=True, filename=name, content_type=LINES)
