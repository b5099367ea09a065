"""Views of one client, which its seller may name by his own id as well."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from peers.queries import find_by_external_id, find_deleted_by_external_id
from rest.errors import Missing
from rest.views import ApiView, Handler
from tenants.scoping import caller_of


class OfClient(ApiView):
    """A view whose methods take ``client_id``; its path holds that, or ``external_id``.

    ``deleted_too``: the id may be that of a deleted client; of several, the one deleted last.
    """

    deleted_too = False

    def carry_out(self, request: Request, handler: Handler) -> HttpResponseBase:
        external_id: Any = self.kwargs.pop("external_id", None)
        if external_id is not None:
            self.kwargs["client_id"] = self._find(request, external_id)
        return super().carry_out(request, handler)

    def _find(self, request: Request, external_id: str) -> Any:
        caller = caller_of(request)
        try:
            return find_by_external_id(caller, external_id).uuid
        except Missing:
            if not self.deleted_too:
                raise
            return find_deleted_by_external_id(caller, external_id, at=timezone.now()).uuid
