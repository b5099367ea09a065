"""/api/v1/locations: where the tenant may sell, as a shop lists it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.models import Gateway, Interface
from peers.sellable import sellable_interfaces, with_room
from rest.filters import AllowListedFilters, Text
from rest.pagination import KeysetPagination
from rest.views import ApiView
from tenants.scoping import caller_of


class OfferSerializer(serializers.Serializer[Any]):
    """An interface of a location, by which a client is created there."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # Field has one of its own
    up = serializers.BooleanField()
    addresses_left = serializers.BooleanField()


class LocationSerializer(serializers.Serializer[Any]):
    """A gateway as a place. ``available``: an interface of it is up and has an address left."""

    id = serializers.UUIDField()
    gateway = serializers.CharField()
    location = serializers.CharField()
    country = serializers.CharField()
    available = serializers.BooleanField()
    interfaces = OfferSerializer(many=True)


class LocationList(ApiView):
    """The places that the tenant may sell, with their interfaces."""

    scopes = {"GET": "interfaces:read"}
    filters = {
        "gateway": Text(("slug",)),
        "country": Text(("country",)),
        "location": Text(("location",)),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering = "id"
    ordering_fields = ("location", "country")

    @extend_schema(responses=LocationSerializer(many=True))
    def get(self, request: Request) -> Response:
        tenant = caller_of(request).tenant
        offered = sellable_interfaces(tenant).filter(Q(enabled=True) | Q(simulated=True))
        rows = Gateway.objects.filter(pk__in=offered.values("gateway"))
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[Gateway] = paginator.paginate_queryset(rows, request, view=self)
        rooms = with_room(tenant, at=timezone.now())
        offers: dict[int, list[dict[str, Any]]] = {}
        for one in offered.filter(gateway__in=page).order_by("pk"):
            offers.setdefault(one.gateway_id, []).append(_offer(one, one.pk in rooms))
        return paginator.get_paginated_response(
            [_body(gateway, offers.get(gateway.pk, [])) for gateway in page]
        )


def _offer(interface: Interface, has_room: bool) -> dict[str, Any]:
    return {
        "id": str(interface.uuid),
        "name": interface.name,
        "label": interface.label,
        "up": interface.simulated or interface.state == Interface.State.UP,
        "addresses_left": has_room,
    }


def _body(gateway: Gateway, offers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(gateway.uuid),
        "gateway": gateway.slug,
        "location": gateway.location,
        "country": gateway.country,
        "available": any(one["up"] and one["addresses_left"] for one in offers),
        "interfaces": offers,
    }
