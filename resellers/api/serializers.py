"""Shapes of bodies about tenants and their people."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from resellers.values import MAX_BIG, MAX_INT, MAX_THRESHOLDS, MAX_WARN_DAYS, MAX_WARN_PERCENT
from rest.fields import (
    PlainText,
    StrictBoolean,
    StrictChoice,
    StrictInteger,
    StrictSerializer,
    StrictUUID,
)
from tenants.models import Membership, Tenant

_LANGUAGES = [code for code, _ in settings.LANGUAGES]


def text(longest: int, **options: Any) -> PlainText:
    """One line that may be empty and may be left out."""
    return PlainText(**{"max_length": longest, "required": False, "allow_blank": True, **options})


def number(most: int, least: int = 0, **options: Any) -> StrictInteger:
    """A limit: null is none."""
    wide = {"min_value": least, "max_value": most, "required": False, "allow_null": True}
    return StrictInteger(**{**wide, **options})


def thresholds(most: int, **options: Any) -> serializers.ListField:
    """Numbers from 1, a few of them."""
    child = StrictInteger(min_value=1, max_value=most)
    return serializers.ListField(child=child, max_length=MAX_THRESHOLDS, required=False, **options)


def ids(**options: Any) -> serializers.ListField:
    """Up to 1,000 public ids; null for no limit."""
    wide = {"max_length": 1000, "required": False, "allow_null": True}
    return serializers.ListField(child=StrictUUID(), **{**wide, **options})


class OwnTenant(StrictSerializer):
    """A tenant, as its owners may change it. Limits and status are the operators'."""

    id = serializers.UUIDField(source="uuid", read_only=True)
    slug = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=Tenant.Status.choices, read_only=True)
    status_reason = serializers.CharField(read_only=True)
    status_since = serializers.DateTimeField(read_only=True, allow_null=True)
    sandbox_of = serializers.SerializerMethodField()
    max_clients = serializers.IntegerField(read_only=True, allow_null=True)
    max_devices_per_client = serializers.IntegerField(read_only=True, allow_null=True)
    max_bytes_per_period = serializers.IntegerField(read_only=True, allow_null=True)
    pool_counts = serializers.ChoiceField(choices=Tenant.PoolCounts.choices, read_only=True)
    pool_reset = serializers.ChoiceField(choices=Tenant.PoolReset.choices, read_only=True)
    pool_stops = serializers.ChoiceField(choices=Tenant.PoolStops.choices, read_only=True)
    max_speed_kbit = serializers.IntegerField(read_only=True, allow_null=True)
    requests_per_minute = serializers.IntegerField(read_only=True, allow_null=True)
    interfaces = serializers.SerializerMethodField()
    pools = serializers.SerializerMethodField()
    contact_name = text(120)
    contact_email = text(254)
    contact_phone = text(32)
    brand_name = text(60)
    brand_color = text(7)
    brand_color_dark = text(7)
    support_url = text(255)
    config_prefix = text(8)
    logo = serializers.SerializerMethodField()
    timezone = text(64, allow_blank=False)
    language = StrictChoice(choices=_LANGUAGES, required=False)
    customers_sign_in = StrictBoolean(
        required=False, help_text="Whether customers see their clients by a login of their own."
    )
    warn_percents = thresholds(
        MAX_WARN_PERCENT, help_text="Percent of a quota, or of the pool, at which events warn."
    )
    warn_days = thresholds(MAX_WARN_DAYS, help_text="Days before an end at which events warn.")
    version = serializers.IntegerField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    @extend_schema_field({"type": ["string", "null"], "format": "uuid"})
    def get_sandbox_of(self, tenant: Tenant) -> str | None:
        return str(tenant.sandbox_of.uuid) if tenant.sandbox_of else None

    @extend_schema_field({"type": ["array", "null"], "items": {"type": "string", "format": "uuid"}})
    def get_interfaces(self, tenant: Tenant) -> list[str] | None:
        rows = tenant.interfaces.all() if tenant.limits_interfaces else None
        return None if rows is None else [str(row.uuid) for row in rows]

    @extend_schema_field({"type": ["array", "null"], "items": {"type": "string", "format": "uuid"}})
    def get_pools(self, tenant: Tenant) -> list[str] | None:
        rows = tenant.pools.all() if tenant.limits_pools else None
        return None if rows is None else [str(row.uuid) for row in rows]

    @extend_schema_field({"type": ["string", "null"]})
    def get_logo(self, tenant: Tenant) -> str | None:
        return reverse("tenant-logo") if tenant.brand_logo_type else None


class TenantPatch(OwnTenant):
    """What operators may change of a tenant."""

    name = PlainText(max_length=120, required=False)
    max_clients = number(MAX_INT)
    max_devices_per_client = number(MAX_INT, 1)
    max_bytes_per_period = number(MAX_BIG)
    pool_counts = StrictChoice(choices=Tenant.PoolCounts.choices, required=False)
    pool_reset = StrictChoice(choices=Tenant.PoolReset.choices, required=False)
    pool_stops = StrictChoice(choices=Tenant.PoolStops.choices, required=False)
    max_speed_kbit = number(MAX_BIG, 1)
    requests_per_minute = number(MAX_INT, 1)
    interfaces = ids()  # type: ignore[assignment]
    pools = ids()  # type: ignore[assignment]

    def to_representation(self, instance: Any) -> Any:
        return OwnTenant(instance).data


class PersonIn(StrictSerializer):
    """Somebody: by e-mail address (a new account is made for one that nobody has) or, for an
    account that has no address, by user name. Operators name any account by its user name.
    """

    email = PlainText(max_length=254, required=False)
    username = PlainText(max_length=150, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("email" in attrs) == ("username" in attrs):
            raise serializers.ValidationError("Give either email or username.", "one_of")
        return attrs


class TenantCreate(TenantPatch):
    """A new tenant."""

    name = PlainText(max_length=120)
    slug = PlainText(max_length=48, required=False)
    owner = PersonIn(required=False)


class MemberSerializer(serializers.Serializer[Any]):
    """A person who may act for the tenant. ``id`` is the person's.

    The user name is told of those alone who have no e-mail address: of others it would tell that
    an account was there before the tenant named its address.
    """

    id = serializers.UUIDField(source="user.uuid")
    email = serializers.CharField(source="user.email")
    username = serializers.SerializerMethodField()
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    created_at = serializers.DateTimeField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_username(self, member: Membership) -> str | None:
        return None if member.user.email else member.user.get_username()


class MemberCreate(PersonIn):
    """A new member."""

    role = StrictChoice(choices=Membership.Role.choices)


class MemberPatch(StrictSerializer):
    """A member's role."""

    id = serializers.UUIDField(source="user.uuid", read_only=True)
    email = serializers.CharField(source="user.email", read_only=True)
    username = serializers.SerializerMethodField()
    role = StrictChoice(choices=Membership.Role.choices, required=False)
    created_at = serializers.DateTimeField(read_only=True)

    @extend_schema_field({"type": ["string", "null"]})
    def get_username(self, member: Membership) -> str | None:
        return None if member.user.email else member.user.get_username()
