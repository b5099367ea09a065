"""Below /api/v1/: what customers get, and how; what hangs on a client is in `peers.api.urls`."""

from django.urls import path

from peers.api.archives import ClientConfigs

urlpatterns = [
    path("clients/configs", ClientConfigs.as_view(), name="client-configs"),
]
