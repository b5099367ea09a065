"""/api/v1/jobs."""

from django.urls import path

from gateways.api.views import JobDetail, JobItems, JobList

urlpatterns = [
    path("jobs", JobList.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", JobDetail.as_view(), name="job"),
    path("jobs/<uuid:job_id>/items", JobItems.as_view(), name="job-items"),
]
