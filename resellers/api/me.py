"""/api/v1/me: who the caller is, for whom it acts, what it may do, and how much is used."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from resellers.queries import used
from rest.filters import check_query
from rest.views import ApiView
from tenants.models import Membership, Tenant, User
from tenants.permissions import ANYBODY, granted_scopes
from tenants.scoping import Caller, caller_of, memberships_of, sandbox_of


class MePerson(serializers.Serializer[Any]):
    """The person, where there is one."""

    id = serializers.UUIDField(source="uuid")
    username = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField(source="get_full_name")


class MeToken(serializers.Serializer[Any]):
    """The token, where the request showed one."""

    id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    prefix = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)
    allowed_cidrs = serializers.ListField(child=serializers.CharField())


class MeTenant(serializers.Serializer[Any]):
    """A tenant that the caller may act for, with the role in it."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Tenant.Status.choices)
    sandbox = serializers.BooleanField()
    role = serializers.ChoiceField(choices=Membership.Role.choices, allow_null=True)


class MeLimits(serializers.Serializer[Any]):
    """The acting tenant's limits; null is none."""

    max_clients = serializers.IntegerField(allow_null=True)
    max_devices_per_client = serializers.IntegerField(allow_null=True)
    max_bytes_per_period = serializers.IntegerField(allow_null=True)
    pool_counts = serializers.ChoiceField(choices=Tenant.PoolCounts.choices)
    max_speed_kbit = serializers.IntegerField(allow_null=True)


class MeUsed(serializers.Serializer[Any]):
    """What the acting tenant has."""

    clients = serializers.IntegerField()
    devices = serializers.IntegerField()


class MeSerializer(serializers.Serializer[Any]):
    """The caller. ``scopes`` are those that token, role and operator level leave together."""

    kind = serializers.ChoiceField(choices=["session", "token"])
    user = MePerson(allow_null=True)
    token = MeToken(allow_null=True)
    operator = serializers.ChoiceField(
        choices=[choice for choice in User.Operator.choices if choice[0]], allow_null=True
    )
    role = serializers.ChoiceField(choices=Membership.Role.choices, allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField())
    sandbox = serializers.BooleanField()
    tenant = MeTenant()
    limits = MeLimits()
    used = MeUsed()
    tenants = MeTenant(many=True)


class Me(ApiView):
    """Who the caller is."""

    scopes = {"GET": ANYBODY}

    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        check_query(request, ())
        return Response(_body(caller_of(request)))


def _body(caller: Caller) -> dict[str, Any]:
    role = caller.role or None
    own = _tenant(caller.tenant, role)
    return {
        "kind": "token" if caller.token else "session",
        "user": MePerson(caller.user).data if caller.user else None,
        "token": MeToken(caller.token).data if caller.token else None,
        "operator": caller.operator or None,
        "role": role,
        "scopes": sorted(granted_scopes(caller)),
        "sandbox": caller.tenant.is_sandbox,
        "tenant": own,
        "limits": MeLimits(caller.tenant).data,
        "used": used(caller.tenant),
        "tenants": [own] if caller.token or not caller.user else _choices(caller.user, own),
    }


def _choices(user: User, own: dict[str, Any]) -> list[dict[str, Any]]:
    """What a session may name in ``X-VWG-Tenant``; an operator may name any tenant."""
    found = []
    for membership in memberships_of(user):
        found.append(_tenant(membership.tenant, membership.role))
        twin = sandbox_of(membership.tenant)
        if twin is not None:
            found.append(_tenant(twin, membership.role))
    return found if any(one["id"] == own["id"] for one in found) else [own, *found]


def _tenant(tenant: Tenant, role: str | None) -> dict[str, Any]:
    return {
        "id": str(tenant.uuid),
        "slug": tenant.slug,
        "name": tenant.name,
        "status": str(tenant.status),
        "sandbox": tenant.is_sandbox,
        "role": role,
    }
