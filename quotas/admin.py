"""Holds, meters and bytes of tenants in the admin site: to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from quotas.models import (
    CounterRun,
    Hold,
    LedgerSegment,
    Meter,
    Session,
    Shape,
    TenantUsage,
    Usage,
    UsageBucket,
)


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


@admin.register(Usage)
class UsageAdmin(_ReadOnly):
    """What clients used in all, and in their period."""

    list_display = [
        "client", "tenant", "billed_up", "billed_down", "extra_bytes", "period",
        "period_began_at", "period_ends_at", "throttled_since",
    ]  # fmt: skip
    list_filter = [("throttled_since", admin.EmptyFieldListFilter), "tenant"]
    list_select_related = ["client", "tenant"]
    search_fields = ["client__name", "client__external_id", "client__uuid"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(LedgerSegment)
class LedgerSegmentAdmin(_ReadOnly):
    """The ledger: what a device's counters did in a quarter of an hour."""

    list_display = [
        "meter", "tenant", "incarnation", "quarter", "from_rx", "to_rx", "from_tx", "to_tx",
        "billed_up", "billed_down", "flags", "rolled_up",
    ]  # fmt: skip
    list_filter = ["rolled_up", "tenant"]
    list_select_related = ["meter", "tenant"]
    search_fields = ["meter__client_name", "meter__client_uuid", "meter__peer_uuid"]
    raw_id_fields = ["interface"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(UsageBucket)
class UsageBucketAdmin(_ReadOnly):
    """Bytes of devices by time: what charts and statements add up."""

    list_display = [
        "meter", "tenant", "begins_at", "seconds", "raw_up", "raw_down", "billed_up",
        "billed_down",
    ]  # fmt: skip
    list_filter = ["tenant"]
    list_select_related = ["meter", "tenant"]
    search_fields = ["meter__client_name", "meter__client_uuid", "meter__peer_uuid"]
    raw_id_fields = ["interface"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(Session)
class SessionAdmin(_ReadOnly):
    """When devices were connected, from where."""

    list_display = ["peer", "tenant", "began_at", "ended_at", "endpoint", "up", "down"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter), "tenant"]
    list_select_related = ["peer", "tenant"]
    search_fields = ["peer__public_key", "peer__client__name", "endpoint"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(Shape)
class ShapeAdmin(_ReadOnly):
    """The speeds that are set on the interfaces."""

    list_display = ["peer", "tenant", "interface", "up_kbit", "down_kbit", "minor", "applied_at"]
    list_filter = ["interface", "tenant"]
    list_select_related = ["peer", "tenant", "interface__gateway"]
    search_fields = ["peer__public_key", "peer__client__name", "addresses"]
    ordering = ["-pk"]


@admin.register(CounterRun)
class CounterRunAdmin(_ReadOnly):
    """The lives of the interfaces' counters."""

    list_display = ["interface", "boot_id", "stamp", "began_at"]
    list_filter = ["interface"]
    list_select_related = ["interface__gateway"]
    search_fields = ["boot_id", "stamp"]
    ordering = ["-id"]
