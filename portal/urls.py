"""The portal's pages."""

from allauth.account.views import LoginView, LogoutView
from django.urls import path

from portal.account import views as account
from portal.client import views as client
from portal.home import views as home
from portal.status import apply_views, peer_views, views

urlpatterns = [
    path("", home.front, name="front"),
    path("t/<slug:tenant>/", home.tenant_home, name="tenant-home"),
    path("t/<slug:tenant>/clients/<uuid:uuid>/", client.show, name="client"),
    path("t/<slug:tenant>/clients/<uuid:uuid>/live/", client.live, name="client-live"),
    path("t/<slug:tenant>/clients/<uuid:uuid>/history/", client.history, name="client-history"),
    path("status/", views.status, name="page-status"),
    path("live/", views.live, name="page-live"),
    path("apply/", apply_views.apply, name="page-apply"),
    path("jobs/<uuid:uuid>/", apply_views.job, name="page-job"),
    path("peers/new/", peer_views.new, name="page-peer-new"),
    path("peers/<uuid:uuid>/", peer_views.show, name="page-peer"),
    path("peers/<uuid:uuid>/file/", peer_views.file, name="page-peer-file"),
    path("peers/<uuid:uuid>/remove/", peer_views.remove, name="page-peer-remove"),
    path("sign-in/", LoginView.as_view(), name="account_login"),
    path("sign-out/", LogoutView.as_view(http_method_names=["post"]), name="account_logout"),
    path("account/", account.profile, name="account"),
    path("language/", account.language, name="page-language"),
    path("theme/", account.theme, name="page-theme"),
]
