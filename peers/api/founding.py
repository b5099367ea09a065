"""The founding document's four calls, with its JSON keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.serializers import job_ref
from gateways.models import Interface, Job
from peers.api.representation import moment
from peers.api.serializers import (
    AddPeer,
    FoundingChange,
    FoundingStatus,
    OnInterface,
    RemovePeer,
)
from peers.queries import count_peers, find_interface
from peers.services.founding import Added, add_peer, apply_open, remove_peer
from rest.filters import check_query
from rest.prefer import respond
from rest.views import ApiView
from tenants.scoping import Caller, caller_of

_WORDS: Final = {
    Interface.State.UP: "active",
    Interface.State.DOWN: "inactive",
    Interface.State.FOREIGN: "foreign",
    Interface.State.UNREACHABLE: "unreachable",
    Interface.State.UNKNOWN: "unknown",
}


class AddPeerView(ApiView):
    """Add a peer; one that the tenant already has is updated."""

    founding = True
    scopes = {"POST": "clients:write"}

    @extend_schema(request=AddPeer, responses={202: FoundingChange, 200: FoundingChange})
    def post(self, request: Request) -> Response:
        wanted = _checked(request, AddPeer(data=request.data))
        caller = caller_of(request)
        added = add_peer(
            caller=caller,
            interface=find_interface(wanted.pop("interface", None), caller=caller),
            at=timezone.now(),
            **wanted,
        )
        verb = "added" if added.created else "updated"
        return _answer(request, added, f"The peer is stored and will be {verb} at once.")


class RemovePeerView(ApiView):
    """Remove a peer; its client goes with its last device."""

    founding = True
    scopes = {"POST": "clients:write"}

    @extend_schema(request=RemovePeer, responses={202: FoundingChange, 200: FoundingChange})
    def post(self, request: Request) -> Response:
        wanted = _checked(request, RemovePeer(data=request.data))
        caller = caller_of(request)
        removed = remove_peer(
            caller=caller,
            interface=find_interface(wanted.get("interface"), caller=caller),
            public_key=wanted["public_key"],
            at=timezone.now(),
        )
        return _answer(request, removed, "The peer is deleted and will be removed at once.")


class ApplyView(ApiView):
    """Apply whatever of the tenant is open, and compare the interface with the rows."""

    founding = True
    scopes = {"POST": "clients:write"}

    @extend_schema(request=OnInterface, responses={202: FoundingChange, 200: FoundingChange})
    def post(self, request: Request) -> Response:
        wanted = _checked(request, OnInterface(data=request.data))
        caller = caller_of(request)
        job = apply_open(
            caller=caller,
            interface=find_interface(wanted.get("interface"), caller=caller),
            at=timezone.now(),
        )
        return respond(job, request, _body(None, job, "What is open will be applied at once."))


class StatusView(ApiView):
    """The interface as its worker last saw it, and the tenant's own peers on it."""

    founding = True
    scopes = {"GET": "clients:read"}

    @extend_schema(
        parameters=[OpenApiParameter("interface", str, description="The default one if unnamed.")],
        responses=FoundingStatus,
    )
    def get(self, request: Request) -> Response:
        check_query(request, ("interface",))
        caller = caller_of(request)
        interface = find_interface(request.GET.get("interface"), caller=caller)
        return Response(status_body(interface, caller, at=timezone.now()))


def status_body(interface: Interface, caller: Caller, *, at: datetime) -> dict[str, Any]:
    """The status; peers are those of the tenant, an operator's are all. Keys of stray peers, in
    ``drift_detail``, are for operators."""
    counts = count_peers(interface, None if caller.operator else caller.tenant_id, at=at)
    seen = interface.observed_at
    body: dict[str, Any] = {
        "success": True,
        "interface": interface.name,
        "status": _WORDS[Interface.State(interface.state)],
        "active": interface.state == Interface.State.UP,
        "reason": interface.state_reason if caller.operator else "",
        **counts,
        "drift": bool(interface.drift),
        "observed_at": moment(seen),
        "age_seconds": None if seen is None else max(0.0, (at - seen).total_seconds()),
    }
    if caller.operator:
        body["drift_detail"] = interface.drift
    return body


def _answer(request: Request, added: Added, message: str) -> Response:
    return respond(added.job, request, _body(str(added.client.uuid), added.job, message))


def _body(client: str | None, job: Job, message: str) -> dict[str, Any]:
    return {"success": True, "message": message, "client": client, "job": job_ref(job)}


def _checked(request: Request, body: Any) -> dict[str, Any]:
    check_query(request, ())
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
