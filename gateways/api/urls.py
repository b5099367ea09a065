"""/api/v1/jobs, and the operator's gateways, settings and schedule."""

from django.urls import path

from gateways.api.gateways import GatewayDetail, GatewayList, Settings
from gateways.api.scheduled import ScheduledJobList
from gateways.api.views import JobDetail, JobItems, JobList

urlpatterns = [
    path("gateways", GatewayList.as_view(), name="gateways"),
    path("gateways/<uuid:gateway_id>", GatewayDetail.as_view(), name="gateway"),
    path("settings", Settings.as_view(), name="settings"),
    path("scheduled-jobs", ScheduledJobList.as_view(), name="scheduled-jobs"),
    path("jobs", JobList.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", JobDetail.as_view(), name="job"),
    path("jobs/<uuid:job_id>/items", JobItems.as_view(), name="job-items"),
]
