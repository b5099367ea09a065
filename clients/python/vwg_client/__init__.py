"""A client for vwg's REST API: typed, retrying, and of the standard library alone.

::

    from vwg_client import External, Vwg

    vwg = Vwg("https://vpn.example.org", "vwg_…")
    sara = vwg.clients.create(name="Sara", external_id="order-4711", wait=10)
    print(vwg.clients.config(sara["id"]))
    vwg.clients.suspend(External("order-4711"))
"""

from __future__ import annotations

from typing import Any

from vwg_client.business import Events, Jobs, Logins, Members, OwnTenant, Plans, Tokens, Usage
from vwg_client.clients import BulkRuns, Clients, Devices, ShareLinks
from vwg_client.errors import (
    Conflict,
    Forbidden,
    Invalid,
    JobFailed,
    KeyReused,
    Moved,
    NotApplied,
    NotFound,
    Problem,
    ServerError,
    Stale,
    TooMany,
    Unauthorized,
    Unreachable,
    VwgError,
)
from vwg_client.groups import External, etag_of
from vwg_client.operating import (
    Gateways,
    Interfaces,
    Pools,
    ScheduledJobs,
    Settings,
    Tenants,
    WakeHosts,
)
from vwg_client.transport import Transport

__all__ = [
    "Conflict",
    "External",
    "Forbidden",
    "Invalid",
    "JobFailed",
    "KeyReused",
    "Moved",
    "NotApplied",
    "NotFound",
    "Problem",
    "ServerError",
    "Stale",
    "TooMany",
    "Transport",
    "Unauthorized",
    "Unreachable",
    "Vwg",
    "VwgError",
    "etag_of",
]


class Vwg:
    """The API of one portal, for one token. Any number of threads may share it.

    ``tenant`` is the slug of the tenant to act for: operators, and members of several.
    ``attempts``, ``timeout`` and ``busy_for`` (seconds) say how patient it is (`Transport`).
    """

    def __init__(self, url: str, token: str, *, tenant: str | None = None, **patience: Any) -> None:
        transport = Transport(url, token, tenant, **patience)
        self.transport = transport
        self.clients = Clients(transport)
        self.devices = Devices(transport)
        self.bulk = BulkRuns(transport)
        self.share_links = ShareLinks(transport)
        self.plans = Plans(transport)
        self.tokens = Tokens(transport)
        self.members = Members(transport)
        self.logins = Logins(transport)
        self.tenant = OwnTenant(transport)
        self.usage = Usage(transport)
        self.jobs = Jobs(transport)
        self.events = Events(transport)
        self.gateways = Gateways(transport)
        self.interfaces = Interfaces(transport)
        self.pools = Pools(transport)
        self.wake_hosts = WakeHosts(transport)
        self.settings = Settings(transport)
        self.scheduled_jobs = ScheduledJobs(transport)
        self.tenants = Tenants(transport)
