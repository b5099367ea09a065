"""/api/v1/clients/{id}/logins and /api/v1/logins/{id}: which people see a client as customers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from peers.api.lookups import OfClient
from peers.models import CustomerAccess
from peers.queries import find_client
from resellers.api.serializers import PersonIn
from resellers.invitations import invite_customer
from resellers.services.customers import add_login, find_login, logins_of, remove_login
from resellers.services.members import Person
from rest.errors import Forbidden
from rest.filters import AllowListedFilters, Filter, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked, created
from tenants.permissions import may
from tenants.scoping import caller_of


class LoginSerializer(serializers.Serializer[Any]):
    """A person who sees a client as its customer.

    The user name is told of those alone who have no e-mail address, as it is of members.
    """

    id = serializers.UUIDField(source="uuid")
    client = serializers.UUIDField(source="client.uuid")
    email = serializers.CharField(source="user.email")
    username = serializers.SerializerMethodField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_username(self, login: CustomerAccess) -> str | None:
        return None if login.user.email else login.user.get_username()


class LoginCreate(PersonIn):
    """A person who is to see the client."""


class ClientLogins(OfClient):
    """Who sees the client as its customer, newest first; and more of them, who get a mail."""

    scopes = {"GET": "clients:read", "POST": "clients:write"}
    filters: dict[str, Filter] = {}
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination

    @extend_schema(responses=LoginSerializer(many=True))
    def get(self, request: Request, client_id: UUID) -> Response:
        caller = caller_of(request)
        rows = logins_of(caller, find_client(caller, client_id))
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[CustomerAccess] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(LoginSerializer(page, many=True).data)

    @extend_schema(request=LoginCreate, responses={201: LoginSerializer})
    def post(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        if not may(caller, "configs:read"):
            raise Forbidden("A customer sees the files: this also needs configs:read.")
        person = Person(**checked(LoginCreate(data=request.data)))
        login = add_login(caller=caller, client_id=client_id, person=person, at=timezone.now())
        invite_customer(login, caller.tenant)
        where = reverse("login", kwargs={"login_id": login.uuid})
        return created(LoginSerializer(login).data, location=where)


class LoginDetail(ApiView):
    """One login of a customer."""

    scopes = {"GET": "clients:read", "DELETE": "clients:write"}

    @extend_schema(operation_id="login", responses=LoginSerializer)
    def get(self, request: Request, login_id: UUID) -> Response:
        check_query(request, ())
        return Response(LoginSerializer(find_login(caller_of(request), login_id)).data)

    @extend_schema(
        operation_id="login_delete",
        responses={204: OpenApiResponse(description="The person sees nothing of it any more.")},
    )
    def delete(self, request: Request, login_id: UUID) -> Response:
        check_query(request, ())
        remove_login(caller=caller_of(request), login_id=login_id, at=timezone.now())
        return Response(status=204)
