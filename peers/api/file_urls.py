"""Below /api/v1/: what customers get, and how; what hangs on a client is in `peers.api.urls`."""

from django.urls import path

from peers.api.archives import ClientConfigs
from peers.api.links import LinkDetail, PeerLinks

urlpatterns = [
    path("clients/configs", ClientConfigs.as_view(), name="client-configs"),
    path("peers/<uuid:peer_id>/share-links", PeerLinks.as_view(), name="peer-share-links"),
    path("share-links/<uuid:link_id>", LinkDetail.as_view(), name="share-link"),
]
