"""The admin site's view of the schedule: what ran when, and what is late."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import pgettext_lazy

from gateways.admin import ReadOnlyAdmin
from gateways.models import ScheduledJob
from gateways.schedule import jobs, standings


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
