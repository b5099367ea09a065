"""Acts on a client: POST /clients/{id}/<act>, or with the seller's own id in its place.

An act that finds everything so already answers 200 with a finished job, and is no event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from peers.api.answers import act
from peers.api.bodies import (
    ChangePlan,
    Disable,
    Extend,
    Kick,
    Move,
    RotateKeys,
    Suspend,
    TopUp,
    Transfer,
)
from peers.api.lookups import OfClient, find_other_tenant
from peers.api.serializers import ClientWithJob, Nothing
from peers.queries import find_interface
from peers.services.changes import Changed
from peers.services.extension import extend_client, reset_usage, top_up_client
from peers.services.moving import move_client
from peers.services.planning import change_plan
from peers.services.removal import restore_client, terminate_client
from peers.services.rotation import rotate_keys
from peers.services.switching import (
    disable_client,
    enable_client,
    kick_client,
    suspend_client,
    unsuspend_client,
)
from peers.services.transfer import transfer_client
from rest.fields import StrictSerializer
from rest.views import checked
from tenants.scoping import caller_of


class _Act(OfClient):
    """An act of one service, whose ``body`` holds what it is told besides the client."""

    scopes = {"POST": "clients:write"}
    service: ClassVar[Callable[..., Changed]]
    body: ClassVar[type[StrictSerializer]] = Nothing

    def post(self, request: Request, client_id: UUID) -> Response:
        told = checked(self.body(data=request.data))
        return act(request, self.service, client_id, **told)


@extend_schema(request=Nothing, responses=ClientWithJob)
class ClientEnable(_Act):
    """Close the manual hold. Other holds stay."""

    service = staticmethod(enable_client)


@extend_schema(request=Disable, responses=ClientWithJob)
class ClientDisable(_Act):
    """Open the manual hold: no packet passes, and nothing is forgotten. Only enable closes it."""

    service, body = staticmethod(disable_client), Disable


@extend_schema(request=Suspend, responses=ClientWithJob)
class ClientSuspend(_Act):
    """Open the shop's hold, for an unpaid bill, say. Only unsuspend closes it."""

    service, body = staticmethod(suspend_client), Suspend


@extend_schema(request=Nothing, responses=ClientWithJob)
class ClientUnsuspend(_Act):
    """Close the shop's hold. A client that was disabled by hand stays disabled."""

    service = staticmethod(unsuspend_client)


@extend_schema(request=Kick, responses=ClientWithJob)
class ClientKick(_Act):
    """Let no packet through for a while (60 seconds unless said), then all again.

    A client that is off already is not kicked: 409 `client_off`.
    """

    service, body = staticmethod(kick_client), Kick


@extend_schema(request=Nothing, responses=ClientWithJob)
class ClientTerminate(_Act):
    """Delete the client, as DELETE does; but once more is the same answer until it is purged."""

    service = staticmethod(terminate_client)
    deleted_too = True


@extend_schema(request=Nothing, responses=ClientWithJob)
class ClientRestore(_Act):
    """Undo a deletion, until `purge_at`: devices, keys and addresses are as they were."""

    service = staticmethod(restore_client)
    deleted_too = True


@extend_schema(request=RotateKeys, responses=ClientWithJob)
class ClientRotateKeys(_Act):
    """Give the client's only device new keys. The old ones are off the interface at once, and the
    file that the customer has is worth nothing any more: hand out the new one.
    """

    service, body = staticmethod(rotate_keys), RotateKeys


@extend_schema(request=ChangePlan, responses=ClientWithJob)
class ClientChangePlan(_Act):
    """Put the client on another plan, now or later."""

    service, body = staticmethod(change_plan), ChangePlan


class _More(OfClient):
    """More days and more bytes; ``service`` says for how long."""

    scopes = {"POST": "clients:write"}
    service: ClassVar[Callable[..., Changed]]
    body: ClassVar[type[StrictSerializer]]

    def post(self, request: Request, client_id: UUID) -> Response:
        told = checked(self.body(data=request.data))
        return act(
            request, self.service, client_id, days=told.get("days"), number=told.get("bytes")
        )


@extend_schema(request=Extend, responses=ClientWithJob)
class ClientExtend(_More):
    """More days from the end (from now, where it is past), and more bytes in every period.

    A client that its end, or its bytes, kept off is back at once.
    """

    service, body = staticmethod(extend_client), Extend


@extend_schema(request=TopUp, responses=ClientWithJob)
class ClientTopUp(_More):
    """More days, and more bytes for the period that runs.

    A client that its end, or its bytes, kept off is back at once.
    """

    service, body = staticmethod(top_up_client), TopUp


@extend_schema(request=Nothing, responses=ClientWithJob)
class ClientResetUsage(_Act):
    """Begin the bytes of the period at 0; what was topped up is gone, and the period ends when it
    would have. A client that its bytes kept off is back at once.
    """

    service = staticmethod(reset_usage)


class ClientMove(OfClient):
    """Move the client's devices to another interface, with new addresses where the old ones
    cannot be had there. Keys stay; the files that customers have are outdated.
    """

    scopes = {"POST": "clients:write"}

    @extend_schema(request=Move, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        wanted = checked(Move(data=request.data))
        interface = find_interface(wanted["interface"], caller=caller_of(request))
        return act(request, move_client, client_id, interface=interface)


class ClientTransfer(OfClient):
    """Hand the client over to another tenant. Its tunnels stay up; its share links are revoked."""

    scopes = {"POST": "clients:write"}
    operator_only = True

    @extend_schema(request=Transfer, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        wanted = checked(Transfer(data=request.data))
        tenant = find_other_tenant(wanted["tenant"])
        return act(request, transfer_client, client_id, tenant=tenant, plan=wanted.get("plan"))
