"""The operators' pages, in the order of their menu."""

from django.urls import path

from portal.audit import views as audit
from portal.home import views as home
from portal.jobs import views as jobs
from portal.overview import views as overview
from portal.quarantine import views as quarantine
from portal.schedule import views as schedule
from portal.tenants import member_views, status_views
from portal.tenants import views as tenants

urlpatterns = [
    path("", home.front, name="operator-home"),
    path("overview/live/", overview.live, name="operator-home-live"),
    path("jobs/", jobs.job_list, name="job-list"),
    path("jobs/live/", jobs.live, name="job-list-live"),
    path("jobs/<uuid:uuid>/retry/", jobs.retry, name="job-retry-page"),
    path("quarantine/", quarantine.quarantine, name="quarantine"),
    path("schedule/", schedule.schedule, name="schedule"),
    path("schedule/live/", schedule.live, name="schedule-live"),
    path("tenants/", tenants.tenant_list, name="tenant-list"),
    path("tenants/new/", tenants.new, name="tenant-new"),
    path("tenants/<slug:slug>/", tenants.tenant, name="tenant-page"),
    path("tenants/<slug:slug>/edit/", tenants.edit, name="tenant-edit"),
    path("tenants/<slug:slug>/members/new/", member_views.new, name="tenant-member-new"),
    path(
        "tenants/<slug:slug>/members/<uuid:user>/role/",
        member_views.role,
        name="tenant-member-role",
    ),
    path(
        "tenants/<slug:slug>/members/<uuid:user>/remove/",
        member_views.remove,
        name="tenant-member-remove",
    ),
    path("tenants/<slug:slug>/<slug:act>/", status_views.turn, name="tenant-turn"),
    path("audit/", audit.audit_log, name="audit"),
    path("audit/file/", audit.audit_file, name="audit-file"),
]
