"""Holds in the admin site: to look at. They are opened and closed on their client's page."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from quotas.models import Hold


@admin.register(Hold)
class HoldAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Why clients may not connect, and why they once could not."""

    list_display = ["client", "reason", "tenant", "note", "opened_at", "opened_by", "closed_at"]
    list_filter = ["reason", ("closed_at", admin.EmptyFieldListFilter), "tenant"]
    list_select_related = ["client", "tenant"]
    search_fields = ["client__name", "client__external_id", "note", "client__uuid"]
    date_hierarchy = "opened_at"
    ordering = ["-id"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False
