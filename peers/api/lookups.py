"""Views of one client, which its seller may name by his own id as well."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from peers.queries import find_by_external_id, find_deleted_by_external_id
from rest.errors import Invalid, Missing
from rest.views import ApiView, Handler
from tenants.models import Tenant
from tenants.scoping import caller_of


class OfClient(ApiView):
    """A view whose methods take ``client_id``; its path holds that, or ``external_id``.

    ``deleted_too``: the id may be that of a deleted client; of several, the one deleted last.
    """

    deleted_too = False

    def carry_out(self, request: Request, handler: Handler) -> HttpResponseBase:
        def handle(request: Request, *args: Any, **named: Any) -> HttpResponseBase:
            # Not before: what a kept answer tells of may be gone by now.
            external_id = named.pop("external_id", None)
            if external_id is not None:
                named["client_id"] = self._find(request, external_id)
            return handler(request, *args, **named)

        return super().carry_out(request, handle)

    def _find(self, request: Request, external_id: str) -> Any:
        caller = caller_of(request)
        try:
            return find_by_external_id(caller, external_id).uuid
        except Missing:
            if not self.deleted_too:
                raise
            return find_deleted_by_external_id(caller, external_id, at=timezone.now()).uuid


def find_other_tenant(text: str) -> Tenant:
    """Any tenant, by its id or slug: for operators. Raises `Invalid` (``tenant_unknown``)."""
    named = Q(slug=text)
    if len(text) == 36:
        with suppress(ValueError):
            named |= Q(uuid=UUID(text))
    found = Tenant.objects.defer("brand_logo").filter(named).first()
    if found is None:
        raise Invalid("There is no such tenant.", field="tenant", code="tenant_unknown")
    return found
