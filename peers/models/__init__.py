"""What is sold: clients and their devices (peers), their keys, addresses and networks."""

from peers.models.bulk import BulkItem, BulkRun
from peers.models.clients import Client
from peers.models.devices import Peer, PeerKey
from peers.models.holdings import PeerAddress, PeerNetwork
from peers.models.links import ShareLink
from peers.models.logins import CustomerAccess

__all__ = [
    "BulkItem",
    "BulkRun",
    "Client",
    "CustomerAccess",
    "Peer",
    "PeerAddress",
    "PeerKey",
    "PeerNetwork",
    "ShareLink",
]
