"""/api/v1/clients, /peers, /interfaces, /pools and the founding calls; included below /api/."""

from collections.abc import Iterator

from django.urls import URLPattern, include, path
from rest_framework.views import APIView

from peers.api.actions import (
    ClientChangePlan,
    ClientDisable,
    ClientEnable,
    ClientExtend,
    ClientKick,
    ClientMove,
    ClientResetUsage,
    ClientRestore,
    ClientRotateKeys,
    ClientSuspend,
    ClientTerminate,
    ClientTopUp,
    ClientTransfer,
    ClientUnsuspend,
)
from peers.api.bulk import BulkDetail, BulkItems, BulkList, ClientBulk
from peers.api.clients import ClientDetail, ClientList
from peers.api.configs import ClientConfig, PeerConfigFile
from peers.api.devices import ClientPeers, PeerDetail, PeerList, PeerMove, PeerRotateKeys
from peers.api.founding import AddPeerView, ApplyView, RemovePeerView, StatusView
from peers.api.interfaces import InterfaceDetail, InterfaceList, InterfaceRotateKey
from peers.api.jobs import JobRetry
from peers.api.links import ClientLinks
from peers.api.locations import LocationList
from peers.api.pools import PoolDetail, PoolList
from peers.api.usage import (
    ClientSessions,
    ClientUsageNow,
    ClientUsageSeries,
    PeerSessions,
    PeerUsageNow,
    PeerUsageSeries,
)

#: Below a client, which is named by its id or by its seller's (`peers.values.SUBROUTES`).
OF_CLIENT: dict[str, type[APIView]] = {
    "enable": ClientEnable,
    "disable": ClientDisable,
    "share-links": ClientLinks,
    "suspend": ClientSuspend,
    "unsuspend": ClientUnsuspend,
    "kick": ClientKick,
    "terminate": ClientTerminate,
    "restore": ClientRestore,
    "rotate-keys": ClientRotateKeys,
    "change-plan": ClientChangePlan,
    "extend": ClientExtend,
    "top-up": ClientTopUp,
    "reset-usage": ClientResetUsage,
    "move": ClientMove,
    "transfer": ClientTransfer,
    "config": ClientConfig,
    "peers": ClientPeers,
    "usage": ClientUsageNow,
    "usage/series": ClientUsageSeries,
    "sessions": ClientSessions,
}


def _of_client() -> Iterator[URLPattern]:
    """The routes below a client, each twice; an external id may hold slashes, so it stands last."""
    by_id = "v1/clients/<uuid:client_id>"
    by_external_id = "v1/clients/by-external-id/<path:external_id>"
    for word, view in OF_CLIENT.items():
        name = f"client-{word.replace('/', '-')}"
        yield path(f"{by_id}/{word}", view.as_view(), name=name)
        yield path(f"{by_external_id}/{word}", view.as_view(), name=f"external-{name}")
    yield path(by_id, ClientDetail.as_view(), name="client")
    yield path(by_external_id, ClientDetail.as_view(), name="client-by-external-id")


urlpatterns = [
    path("v1/", include("peers.api.file_urls")),
    path("v1/clients", ClientList.as_view(), name="clients"),
    path("v1/clients/bulk", ClientBulk.as_view(), name="client-bulk"),
    path("v1/bulk", BulkList.as_view(), name="bulks"),
    path("v1/bulk/<uuid:run_id>", BulkDetail.as_view(), name="bulk"),
    path("v1/bulk/<uuid:run_id>/items", BulkItems.as_view(), name="bulk-items"),
    *_of_client(),
    path("v1/peers", PeerList.as_view(), name="peers"),
    path("v1/peers/<uuid:peer_id>", PeerDetail.as_view(), name="peer"),
    path("v1/peers/<uuid:peer_id>/rotate-keys", PeerRotateKeys.as_view(), name="peer-rotate-keys"),
    path("v1/peers/<uuid:peer_id>/move", PeerMove.as_view(), name="peer-move"),
    path("v1/peers/<uuid:peer_id>/config", PeerConfigFile.as_view(), name="peer-config"),
    path("v1/peers/<uuid:peer_id>/usage", PeerUsageNow.as_view(), name="peer-usage"),
    path(
        "v1/peers/<uuid:peer_id>/usage/series", PeerUsageSeries.as_view(), name="peer-usage-series"
    ),
    path("v1/peers/<uuid:peer_id>/sessions", PeerSessions.as_view(), name="peer-sessions"),
    path("v1/interfaces", InterfaceList.as_view(), name="interfaces"),
    path("v1/interfaces/<uuid:interface_id>", InterfaceDetail.as_view(), name="interface"),
    path(
        "v1/interfaces/<uuid:interface_id>/rotate-key",
        InterfaceRotateKey.as_view(),
        name="interface-rotate-key",
    ),
    path("v1/locations", LocationList.as_view(), name="locations"),
    path("v1/pools", PoolList.as_view(), name="pools"),
    path("v1/pools/<uuid:pool_id>", PoolDetail.as_view(), name="pool"),
    path("v1/jobs/<uuid:job_id>/retry", JobRetry.as_view(), name="job-retry"),
    path("wg/add-peer", AddPeerView.as_view(), name="wg-add-peer"),
    path("wg/remove-peer", RemovePeerView.as_view(), name="wg-remove-peer"),
    path("wg/status", StatusView.as_view(), name="wg-status"),
    path("apply-wg-config", ApplyView.as_view(), name="apply-wg-config"),
]
