"""/api/v1/peers: devices by themselves. Their ETag names their client, and its version."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.serializers import DELETED, job_ref
from gateways.models import Job
from peers.api.bodies import Move, RotateKeys
from peers.api.device_serializers import (
    DeviceCreate,
    DevicePatch,
    PeerSerializer,
    PeerWithJob,
)
from peers.api.lookups import OfClient
from peers.api.representation import peer_body, tag_of
from peers.filters import PEER_FILTERS
from peers.models import Client, Peer
from peers.queries import (
    Device,
    find_client,
    find_interface,
    find_peer,
    view_devices,
    visible_peers,
)
from peers.services.changes import Changed
from peers.services.clients import update_client
from peers.services.device_acts import add_client_device, remove_client_device
from peers.services.moving import move_client
from peers.services.rotation import rotate_keys
from rest.etag import wanted_version
from rest.filters import AllowListedFilters, check_query
from rest.pagination import KeysetPagination
from rest.prefer import respond
from rest.views import ApiView, checked
from tenants.scoping import caller_of


class _List(ApiView):
    scopes = {"GET": "clients:read"}
    filters = PEER_FILTERS
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering_fields = ("name", "created_at", "last_handshake_at")

    def page(self, request: Request, rows: QuerySet[Peer]) -> Response:
        """A page of these devices, in five queries with the caller's own."""
        paginator, at = KeysetPagination(), timezone.now()
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        page: list[Peer] = paginator.paginate_queryset(rows, request, view=self)
        shown = {
            device.peer.pk: device
            for device in view_devices(Peer.objects.filter(pk__in=[peer.pk for peer in page]))
        }
        bodies = [
            peer_body(shown[peer.pk], peer.client, at=at) for peer in page if peer.pk in shown
        ]
        return paginator.get_paginated_response(bodies)


class PeerList(_List):
    """The tenant's devices, newest first."""

    @extend_schema(responses=PeerSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.page(request, visible_peers(caller_of(request)))


class ClientPeers(OfClient, _List):
    """The devices of a client; and one more."""

    scopes = {"GET": "clients:read", "POST": "clients:write"}

    @extend_schema(responses=PeerSerializer(many=True))
    def get(self, request: Request, client_id: UUID) -> Response:
        caller = caller_of(request)
        client = find_client(caller, client_id)
        return self.page(request, visible_peers(caller).filter(client=client))

    @extend_schema(request=DeviceCreate, responses={201: PeerWithJob})
    def post(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        wanted, caller = _named(checked(DeviceCreate(data=request.data))), caller_of(request)
        interface = find_interface(wanted.pop("interface", None), caller=caller)
        added = add_client_device(
            caller=caller,
            client_id=client_id,
            interface=interface,
            at=timezone.now(),
            if_match=wanted_version(request),
            **wanted,
        )
        location = reverse("peer", kwargs={"peer_id": added.device.peer.uuid})
        return _answer(request, added.device, added.client, added.job, Location=location)


class PeerDetail(ApiView):
    """One device."""

    scopes = {"GET": "clients:read", "PATCH": "clients:write", "DELETE": "clients:write"}

    @extend_schema(responses=PeerSerializer)
    def get(self, request: Request, peer_id: UUID) -> Response:
        check_query(request, ())
        peer = find_peer(caller_of(request), peer_id)
        body = peer_body(_view(peer), peer.client, at=timezone.now())
        return Response(body, headers={"ETag": tag_of(peer.client, body)})

    @extend_schema(request=DevicePatch, responses=PeerWithJob)
    def patch(self, request: Request, peer_id: UUID) -> Response:
        check_query(request, ())
        peer = find_peer(caller_of(request), peer_id)
        shown = (_view(peer), peer.client)
        changed = update_client(
            caller=caller_of(request),
            client_id=peer.client.uuid,
            changes=_named(checked(DevicePatch(shown, data=request.data, partial=True))),
            at=timezone.now(),
            if_match=wanted_version(request),
            peer=peer,
        )
        return _answer_change(request, peer, changed)

    @extend_schema(responses=DELETED)
    def delete(self, request: Request, peer_id: UUID) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        peer = find_peer(caller, peer_id)
        changed = remove_client_device(
            caller=caller,
            client_id=peer.client.uuid,
            peer_id=peer_id,
            at=timezone.now(),
            if_match=wanted_version(request),
        )
        job = job_ref(changed.job)
        headers = {"X-VWG-Job": job["id"], "Link": f'<{job["href"]}>; rel="monitor"'}
        return respond(changed.job, request, {"job": job}, status=204, headers=headers)


class PeerRotateKeys(ApiView):
    """Give the device new keys. The old ones are off the interface at once, and the file that the
    customer has is worth nothing any more: hand out the new one.
    """

    scopes = {"POST": "clients:write"}

    @extend_schema(request=RotateKeys, responses=PeerWithJob)
    def post(self, request: Request, peer_id: UUID) -> Response:
        check_query(request, ())
        keys = checked(RotateKeys(data=request.data))
        peer = find_peer(caller_of(request), peer_id)
        changed = rotate_keys(
            caller=caller_of(request),
            client_id=peer.client.uuid,
            peer_id=peer_id,
            at=timezone.now(),
            if_match=wanted_version(request),
            **keys,
        )
        return _answer_change(request, peer, changed)


class PeerMove(ApiView):
    """Move the device to another interface (see the client's act)."""

    scopes = {"POST": "clients:write"}

    @extend_schema(request=Move, responses=PeerWithJob)
    def post(self, request: Request, peer_id: UUID) -> Response:
        check_query(request, ())
        wanted, caller = checked(Move(data=request.data)), caller_of(request)
        peer = find_peer(caller, peer_id)
        changed = move_client(
            caller=caller,
            client_id=peer.client.uuid,
            peer_id=peer_id,
            interface=find_interface(wanted["interface"], caller=caller),
            at=timezone.now(),
            if_match=wanted_version(request),
        )
        return _answer_change(request, peer, changed)


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """The services, to which a client has a name too, call a device's ``device_name``."""
    if "name" in values:
        values["device_name"] = values.pop("name")
    return values


def _view(peer: Peer) -> Device:
    return view_devices(Peer.objects.filter(pk=peer.pk))[0]


def _answer_change(request: Request, peer: Peer, changed: Changed) -> Response:
    return _answer(request, _view(peer), changed.client, changed.job)


def _answer(request: Request, device: Device, client: Client, job: Job, **headers: str) -> Response:
    """The device with its job, at once or when the job is done (`rest.prefer`)."""

    def now(fresh: Job) -> dict[str, Any]:
        body = peer_body(_view(device.peer), client, at=timezone.now())
        return {**body, "job": job_ref(fresh)}

    body = {**peer_body(device, client, at=timezone.now()), "job": job_ref(job)}
    return respond(
        job,
        request,
        body,
        status=201 if headers else 200,
        finished=now,
        headers=headers,
        tag=partial(tag_of, client),
    )
