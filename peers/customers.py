"""Customers who sign in: from a person to the clients that he may look at, of any tenant.

A row is no permission to act for a tenant, and no membership. Each look asks anew whether it still
counts: taken back, the client deleted or handed on, the tenant suspended or its customers' door
closed, and there is nothing, in the same words as for what never was.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from peers.models import Client, CustomerAccess, Peer
from peers.queries import ClientView, for_delivery, view_clients
from rest.errors import Missing
from tenants.models import Tenant, User
from tenants.row_security import reach

NO_OWN: Final = "There is no such connection of yours."
#: Of one person; more are not listed.
MOST: Final = 200


def is_customer(user: User) -> bool:
    """Whether anybody ever let the person look at a client. For where a sign-in leads."""
    return _own(user).exists()


def has_several(user: User) -> bool:
    """Whether there may be more than one; those that are closed at present count."""
    return _own(user)[:2].count() > 1


def own_clients(user: User) -> Iterator[tuple[CustomerAccess, ClientView]]:
    """All that the person may look at, tenant by tenant, oldest first.

    Each tenant's rows are within reach while it is read, and at the end those of none.
    """
    rows = list(_own(user).order_by("tenant_id", "pk")[:MOST])
    for tenant_id, group in groupby(rows, key=lambda row: row.tenant_id):
        accesses = {access.client_id: access for access in group}
        tenant = _open(tenant_id)
        found = [] if tenant is None else list(_clients(tenant).filter(pk__in=accesses))
        views = {view.client.pk: view for view in view_clients(found)}
        for client_id, access in accesses.items():
            if client_id in views:
                yield access, views[client_id]
    reach(tenant="")


def find_own(user: User, access_id: UUID) -> tuple[CustomerAccess, ClientView]:
    """One of them, its tenant's rows within reach from now on. Raises `Missing`."""
    access = _own(user).filter(uuid=access_id).first()
    tenant = None if access is None else _open(access.tenant_id)
    if access is None or tenant is None:
        raise Missing(NO_OWN)
    client = _clients(tenant).filter(pk=access.client_id).first()
    if client is None:
        raise Missing(NO_OWN)
    return access, view_clients([client])[0]


def find_own_peer(client: Client, peer_id: UUID) -> Peer:
    """A device of a client that `find_own` showed, with all that its file needs.

    Raises `Missing`.
    """
    rows = for_delivery().filter(tenant_id=client.tenant_id, client=client)
    found = rows.filter(uuid=peer_id, deleted_at__isnull=True).first()
    if found is None:
        raise Missing(NO_OWN)
    return found


def _own(user: User) -> QuerySet[CustomerAccess]:
    return CustomerAccess.objects.filter(user=user)


def _open(tenant_id: int) -> Tenant | None:
    """The tenant, if its customers may sign in."""
    reach(tenant=str(tenant_id))
    open_ = Tenant.objects.filter(status=Tenant.Status.ACTIVE, customers_sign_in=True)
    return open_.filter(pk=tenant_id).first()


def _clients(tenant: Tenant) -> QuerySet[Client]:
    rows = Client.objects.filter(tenant=tenant, deleted_at__isnull=True)
    return rows.select_related("plan", "next_plan", "tenant")
