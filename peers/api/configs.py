"""A device's file, as text, as a QR code, or inside JSON. It holds secrets and is never cached, and
every answer with it is an audit event.

``format`` in the query decides, else ``Accept``; text where neither says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from peers.api.lookups import OfClient
from peers.api.representation import moment
from peers.delivery import Delivery, deliver, qr_png, qr_svg
from peers.models import Peer
from peers.queries import find_client, find_peer, only_peer
from peers.services.reveals import note_reveals
from rest.errors import Invalid
from rest.filters import check_query
from rest.views import ApiView
from tenants.scoping import Caller, caller_of

_NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_TEXT: Final = "text/plain; charset=utf-8"


def _as_conf(delivery: Delivery) -> HttpResponse:
    return HttpResponse(
        delivery.text,
        content_type=_TEXT,
        headers={"Content-Disposition": f'attachment; filename="{delivery.file_name}"'},
    )


def _as_svg(delivery: Delivery) -> HttpResponse:
    return _picture(delivery, qr_svg(delivery.text), "image/svg+xml", "svg")


def _as_png(delivery: Delivery) -> HttpResponse:
    return _picture(delivery, qr_png(delivery.text), "image/png", "png")


def _picture(delivery: Delivery, data: bytes, media: str, ending: str) -> HttpResponse:
    # The name is [a-z0-9-] by construction, so nothing in it needs escaping.
    name = f"{delivery.file_name.removesuffix('.conf')}.{ending}"
    disposition = f'inline; filename="{name}"'
    return HttpResponse(data, content_type=media, headers={"Content-Disposition": disposition})


def _as_json(delivery: Delivery) -> Response:
    return Response(
        {
            "config": delivery.text,
            "file_name": delivery.file_name,
            "private_key_known": delivery.private_key_known,
            "outdated": delivery.outdated,
            "delivered_at": moment(delivery.peer.delivered_at),
        }
    )


_FORMATS: Final[dict[str, Callable[[Delivery], Any]]] = {
    "conf": _as_conf,
    "qr-svg": _as_svg,
    "qr-png": _as_png,
    "json": _as_json,
}
_MEDIA: Final = {
    "text/plain": "conf",
    "image/svg+xml": "qr-svg",
    "image/png": "qr-png",
    "application/json": "json",
}


class ConfigFile(serializers.Serializer[Any]):
    """The file inside JSON. ``outdated`` and ``delivered_at`` speak of the one before this."""

    config = serializers.CharField()
    file_name = serializers.CharField()
    private_key_known = serializers.BooleanField()
    outdated = serializers.BooleanField()
    delivered_at = serializers.DateTimeField(allow_null=True)


_SCHEMA: Final[dict[str, Any]] = {
    "parameters": [OpenApiParameter("format", str, enum=list(_FORMATS), required=False)],
    "responses": {
        (200, "text/plain"): OpenApiTypes.STR,
        (200, "image/svg+xml"): OpenApiTypes.BINARY,
        (200, "image/png"): OpenApiTypes.BINARY,
        (200, "application/json"): ConfigFile,
    },
}


class _ConfigView(ApiView):
    scopes = {"GET": "configs:read"}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # Errors are JSON whatever the file's format; the file is chosen by `_format`.
        return super().perform_content_negotiation(request, force=True)

    def answer(self, request: Request, caller: Caller, peer: Peer) -> Any:
        way = _format(request)
        delivery = deliver(peer)
        response = _FORMATS[way](delivery)
        if request.method != "HEAD":  # its answer is empty
            note_reveals([delivery], way=way, actor=caller.actor, at=timezone.now())
        for name, value in _NO_STORE.items():
            response[name] = value
        response["X-VWG-Private-Key-Known"] = str(delivery.private_key_known).lower()
        return response


class ClientConfig(OfClient, _ConfigView):
    """The file of a client's only device."""

    @extend_schema(**_SCHEMA)
    def get(self, request: Request, client_id: UUID) -> Any:
        check_query(request, ("format",))
        caller = caller_of(request)
        peer = only_peer(find_client(caller, client_id))
        return self.answer(request, caller, find_peer(caller, peer.uuid))


class PeerConfigFile(_ConfigView):
    """The file of a device."""

    @extend_schema(operation_id="peer_config", **_SCHEMA)
    def get(self, request: Request, peer_id: UUID) -> Any:
        check_query(request, ("format",))
        caller = caller_of(request)
        return self.answer(request, caller, find_peer(caller, peer_id))


def _format(request: Request) -> str:
    named = request.GET.get("format")
    if named is None:
        accepted = request.headers.get("Accept", "").lower()
        return next((word for media, word in _MEDIA.items() if media in accepted), "conf")
    if named not in _FORMATS:
        words = ", ".join(sorted(_FORMATS))
        raise Invalid(f"This must be one of: {words}.", field="format")
    return named
