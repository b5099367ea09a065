"""The portal's pages."""

from allauth.account.views import LoginView, LogoutView
from django.urls import URLPattern, path

from portal.account import views as account
from portal.client import act_views, device_views, edit_views, link_views
from portal.client import views as client
from portal.home import views as home
from portal.operators import urlpatterns as operators
from portal.status import apply_views, peer_views, views


def _below_a_client() -> list[URLPattern]:
    """The dialogs about a client. What is none of these is one of `portal.client.acts`."""
    of_client = "t/<slug:tenant>/clients/<uuid:uuid>"
    of_device = f"{of_client}/devices/<uuid:peer_id>"
    return [
        path(f"{of_client}/edit/", edit_views.edit, name="client-edit"),
        path(f"{of_client}/devices/new/", device_views.add, name="client-device-new"),
        path(f"{of_client}/links/new/", link_views.make, name="client-link-new"),
        path(f"{of_client}/links/<uuid:link_id>/", link_views.revoke, name="client-link"),
        path(f"{of_device}/", device_views.file, name="client-file"),
        path(f"{of_device}/download/", device_views.download, name="client-download"),
        path(f"{of_device}/edit/", device_views.edit, name="client-device"),
        path(f"{of_device}/keys/", device_views.rotate, name="client-keys"),
        path(f"{of_device}/remove/", device_views.remove, name="client-device-remove"),
        path(f"{of_client}/<slug:name>/", act_views.act, name="client-act"),
    ]


urlpatterns = [
    path("", home.front, name="front"),
    path("t/<slug:tenant>/", home.tenant_home, name="tenant-home"),
    path("t/<slug:tenant>/clients/<uuid:uuid>/", client.show, name="client"),
    path("t/<slug:tenant>/clients/<uuid:uuid>/live/", client.live, name="client-live"),
    path("t/<slug:tenant>/clients/<uuid:uuid>/history/", client.history, name="client-history"),
    *_below_a_client(),
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
    *operators,
]
