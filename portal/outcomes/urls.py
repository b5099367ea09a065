"""The pages of a tenant's jobs."""

from django.urls import path

from portal.outcomes import views

urlpatterns = [
    path("t/<slug:tenant>/jobs/", views.jobs, name="tenant-jobs"),
    path("t/<slug:tenant>/jobs/<uuid:uuid>/", views.job, name="tenant-job"),
]
