"""/api/v1/clients: the sellers' view of what they sell."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.serializers import DELETED, job_ref
from peers.api.answers import answer, answer_change, show
from peers.api.lookups import OfClient
from peers.api.representation import client_body
from peers.api.serializers import ClientCreate, ClientPatch, ClientSerializer, ClientWithJob
from peers.filters import CLIENT_FILTERS, Condition
from peers.models import Client
from peers.queries import (
    find_client,
    find_interface,
    restorable_clients,
    view_client,
    view_clients,
    visible_clients,
)
from peers.services.clients import create_client, update_client
from peers.services.removal import delete_client
from rest.etag import wanted_version
from rest.filters import AllowListedFilters, check_query
from rest.pagination import KeysetPagination
from rest.prefer import respond
from rest.views import ApiView, checked
from tenants.scoping import caller_of


class ClientList(ApiView):
    """The tenant's clients, newest first; and new ones."""

    scopes = {"GET": "clients:read", "POST": "clients:write"}
    # ``deleted`` narrows nothing down: `get` takes the one set or the other.
    filters = {"deleted": Condition(lambda _: Q(), ("true", "false")), **CLIENT_FILTERS}
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering_fields = ("name", "created_at", "updated_at", "expires_at")

    @extend_schema(responses=ClientSerializer(many=True))
    def get(self, request: Request) -> Response:
        caller, at = caller_of(request), timezone.now()
        deleted = request.GET.get("deleted") == "true"
        rows = restorable_clients(caller, at=at) if deleted else visible_clients(caller)
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[Client] = paginator.paginate_queryset(rows, request, view=self)
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
            savepoint=False,
            **wanted,
        )
        headers = {"Location": reverse("client", kwargs={"client_id": made.client.uuid})}
        return answer(request, made.view, made.job, status=201, headers=headers)


class ClientDetail(OfClient):
    """One client."""

    scopes = {"GET": "clients:read", "PATCH": "clients:write", "DELETE": "clients:write"}

    @extend_schema(responses=ClientSerializer)
    def get(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        return show(find_client(caller_of(request), client_id))

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
            if_match=wanted_version(request),
        )
        return answer_change(request, changed)

    @extend_schema(responses=DELETED)
    def delete(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        changed = delete_client(
            caller=caller_of(request),
            client_id=client_id,
            at=timezone.now(),
            if_match=wanted_version(request),
        )
        job = job_ref(changed.job)
        headers = {"X-VWG-Job": job["id"], "Link": f'<{job["href"]}>; rel="monitor"'}
        return respond(changed.job, request, {"job": job}, status=204, headers=headers)
