"""A tenant's sandbox: its twin for integrators, whose clients never reach an interface.

The twin has a gateway of its own, so that keys and addresses of one sandbox say nothing about
another, and one simulated interface: what is asked of it is settled with the change itself
(`gateways.outbox`), no worker serves it, and no host knows it.
"""

from __future__ import annotations

from datetime import datetime
from secrets import token_hex
from typing import Any, Final
from uuid import uuid4

from django.db import IntegrityError, transaction

from audit.events import Actor, Target, record
from gateways.models import Gateway, Interface
from gateways.sealing import seal_interface_key
from peers.pools import make_pools
from peers.services.limits import refuse_erased
from rest.errors import Conflict
from tenants.models import Tenant
from wireguard.keys import generate_private_key, public_key_of

#: Shared address space (RFC 6598) and a unique local network: 4 million clients and more.
ADDRESSES: Final = ("100.64.0.1/10", "fd73:616e:6462::1/64")
#: Of TEST-NET-1 (RFC 5737): a file of the sandbox leads nowhere.
ENDPOINT: Final = "192.0.2.1"
INTERFACE: Final = "sandbox"
#: A sandbox is for trying out, and its rows lie in the same tables.
MAX_CLIENTS: Final = 10_000
#: What a twin looks like to its integrators is as its tenant looked when it was made.
_COPIED: Final = (
    "max_devices_per_client", "max_bytes_per_period", "pool_counts", "pool_reset", "pool_stops",
    "warn_percents", "warn_days", "max_speed_kbit", "requests_per_minute",
    "brand_name", "brand_logo", "brand_logo_type", "brand_color", "brand_color_dark",
    "support_url", "config_prefix", "timezone", "language", "customers_sign_in", "status",
    "status_reason", "status_since",
)  # fmt: skip


@transaction.atomic
def ensure_sandbox(*, tenant: Tenant, actor: Actor, at: datetime) -> Tenant:
    """The tenant's twin, made with all it needs where there is none. Safe to repeat.

    Raises `Conflict` for a tenant that is a sandbox itself.
    """
    if tenant.is_sandbox:
        raise Conflict("A sandbox has no sandbox.", code="is_sandbox")
    row = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    refuse_erased(row.pk)
    twin = Tenant.objects.filter(sandbox_of=row).first()
    if twin is None:
        twin = _make_twin(row)
        record(
            actor=actor,
            action="tenant.sandbox_made",
            target=Target("tenant", str(row.uuid), row.name, row.pk),
            after={"sandbox": str(twin.uuid), "slug": twin.slug},
        )
    _ensure_interface(twin, at)
    return twin


def _make_twin(tenant: Tenant) -> Tenant:
    try:
        with transaction.atomic():
            return _create_twin(tenant, f"{tenant.slug[:40]}-sandbox")
    except IntegrityError:  # whose slug it is may be out of sight: nobody looks before
        return _create_twin(tenant, f"{tenant.slug[:28]}-sandbox-{token_hex(4)}")


def _create_twin(tenant: Tenant, slug: str) -> Tenant:
    copied: dict[str, Any] = {name: getattr(tenant, name) for name in _COPIED}
    return Tenant.objects.create(
        slug=slug,
        name=f"{tenant.name[:110]} (sandbox)",
        sandbox_of=tenant,
        limits_interfaces=True,
        max_clients=min(tenant.max_clients or MAX_CLIENTS, MAX_CLIENTS),
        **copied,
    )


def _ensure_interface(twin: Tenant, at: datetime) -> None:
    if twin.interfaces.filter(simulated=True).exists():
        return
    gateway = Gateway.objects.create(
        slug=f"sandbox-{token_hex(6)}",  # no counter: sellers see it
        name="Sandbox",
        location="Sandbox",
        endpoint_address=ENDPOINT,
    )
    identity, key = uuid4(), generate_private_key()
    interface = Interface.objects.create(
        uuid=identity,
        gateway=gateway,
        name=INTERFACE,
        label="Sandbox",
        private_key=seal_interface_key(identity, key),
        public_key=public_key_of(key),
        listen_port=51820,
        addresses=list(ADDRESSES),
        simulated=True,
        enabled=False,
        state=Interface.State.UP,
        observed_at=at,
    )
    make_pools(interface, ADDRESSES)
    twin.interfaces.add(interface)
