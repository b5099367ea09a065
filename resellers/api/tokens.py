"""/api/v1/tokens: the tenant's API tokens and its sandbox's. The text is shown once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from resellers.queries import visible_tokens
from resellers.services.tokens import (
    MAX_CIDRS,
    TokenWish,
    find_token,
    issue_token,
    revoke_token,
    update_token,
)
from resellers.values import MAX_INT
from rest.fields import (
    PlainText,
    StrictBoolean,
    StrictInteger,
    StrictMoment,
    StrictSerializer,
    StrictUUID,
)
from rest.filters import AllowListedFilters, Flag, Identifier, Text, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked, created
from tenants.models import ApiToken
from tenants.permissions import EVERYTHING, READS, SCOPES
from tenants.scoping import caller_of

_SCOPE_HELP = f"{', '.join([EVERYTHING, READS, *SCOPES])}"


def _scopes(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=PlainText(max_length=40), max_length=len(SCOPES) + 2, help_text=_SCOPE_HELP, **options
    )


class TokenSerializer(StrictSerializer):
    """A token, without its text. ``user`` is null for a machine's."""

    id = serializers.UUIDField(source="uuid", read_only=True)
    name = PlainText(max_length=120, required=False)
    prefix = serializers.CharField(read_only=True)
    user = serializers.SerializerMethodField()
    scopes = _scopes(required=False)
    operator = serializers.BooleanField(read_only=True)
    sandbox = serializers.BooleanField(source="tenant.is_sandbox", read_only=True)
    allowed_cidrs = serializers.ListField(child=serializers.CharField(), read_only=True)
    expires_at = StrictMoment(required=False, allow_null=True)
    requests_per_minute = serializers.IntegerField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)
    last_used_ip = serializers.CharField(read_only=True, allow_null=True)
    revoked_at = serializers.DateTimeField(read_only=True, allow_null=True)

    @extend_schema_field({"type": ["string", "null"], "format": "uuid"})
    def get_user(self, token: ApiToken) -> str | None:
        return str(token.user.uuid) if token.user is not None else None


class TokenCreate(StrictSerializer):
    """A new token: a machine's, unless ``user`` names a member or ``mine`` is true."""

    name = PlainText(max_length=120)
    scopes = _scopes()
    allowed_cidrs = serializers.ListField(
        child=PlainText(max_length=43), max_length=MAX_CIDRS, required=False
    )
    expires_at = StrictMoment(required=False, allow_null=True)
    requests_per_minute = StrictInteger(
        min_value=1, max_value=MAX_INT, required=False, allow_null=True
    )
    user = StrictUUID(required=False, allow_null=True)
    mine = StrictBoolean(required=False)
    sandbox = StrictBoolean(
        required=False,
        help_text="For the tenant's sandbox, which the first one makes. A sandbox's own token "
        "makes no others.",
    )
    operator = StrictBoolean(required=False)


class TokenWithText(TokenSerializer):
    """A token as it is shown this once."""

    token = serializers.CharField(help_text="Keep it: it is never shown again.")


class TokenList(ApiView):
    """The tokens, newest first, revoked ones too; and new ones."""

    scopes = {"GET": "tokens:read", "POST": "tokens:write"}
    secret_fields = ("token",)
    filters = {
        "name": Text(("name",)),
        "prefix": Text(("prefix",)),
        "user": Identifier("user__uuid"),
        "sandbox": Flag(Q(tenant__sandbox_of__isnull=False)),
        "operator": Flag(Q(operator=True)),
        "revoked": Flag(Q(revoked_at__isnull=False)),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering_fields = ("name", "created_at", "expires_at", "last_used_at")

    @extend_schema(responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = visible_tokens(caller_of(request))
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[ApiToken] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(TokenSerializer(page, many=True).data)

    @extend_schema(request=TokenCreate, responses={201: TokenWithText})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        wanted = checked(TokenCreate(data=request.data))
        wanted["user_id"] = wanted.pop("user", None)
        caller = caller_of(request)
        token, text = issue_token(caller=caller, wish=TokenWish(**wanted), at=timezone.now())
        where = reverse("token", kwargs={"token_id": token.uuid})
        answer = created({**_body(token), "token": text}, location=where)
        answer["Cache-Control"] = "no-store"
        return answer


class TokenDetail(ApiView):
    """One token. Revoking it ends it at once and for good."""

    scopes = {"GET": "tokens:read", "PATCH": "tokens:write", "DELETE": "tokens:write"}

    @extend_schema(responses=TokenSerializer)
    def get(self, request: Request, token_id: UUID) -> Response:
        check_query(request, ())
        return Response(_body(find_token(caller_of(request), token_id)))

    @extend_schema(request=TokenSerializer, responses=TokenSerializer)
    def patch(self, request: Request, token_id: UUID) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        token = find_token(caller, token_id)
        changes = checked(TokenSerializer(token, data=request.data, partial=True))
        changed = update_token(caller=caller, token_id=token_id, changes=changes, at=timezone.now())
        return Response(_body(changed))

    @extend_schema(responses={204: OpenApiResponse(description="Revoked.")})
    def delete(self, request: Request, token_id: UUID) -> Response:
        check_query(request, ())
        revoke_token(caller=caller_of(request), token_id=token_id, at=timezone.now())
        return Response(status=204)


def _body(token: ApiToken) -> dict[str, Any]:
    return dict(TokenSerializer(token).data)
