"""Acts on a client: POST /clients/{id}/<act>, or with the seller's own id in its place.

An act that finds everything so already answers 200 with a finished job, and is no event.
"""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from peers.api.answers import act
from peers.api.lookups import OfClient
from peers.api.serializers import ClientWithJob, Disable, Kick, Nothing, Suspend
from peers.services.removal import restore_client, terminate_client
from peers.services.switching import (
    disable_client,
    enable_client,
    kick_client,
    suspend_client,
    unsuspend_client,
)
from rest.views import checked

_WRITES = {"POST": "clients:write"}


class ClientEnable(OfClient):
    """Close the manual hold. Other holds stay."""

    scopes = _WRITES

    @extend_schema(request=Nothing, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        checked(Nothing(data=request.data))
        return act(request, enable_client, client_id)


class ClientDisable(OfClient):
    """Open the manual hold: no packet passes, and nothing is forgotten. Only enable closes it."""

    scopes = _WRITES

    @extend_schema(request=Disable, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        return act(request, disable_client, client_id, **checked(Disable(data=request.data)))


class ClientSuspend(OfClient):
    """Open the shop's hold, for an unpaid bill, say. Only unsuspend closes it."""

    scopes = _WRITES

    @extend_schema(request=Suspend, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        return act(request, suspend_client, client_id, **checked(Suspend(data=request.data)))


class ClientUnsuspend(OfClient):
    """Close the shop's hold. A client that was disabled by hand stays disabled."""

    scopes = _WRITES

    @extend_schema(request=Nothing, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        checked(Nothing(data=request.data))
        return act(request, unsuspend_client, client_id)


class ClientKick(OfClient):
    """Let no packet through for a while (60 seconds unless said), then all again.

    A client that is off already is not kicked: 409 `client_off`.
    """

    scopes = _WRITES

    @extend_schema(request=Kick, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        return act(request, kick_client, client_id, **checked(Kick(data=request.data)))


class ClientTerminate(OfClient):
    """Delete the client, as DELETE does; but once more is the same answer until it is purged."""

    scopes = _WRITES
    deleted_too = True

    @extend_schema(request=Nothing, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        checked(Nothing(data=request.data))
        return act(request, terminate_client, client_id)


class ClientRestore(OfClient):
    """Undo a deletion, until `purge_at`: devices, keys and addresses are as they were."""

    scopes = _WRITES
    deleted_too = True

    @extend_schema(request=Nothing, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        checked(Nothing(data=request.data))
        return act(request, restore_client, client_id)
