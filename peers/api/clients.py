"""/api/v1/clients: the sellers' view of what they sell."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.serializers import job_ref
from gateways.models import Job
from peers.api.representation import client_body
from peers.api.serializers import (
    ClientCreate,
    ClientPatch,
    ClientSerializer,
    ClientWithJob,
    Disable,
    Nothing,
)
from peers.filters import CLIENT_FILTERS
from peers.models import Client
from peers.queries import (
    ClientView,
    find_by_external_id,
    find_client,
    find_interface,
    view_client,
    view_clients,
    visible_clients,
)
from peers.services.changes import Changed
from peers.services.clients import (
    create_client,
    delete_client,
    disable_client,
    enable_client,
    update_client,
)
from rest.etag import etag, wanted_version
from rest.filters import AllowListedFilters, check_query
from rest.pagination import KeysetPagination
from rest.prefer import respond
from rest.views import ApiView, checked
from tenants.scoping import caller_of


class ClientList(ApiView):
    """The tenant's clients, newest first; and new ones."""

    scopes = {"GET": "clients:read", "POST": "clients:write"}
    filters = CLIENT_FILTERS
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering_fields = ("name", "created_at", "updated_at")

    @extend_schema(responses=ClientSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = visible_clients(caller_of(request))
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[Client] = paginator.paginate_queryset(rows, request, view=self)
        at = timezone.now()
        bodies = [client_body(view, at=at) for view in view_clients(page)]
        return paginator.get_paginated_response(bodies)

    @extend_schema(request=ClientCreate, responses={201: ClientWithJob})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        wanted = checked(ClientCreate(data=request.data))
        name, interface = wanted.pop("name"), wanted.pop("interface", None)
        caller = caller_of(request)
        made = create_client(
            caller=caller,
            name=name,
            at=timezone.now(),
            interface=find_interface(interface, caller=caller),
            **wanted,
        )
        headers = {"Location": reverse("client", kwargs={"client_id": made.client.uuid})}
        return _respond(request, made.view, made.job, status=201, headers=headers)


class ClientDetail(ApiView):
    """One client."""

    scopes = {"GET": "clients:read", "PATCH": "clients:write", "DELETE": "clients:write"}

    @extend_schema(responses=ClientSerializer)
    def get(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        return _show(find_client(caller_of(request), client_id))

    @extend_schema(request=ClientPatch, responses=ClientWithJob)
    def patch(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        view = view_client(find_client(caller, client_id))
        changed = update_client(
            caller=caller,
            client_id=client_id,
            changes=checked(ClientPatch(view, data=request.data, partial=True)),
            at=timezone.now(),
            if_version=wanted_version(request),
        )
        return _changed(request, changed)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted; see X-VWG-Job.")})
    def delete(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        changed = delete_client(
            caller=caller_of(request),
            client_id=client_id,
            at=timezone.now(),
            if_version=wanted_version(request),
        )
        job = job_ref(changed.job)
        headers = {"X-VWG-Job": job["id"], "Link": f'<{job["href"]}>; rel="monitor"'}
        return respond(changed.job, request, {"job": job}, status=204, headers=headers)


class ClientByExternalId(ApiView):
    """One client, by the id that its seller gave it."""

    scopes = {"GET": "clients:read"}

    @extend_schema(responses=ClientSerializer)
    def get(self, request: Request, external_id: str) -> Response:
        check_query(request, ())
        return _show(find_by_external_id(caller_of(request), external_id))


class ClientEnable(ApiView):
    """Close the manual hold. Other holds stay."""

    scopes = {"POST": "clients:write"}

    @extend_schema(request=Nothing, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        checked(Nothing(data=request.data))
        changed = enable_client(
            caller=caller_of(request),
            client_id=client_id,
            at=timezone.now(),
            if_version=wanted_version(request),
        )
        return _changed(request, changed)


class ClientDisable(ApiView):
    """Open the manual hold: no packet passes, and nothing is forgotten."""

    scopes = {"POST": "clients:write"}

    @extend_schema(request=Disable, responses=ClientWithJob)
    def post(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        changed = disable_client(
            caller=caller_of(request),
            client_id=client_id,
            at=timezone.now(),
            if_version=wanted_version(request),
            **checked(Disable(data=request.data)),
        )
        return _changed(request, changed)


def _show(client: Client) -> Response:
    body = client_body(view_client(client), at=timezone.now())
    return Response(body, headers={"ETag": etag(client.version)})


def _changed(request: Request, changed: Changed) -> Response:
    return _respond(request, view_client(changed.client), changed.job, status=200, headers={})


def _respond(
    request: Request, view: ClientView, job: Job, *, status: int, headers: dict[str, str]
) -> Response:
    def now(fresh: Job) -> dict[str, Any]:
        return client_body(view_client(view.client), at=timezone.now(), job=fresh)

    return respond(
        job,
        request,
        client_body(view, at=timezone.now(), job=job),
        status=status,
        finished=now,
        headers={**headers, "ETag": etag(view.client.version)},
    )
