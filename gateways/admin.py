"""The admin site's view of gateways: what is wanted may be edited, what was seen may be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.events import Target, record
from gateways.models import (
    AddressPool,
    Gateway,
    GlobalSetting,
    Heartbeat,
    Interface,
    Job,
    JobItem,
)
from tenants.scoping import caller_of

_INTERFACE_SEEN = (
    "state", "state_reason", "observed_at", "observed_backend", "observed_peers", "drift",
    "guard_keys", "guard_since", "stamp", "apply_seq", "observed_seq", "boot_id",
    "boot_dirty_since",
)  # fmt: skip


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that only vwg itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AuditedAdmin(admin.ModelAdmin[Any]):
    """Rows that operators may change here; every change is in the audit log, values and all."""

    #: Fields that are written into customers' files.
    in_files: frozenset[str] = frozenset()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and record what changed. The admin's change view is one transaction."""
        if self.in_files.intersection(form.changed_data):
            obj.config_generation += 1
        super().save_model(request, obj, form, change)
        kind = obj._meta.model_name
        record(
            actor=caller_of(request).actor,
            action=f"{kind}.{'updated' if change else 'created'}",
            target=Target(type=kind, id=str(getattr(obj, "uuid", obj.pk)), name=str(obj)),
            before={name: str(form.initial.get(name)) for name in form.changed_data},
            after={name: str(form.cleaned_data.get(name)) for name in form.changed_data},
        )


@admin.register(GlobalSetting)
class GlobalSettingAdmin(AuditedAdmin):
    """The one row of defaults."""

    list_display = ("__str__", "endpoint_address", "mtu", "persistent_keepalive", "updated_at")
    readonly_fields = ("updated_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not GlobalSetting.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: GlobalSetting | None = None) -> bool:
        return False


@admin.register(Gateway)
class GatewayAdmin(AuditedAdmin):
    """Hosts. The slug names a queue, so it stays as it was made."""

    list_display = ("slug", "name", "endpoint_address", "last_seen_at", "alarm")
    search_fields = ("slug", "name", "endpoint_address", "uuid")
    readonly_fields = ("uuid", "host_id", "alarm", "last_seen_at", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Gateway | None = None) -> list[str]:
        return [*self.readonly_fields, *(["slug", "netns"] if obj else [])]


@admin.register(Interface)
class InterfaceAdmin(AuditedAdmin):
    """Interfaces. The private key is nowhere on the page; keys, port and addresses outdate the
    customers' files or re-bind the socket, so they are changed by `manage.py`, not here.
    """

    in_files = frozenset({"endpoint_address", "dns_servers", "mtu"})

    list_display = (
        "__str__", "state", "listen_port", "enabled", "is_default", "restart_policy",
        "observed_peers", "observed_at",
    )  # fmt: skip
    list_filter = ("state", "enabled", "backend", "restart_policy", "gateway")
    list_select_related = ("gateway",)
    search_fields = ("name", "public_key", "gateway__slug", "uuid")
    readonly_fields = (
        "uuid", "gateway", "name", "public_key", "listen_port", "addresses", "wg_quick",
        "config_generation", "created_at", *_INTERFACE_SEEN,
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("uuid", "gateway", "name", "is_default", "enabled")}),
        ("Fixed at setup", {"fields": ("public_key", "listen_port", "addresses", "wg_quick")}),
        ("New files", {"fields": ("endpoint_address", "dns_servers", "config_generation")}),
        (
            "Link",
            {"fields": ("mtu", "firewall_mark", "table", "backend", "restart_policy", "forward",
                        "nat")},
        ),
        (
            "Next bring-up",
            {"fields": ("pre_up", "post_up", "pre_down", "post_down"), "classes": ("collapse",)},
        ),
        ("Seen", {"fields": _INTERFACE_SEEN}),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made by `manage.py setup`: it also makes the key and the pools."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Interface | None = None) -> bool:
        return False


@admin.register(AddressPool)
class AddressPoolAdmin(ReadOnlyAdmin):
    """Pools and how far they are given out."""

    list_display = ("name", "network", "interface", "family", "size", "next_offset")
    list_filter = ("family", "gateway")
    list_select_related = ("interface__gateway",)
    search_fields = ("name", "network", "uuid")


class JobItemInline(admin.TabularInline[JobItem, Job]):
    """The first items of a job; the API pages through all of them."""

    model = JobItem
    fields = readonly_fields = (
        "interface", "action", "public_key", "status", "tier", "attempts", "duration_ms", "message",
    )  # fmt: skip
    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True
    shown = 200

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobItem]:
        """A bulk job has thousands of items: the page shows those of the first ``shown``."""
        rows = super().get_queryset(request).select_related("interface__gateway")
        match = request.resolver_match
        job_id = match.kwargs.get("object_id") if match else None
        if not (job_id or "").isdecimal():
            return rows.none()
        first = JobItem.objects.filter(job_id=int(job_id or 0)).order_by("pk")
        return rows.filter(pk__in=list(first.values_list("pk", flat=True)[: self.shown]))


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """What was applied, by whom, and how far it is."""

    list_display = (
        "uuid", "kind", "status", "progress", "tier", "tenant", "actor_name", "created_at",
        "finished_at",
    )  # fmt: skip
    list_filter = ("status", "kind", "tier")
    list_select_related = ("tenant",)
    search_fields = ("uuid", "actor_name", "message")
    show_full_result_count = False
    inlines = (JobItemInline,)

    @admin.display(description="progress")
    def progress(self, job: Job) -> str:
        """Settled of all, and how many of them failed."""
        failed = f", {job.failed} failed" if job.failed else ""
        return f"{job.done} of {job.total}{failed}"


@admin.register(JobItem)
class JobItemAdmin(ReadOnlyAdmin):
    """One peer's outcome."""

    list_display = (
        "job", "interface", "action", "public_key", "status", "tier", "attempts", "duration_ms",
        "settled_at",
    )  # fmt: skip
    list_filter = ("status", "action", "tier")
    list_select_related = ("job", "interface__gateway")
    search_fields = ("public_key", "job__uuid", "message")
    show_full_result_count = False


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """Which workers answer."""

    list_display = ("queue", "seen_at")
