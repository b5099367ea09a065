"""Tenants, people and tokens in the admin. A token's digest is never shown, its text unknown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from audit.events import Actor
from tenants.models import ApiToken, Membership, Tenant, User
from tenants.scoping import client_address
from tenants.tokens import revoke


class MembershipInline(admin.TabularInline[Membership, Model]):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin[Tenant]):
    """Status is changed by suspending and resuming, which also block and unblock the clients."""

    list_display = ["slug", "name", "status", "created_at"]
    list_filter = ["status"]
    search_fields = ["slug", "name"]
    readonly_fields = ["uuid", "status", "created_at"]
    inlines = [MembershipInline]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People: their level as operators stands beside Django's own fields."""

    list_display = ["username", "email", "operator", "is_active", "last_login"]
    list_filter = ["operator", "is_active"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Rights", {"fields": ["is_active", "operator", "is_staff", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """To look at and to revoke. Tokens are made where their text can be shown once."""

    list_display = [
        "name",
        "tenant",
        "prefix",
        "operator",
        "expires_at",
        "revoked_at",
        "last_used_at",
    ]
    list_filter = ["operator", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["tenant"]
    search_fields = ["name", "prefix", "tenant__slug"]
    exclude = ["digest"]
    actions = ["revoke_selected"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tenants.change_apitoken")

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        user: Any = request.user
        actor = Actor("user", str(user.uuid), user.get_username(), client_address(request))
        at = timezone.now()
        for token in queryset.filter(revoked_at__isnull=True):
            revoke(token=token, at=at, actor=actor)
        self.message_user(request, "The tokens are revoked.", messages.SUCCESS)
