"""Every URL of vwg."""

from django.contrib import admin
from django.urls import include, path

from rest import pages
from vwg.api import urlpatterns as api

handler400 = "vwg.errors.bad_request"
handler403 = "vwg.errors.permission_denied"
handler404 = "vwg.errors.not_found"
handler500 = "vwg.errors.server_error"

urlpatterns = [
    path("", include(api)),
    path("s/", include("portal.share.urls")),
    path("", include("portal.urls")),
    path("favicon.ico", pages.favicon),
    path("problems/", pages.problem_list, name="problems"),
    path("problems/<slug:slug>", pages.problem, name="problem"),
    path("admin/", admin.site.urls),
]
