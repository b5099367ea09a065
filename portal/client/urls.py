"""The pages of a client, its dialogs, and the forms of new ones."""

from django.urls import path

from portal.client import act_views, device_views, edit_views, link_views, login_views, views
from portal.create import many_views
from portal.create import views as create

_ALL = "t/<slug:tenant>/clients"
_CLIENT = f"{_ALL}/<uuid:uuid>"
_DEVICE = f"{_CLIENT}/devices/<uuid:peer_id>"

urlpatterns = [
    path(f"{_ALL}/new/", create.new, name="client-new"),
    path(f"{_ALL}/many/", many_views.many, name="clients-many"),
    path(f"{_CLIENT}/", views.show, name="client"),
    path(f"{_CLIENT}/live/", views.live, name="client-live"),
    path(f"{_CLIENT}/history/", views.history, name="client-history"),
    path(f"{_CLIENT}/edit/", edit_views.edit, name="client-edit"),
    path(f"{_CLIENT}/devices/new/", device_views.add, name="client-device-new"),
    path(f"{_CLIENT}/links/new/", link_views.make, name="client-link-new"),
    path(f"{_CLIENT}/links/<uuid:link_id>/", link_views.revoke, name="client-link"),
    path(f"{_CLIENT}/logins/new/", login_views.add, name="client-login-new"),
    path(f"{_CLIENT}/logins/<uuid:login_id>/", login_views.remove, name="client-login"),
    path(f"{_DEVICE}/", device_views.file, name="client-file"),
    path(f"{_DEVICE}/download/", device_views.download, name="client-download"),
    path(f"{_DEVICE}/edit/", device_views.edit, name="client-device"),
    path(f"{_DEVICE}/keys/", device_views.rotate, name="client-keys"),
    path(f"{_DEVICE}/remove/", device_views.remove, name="client-device-remove"),
    # What is none of the above is one of `portal.client.acts`.
    path(f"{_CLIENT}/<slug:name>/", act_views.act, name="client-act"),
]
