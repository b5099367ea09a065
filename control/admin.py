"""The admin site's view of the machinery: jobs, the schedule, machines that gateways wake."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from gateways.admin import ReadOnlyAdmin, act_on_each, may_act
from gateways.models import Job, JobItem, ScheduledJob, WakeHost
from gateways.schedule import jobs, standings
from gateways.services.wake import wake_host
from peers.services.retries import retry_job
from tenants.scoping import caller_of


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
    actions = ("retry",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return may_act(request)

    @admin.action(
        description=pgettext_lazy("admin", "Try what failed again"), permissions=["retry"]
    )
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """A new job of the failed items of each."""
        caller, at = caller_of(request), timezone.now()
        act_on_each(
            self, request, jobs, lambda job: retry_job(caller=caller, job_id=job.uuid, at=at)
        )

    @admin.display(description=pgettext_lazy("admin", "progress"))
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


@admin.register(WakeHost)
class WakeHostAdmin(ReadOnlyAdmin):
    """Machines beside gateways; the portal's page adds and changes them."""

    list_display = ("name", "mac", "gateway", "link", "broadcast", "job", "created_at")
    list_filter = ("gateway",)
    list_select_related = ("gateway", "job")
    search_fields = ("name", "mac", "gateway__slug", "uuid")
    actions = ("wake",)

    def has_wake_permission(self, request: HttpRequest) -> bool:
        return may_act(request)

    @admin.action(description=pgettext_lazy("admin", "Wake"), permissions=["wake"])
    def wake(self, request: HttpRequest, hosts: QuerySet[WakeHost]) -> None:
        """Have the gateways send the packets."""
        actor = caller_of(request).actor
        act_on_each(self, request, hosts, lambda one: wake_host(actor=actor, host_id=one.uuid))


@admin.register(ScheduledJob)
class ScheduledJobAdmin(ReadOnlyAdmin):
    """The jobs that there must be; those of the schedule, and one per interface that is read."""

    list_display = (
        "name", "in_time", "finished_at", "next_at", "interval_seconds", "duration_ms", "counts",
        "runs", "failures", "error",
    )  # fmt: skip
    search_fields = ("name", "error")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduledJob]:
        return jobs().order_by(*self.get_ordering(request))

    @admin.display(description=pgettext_lazy("admin", "in time"), boolean=True)
    def in_time(self, job: ScheduledJob) -> bool:
        """Whether it finished within three intervals."""
        return not standings([job])[0].late

    @admin.display(description=pgettext_lazy("admin", "next"))
    def next_at(self, job: ScheduledJob) -> datetime | None:
        """When it should run again."""
        return job.started_at and job.started_at + timedelta(seconds=job.interval_seconds)
