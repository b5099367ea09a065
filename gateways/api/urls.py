"""/api/v1/jobs, and the operator's gateways, machines to wake, settings and schedule."""

from django.urls import path

from gateways.api.gateways import GatewayDetail, GatewayList, Settings
from gateways.api.scheduled import ScheduledJobList
from gateways.api.views import JobDetail, JobItems, JobList
from gateways.api.wake import WakeHostDetail, WakeHostList, WakeHostWake

urlpatterns = [
    path("gateways", GatewayList.as_view(), name="gateways"),
    path("gateways/<uuid:gateway_id>", GatewayDetail.as_view(), name="gateway"),
    path("wake-hosts", WakeHostList.as_view(), name="wake-hosts"),
    path("wake-hosts/<uuid:host_id>", WakeHostDetail.as_view(), name="wake-host"),
    path("wake-hosts/<uuid:host_id>/wake", WakeHostWake.as_view(), name="wake-host-wake"),
    path("settings", Settings.as_view(), name="settings"),
    path("scheduled-jobs", ScheduledJobList.as_view(), name="scheduled-jobs"),
    path("jobs", JobList.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", JobDetail.as_view(), name="job"),
    path("jobs/<uuid:job_id>/items", JobItems.as_view(), name="job-items"),
]
