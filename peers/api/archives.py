"""The files of many clients in one request."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from peers.archives import archive_of
from peers.selection import MAX_SELECTED, select_clients
from rest.fields import PlainText, StrictSerializer
from rest.filters import check_query
from rest.views import ApiView, checked
from tenants.scoping import caller_of


class ConfigSelection(StrictSerializer):
    """Which clients: one of the three. ``filter`` takes what the list of clients takes."""

    ids = serializers.ListField(
        child=serializers.UUIDField(), max_length=MAX_SELECTED, min_length=1, required=False
    )
    external_ids = serializers.ListField(
        child=PlainText(max_length=120), max_length=MAX_SELECTED, min_length=1, required=False
    )
    filter = serializers.DictField(required=False)


class ClientConfigs(ApiView):
    """The files of up to 1,000 clients as one zip.

    ``manifest.json`` in it names client, device and file of each, and says why where there is
    none; one client without a file does not keep the others from theirs.
    """

    scopes = {"POST": "configs:read"}

    @extend_schema(
        operation_id="client_configs",
        request=ConfigSelection,
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def post(self, request: Request) -> HttpResponseBase:
        check_query(request, ())
        caller = caller_of(request)
        found = select_clients(caller, **checked(ConfigSelection(data=request.data)))
        return archive_of(caller, found.clients, found.missing, at=timezone.now())
