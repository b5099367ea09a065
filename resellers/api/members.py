"""/api/v1/members: who may act for the tenant. Owners change it.

A sandbox shows none: its tokens are for integrators, whom the tenant's people do not concern.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from resellers.api.serializers import MemberCreate, MemberPatch, MemberSerializer
from resellers.invitations import invite_member
from resellers.services.members import (
    Person,
    add_member,
    change_role,
    find_member,
    remove_member,
)
from rest.filters import AllowListedFilters, Choice, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked, created
from tenants.models import Membership
from tenants.scoping import caller_of, visible


class MemberList(ApiView):
    """The tenant's members, newest first; and new ones."""

    scopes = {"GET": "members:read", "POST": "members:write"}
    filters = {"role": Choice("role", Membership.Role.values)}
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering_fields = ("created_at",)

    @extend_schema(responses=MemberSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = visible(Membership.objects.select_related("user"), caller_of(request))
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[Membership] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(MemberSerializer(page, many=True).data)

    @extend_schema(request=MemberCreate, responses={201: MemberSerializer})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        wanted = checked(MemberCreate(data=request.data))
        role = wanted.pop("role")
        caller = caller_of(request)
        member = add_member(caller=caller, person=Person(**wanted), role=role, at=timezone.now())
        invite_member(member, caller.tenant)
        where = reverse("member", kwargs={"user_id": member.user.uuid})
        return created(_body(member), location=where)


class MemberDetail(ApiView):
    """One member, by the person's id."""

    scopes = {"GET": "members:read", "PATCH": "members:write", "DELETE": "members:write"}

    @extend_schema(responses=MemberSerializer)
    def get(self, request: Request, user_id: UUID) -> Response:
        check_query(request, ())
        return Response(_body(find_member(caller_of(request), user_id)))

    @extend_schema(request=MemberPatch, responses=MemberSerializer)
    def patch(self, request: Request, user_id: UUID) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        member = find_member(caller, user_id)
        changes = checked(MemberPatch(member, data=request.data, partial=True))
        if "role" in changes:
            member = change_role(
                caller=caller, user_id=user_id, role=changes["role"], at=timezone.now()
            )
        return Response(_body(member))

    @extend_schema(responses={204: OpenApiResponse(description="No member any more.")})
    def delete(self, request: Request, user_id: UUID) -> Response:
        check_query(request, ())
        remove_member(caller=caller_of(request), user_id=user_id, at=timezone.now())
        return Response(status=204)


def _body(member: Membership) -> Any:
    return MemberSerializer(member).data
