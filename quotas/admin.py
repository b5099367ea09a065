"""Holds, meters and bytes of tenants in the admin site: to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from quotas.models import Hold, Meter, TenantUsage


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Meter)
class MeterAdmin(_ReadOnly):
    """What devices counted, those that are gone too."""

    list_display = [
        "client_name", "tenant", "interface", "raw_up", "raw_down", "billed_up", "billed_down",
        "sampled_at",
    ]  # fmt: skip
    list_filter = ["tenant", "interface"]
    list_select_related = ["tenant", "interface__gateway"]
    search_fields = ["client_name", "external_id", "client_uuid", "peer_uuid"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(TenantUsage)
class TenantUsageAdmin(_ReadOnly):
    """What tenants used and sold, and whether their pool is used up."""

    list_display = [
        "tenant", "billed_up", "billed_down", "sold_bytes", "period", "period_began_at",
        "period_ends_at", "stopped_since",
    ]  # fmt: skip
    list_filter = [("stopped_since", admin.EmptyFieldListFilter)]
    list_select_related = ["tenant"]
    search_fields = ["tenant__slug", "tenant__name"]


@admin.register(Hold)
class HoldAdmin(_ReadOnly):
    """Why clients may not connect, and why they once could not."""

    list_display = ["client", "reason", "tenant", "note", "opened_at", "opened_by", "closed_at"]
    list_filter = ["reason", ("closed_at", admin.EmptyFieldListFilter), "tenant"]
    list_select_related = ["client", "tenant"]
    search_fields = ["client__name", "client__external_id", "note", "client__uuid"]
    date_hierarchy = "opened_at"
    ordering = ["-id"]
