"""The pages of the list of clients; and of everybody's, for operators."""

from django.urls import path

from portal.bulk import views as bulk
from portal.clients import export_views, kept_views, views

_T = "t/<slug:tenant>/clients/"

urlpatterns = [
    path(_T, views.clients, name="clients"),
    path(f"{_T}live/", views.live, name="clients-live"),
    path(f"{_T}counts/", views.counts, name="clients-counts"),
    path(f"{_T}columns/", views.columns, name="clients-columns"),
    path(f"{_T}filter/<slug:name>/", views.choose, name="clients-filter"),
    path(f"{_T}clients.csv", export_views.as_csv, name="clients-csv"),
    path(f"{_T}views/new/", kept_views.keep, name="clients-view-new"),
    path(f"{_T}views/<uuid:uuid>/forget/", kept_views.forget, name="clients-view-forget"),
    path(f"{_T}bulk/", bulk.act, name="clients-bulk"),
    path("clients/", views.all_clients, name="all-clients"),
    path("clients/live/", views.all_live, name="all-clients-live"),
    path("clients/counts/", views.all_counts, name="all-clients-counts"),
    path("clients/columns/", views.all_columns, name="all-clients-columns"),
    path("clients/filter/<slug:name>/", views.all_choose, name="all-clients-filter"),
]
