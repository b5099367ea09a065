"""/api/v1/clients, /api/v1/peers and the founding calls; included below /api/."""

from django.urls import path

from peers.api.bulk import BulkDetail, BulkItems, BulkList, ClientBulk
from peers.api.clients import (
    ClientByExternalId,
    ClientDetail,
    ClientDisable,
    ClientEnable,
    ClientList,
)
from peers.api.configs import ClientConfig, PeerConfigFile
from peers.api.founding import AddPeerView, ApplyView, RemovePeerView, StatusView

urlpatterns = [
    path("v1/clients", ClientList.as_view(), name="clients"),
    path("v1/clients/bulk", ClientBulk.as_view(), name="client-bulk"),
    path("v1/bulk", BulkList.as_view(), name="bulks"),
    path("v1/bulk/<uuid:run_id>", BulkDetail.as_view(), name="bulk"),
    path("v1/bulk/<uuid:run_id>/items", BulkItems.as_view(), name="bulk-items"),
    path(
        "v1/clients/by-external-id/<path:external_id>",
        ClientByExternalId.as_view(),
        name="client-by-external-id",
    ),
    path("v1/clients/<uuid:client_id>", ClientDetail.as_view(), name="client"),
    path("v1/clients/<uuid:client_id>/enable", ClientEnable.as_view(), name="client-enable"),
    path("v1/clients/<uuid:client_id>/disable", ClientDisable.as_view(), name="client-disable"),
    path("v1/clients/<uuid:client_id>/config", ClientConfig.as_view(), name="client-config"),
    path("v1/peers/<uuid:peer_id>/config", PeerConfigFile.as_view(), name="peer-config"),
    path("wg/add-peer", AddPeerView.as_view(), name="wg-add-peer"),
    path("wg/remove-peer", RemovePeerView.as_view(), name="wg-remove-peer"),
    path("wg/status", StatusView.as_view(), name="wg-status"),
    path("apply-wg-config", ApplyView.as_view(), name="apply-wg-config"),
]
