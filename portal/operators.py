"""The operators' pages, in the order of their menu."""

from django.urls import path

from portal.audit import views as audit
from portal.client import transfer_views
from portal.gateways import decision_views, interface_views, pool_views
from portal.gateways import views as gateways
from portal.home import views as home
from portal.jobs import views as jobs
from portal.overview import views as overview
from portal.quarantine import views as quarantine
from portal.schedule import views as schedule
from portal.settings import views as settings
from portal.system import views as system
from portal.tenants import member_views, status_views
from portal.tenants import views as tenants
from portal.wake import views as wake

urlpatterns = [
    path("", home.front, name="operator-home"),
    path("overview/live/", overview.live, name="operator-home-live"),
    path("gateways/", gateways.gateway_list, name="gateway-list"),
    path("gateways/new/", gateways.new, name="gateway-new"),
    path("gateways/<uuid:uuid>/edit/", gateways.edit, name="gateway-edit"),
    path("gateways/<uuid:uuid>/alarm/", gateways.put_out, name="gateway-put-out"),
    path("gateways/<uuid:uuid>/delete/", gateways.delete, name="gateway-delete"),
    path("interfaces/new/", interface_views.new, name="interface-new"),
    path("interfaces/<uuid:uuid>/", interface_views.show, name="interface-page"),
    path("interfaces/<uuid:uuid>/edit/", interface_views.edit, name="interface-edit"),
    path("interfaces/<uuid:uuid>/delete/", interface_views.delete, name="interface-delete"),
    *(
        path(
            f"interfaces/<uuid:uuid>/{deed}/",
            interface_views.act,
            {"deed": deed},
            name=f"interface-{deed}",
        )
        for deed in ("key", "stop", "start")
    ),
    *(
        path(
            f"interfaces/<uuid:uuid>/{deed}/",
            decision_views.decide,
            {"deed": deed},
            name=f"interface-{deed}",
        )
        for deed in ("adopt", "remove")
    ),
    path("pools/", pool_views.pool_list, name="pool-list"),
    path("pools/new/", pool_views.new, name="pool-new"),
    path("pools/<uuid:uuid>/", pool_views.rename, name="pool-rename"),
    path("pools/<uuid:uuid>/delete/", pool_views.delete, name="pool-delete"),
    path("wake/", wake.hosts, name="wake"),
    path("wake/new/", wake.new, name="wake-new"),
    path("wake/<uuid:uuid>/", wake.wake, name="wake-one"),
    path("wake/<uuid:uuid>/edit/", wake.edit, name="wake-edit"),
    path("wake/<uuid:uuid>/delete/", wake.delete, name="wake-delete"),
    path("settings/", settings.settings, name="settings"),
    path("system/", system.system, name="system"),
    path("system/bundle/", system.support, name="system-bundle"),
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
    path(
        "tenants/<slug:slug>/clients/<uuid:uuid>/transfer/",
        transfer_views.transfer,
        name="client-transfer",
    ),
    path("tenants/<slug:slug>/<slug:act>/", status_views.turn, name="tenant-turn"),
    path("audit/", audit.audit_log, name="audit"),
    path("audit/file/", audit.audit_file, name="audit-file"),
]
