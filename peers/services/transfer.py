"""Handing a client over to another tenant: the operator's act. No packet is lost over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from gateways.models import Job
from peers.models import Client, CustomerAccess, Peer, PeerAddress, PeerNetwork, ShareLink
from peers.queries import live_peers
from peers.sellable import sellable_interfaces, sellable_pools
from peers.services.changes import Changed, locked_client, note_act, raise_version, told
from peers.services.entitlement import agree_with_holds
from peers.services.limits import admit_clients, admit_devices
from peers.services.meters import bring_meters
from peers.services.sales import count_back
from peers.services.terms import QUEUE, external_id_taken, refuse_external_id
from quotas.models import Hold
from quotas.queries import find_sold_plan
from rest.errors import Conflict
from rest.versions import Version
from tenants.models import Tenant
from tenants.scoping import Caller


@transaction.atomic
def transfer_client(
    *,
    caller: Caller,
    client_id: UUID,
    tenant: Tenant,
    at: datetime,
    plan: UUID | None = None,
    if_match: Version | None = None,
) -> Changed:
    """Let another tenant have the client, with devices, addresses, keys and holds.

    It loses its plan, unless one of the new tenant's is named, and the one that was to follow; it
    keeps what was sold under it, and the period that runs.
    Share links are revoked: they were the old tenant's. Holds stand; that of a suspended tenant
    follows the new one. Raises `Missing`, `StaleVersion`, `Invalid` (``plan_unknown``) and
    `Conflict` (``external_id_taken``, ``limit_clients``, ``limit_devices``, ``limit_bytes``,
    ``not_sellable``, ``already_closed``).
    """
    if tenant.pk == caller.tenant_id:
        client = locked_client(caller, client_id, if_match)
        return told(client, Job.Kind.TRANSFER, caller, [], at)
    if tenant.status == Tenant.Status.CLOSED:
        raise Conflict("This tenant is closed.", field="tenant", code="already_closed")
    admit_clients(tenant)
    client = locked_client(caller, client_id, if_match)
    sold = None if plan is None else find_sold_plan(replace(caller, tenant=tenant), plan)
    refuse_external_id(tenant.pk, client.external_id)
    peers = live_peers(client)
    _refuse_unsellable(tenant, peers)
    note_act(  # in the books of the tenant that gives; the other reads who it was from nowhere
        client=client,
        actor=caller.actor,
        action="client.transferred",
        before={"plan": client.plan},
        after={"tenant": str(tenant.uuid), "plan": sold},
    )
    client.tenant, client.plan = tenant, sold
    client.next_plan, client.next_plan_when, client.next_plan_carries = None, "", False
    admit_devices(client, len(peers))
    _save(client)
    _bring_rows(client, tenant, at)
    changed = agree_with_holds(client=client, actor=caller.actor, at=at)
    given = told(client, Job.Kind.TRANSFER, caller, changed, at)
    count_back(client, gives=caller.tenant)
    return given


def _refuse_unsellable(tenant: Tenant, peers: Sequence[Peer]) -> None:
    """Raise `Conflict` when a device is where the new tenant may have none."""
    interfaces = {peer.interface_id for peer in peers}
    pools = set(PeerAddress.objects.filter(peer__in=peers).values_list("pool_id", flat=True))
    if sellable_interfaces(tenant).filter(pk__in=interfaces).count() < len(
        interfaces
    ) or sellable_pools(tenant).filter(pk__in=pools).count() < len(pools):
        raise Conflict(
            "This tenant may not use an interface or address pool of the client; move it first.",
            field="tenant",
            code="not_sellable",
        )


def _save(client: Client) -> None:
    try:
        raise_version(client, "tenant", "plan", *QUEUE)
    except IntegrityError:  # another client came with this id meanwhile
        raise external_id_taken() from None


def _bring_rows(client: Client, tenant: Tenant, at: datetime) -> None:
    """Every row of the client, tombstones too, belongs to the new tenant."""
    bring_meters(client, tenant)
    peers = Peer.objects.filter(client=client)
    ShareLink.objects.filter(peer__in=peers, revoked_at__isnull=True).update(revoked_at=at)
    CustomerAccess.objects.filter(client=client).delete()  # whom the other seller let in
    for rows in (
        peers,
        PeerAddress.objects.filter(peer__in=peers),
        PeerNetwork.objects.filter(peer__in=peers),
        ShareLink.objects.filter(peer__in=peers),
        Hold.objects.filter(client=client),
    ):
        rows.update(tenant=tenant)
