"""What a tenant may sell on: its interfaces.

A sandbox sees simulated interfaces and nothing else; every other tenant sees all but those, or of
them the ones that its limits name. Whoever acts for a tenant, its limits hold: an operator who
wants more changes the limits. What a tenant may not use does not exist for it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from gateways.models import AddressPool, Gateway, Interface
from peers.models import PeerAddress
from rest.errors import Invalid, Missing
from tenants.models import Tenant
from tenants.prepared import Prepared
from tenants.row_security import ADDRESSES, door
from tenants.scoping import Caller

#: On the way of every change; the ORM takes longer to write it than the database to answer it.
_INTERFACE: Final = (
    "SELECT i.*, g.slug AS gateway_slug FROM gateways_interface i"
    " JOIN gateways_gateway g ON g.id = i.gateway_id WHERE i.simulated = %s{}{}"
    " ORDER BY i.is_default DESC, i.enabled DESC, i.id LIMIT 2"
)
_ALLOWED: Final = (
    " AND EXISTS (SELECT 1 FROM tenants_tenant_interfaces a"
    " WHERE a.interface_id = i.id AND a.tenant_id = %s)"
)


def _default(simulated: bool) -> QuerySet[Interface]:
    """`_INTERFACE` of a tenant without limits that names none, as nearly all do."""
    own = [field.attname for field in Interface._meta.concrete_fields]
    rows = Interface.objects.filter(simulated=simulated).select_related("gateway")
    return rows.only(*own, "gateway__slug").order_by("-is_default", "-enabled", "pk")[:2]


_DEFAULT: Final = {simulated: Prepared(partial(_default, simulated)) for simulated in (False, True)}


def sellable_interfaces(tenant: Tenant) -> QuerySet[Interface]:
    """The interfaces that the tenant may use, those that are switched off too."""
    rows = Interface.objects.filter(simulated=tenant.is_sandbox)
    if tenant.limits_interfaces:
        rows = rows.filter(pk__in=tenant.interfaces.values("pk"))
    return rows


def sellable_pools(tenant: Tenant) -> QuerySet[AddressPool]:
    """The address pools of these interfaces that the tenant may use."""
    rows = AddressPool.objects.filter(interface__in=sellable_interfaces(tenant))
    if tenant.limits_pools:
        rows = rows.filter(pk__in=tenant.pools.values("pk"))
    return rows


def with_room(tenant: Tenant | None, *, at: datetime) -> set[int]:
    """The primary keys of those interfaces whose pools all have an address left.

    The pools are those that the tenant may use, for None all.
    Addresses that are claimed by name ahead of a pool's sequence may make this an answer too
    hopeful; the request that finds none is refused.
    """
    released = PeerAddress.objects.filter(pool=OuterRef("pk"), peer__isnull=True, free_at__lte=at)
    pools = AddressPool.objects.all() if tenant is None else sellable_pools(tenant)
    pools = pools.annotate(has_room=Q(next_offset__lt=F("size")) | Q(Exists(released)))
    found: dict[int, bool] = {}
    with door(ADDRESSES):
        for interface_id, has_room in pools.values_list("interface_id", "has_room"):
            found[interface_id] = found.get(interface_id, True) and bool(has_room)
    return {interface_id for interface_id, has_room in found.items() if has_room}


def find_interface(name: str | None, *, caller: Caller) -> Interface:
    """The interface of that name or UUID that the acting tenant may use; its default for None.

    Its default is the default interface, else the first it may use. Raises `Invalid`
    (``interface_unknown``) for an unknown name, for one it may not use, in the same words, and
    for one that several gateways have; `Missing` (``no_interface``) when it may use none.
    """
    if name is None:
        found = _interfaces(caller)
        if not found:
            raise Missing("There is no interface yet.", code="no_interface")
        return found[0]
    named = (
        _interfaces(caller, " AND i.uuid = %s", _as_stored(name))
        if _is_uuid(name)
        else _interfaces(caller, " AND i.name = %s", name)
    )
    if len(named) == 1:
        return named[0]
    raise Invalid(
        "Several gateways have an interface of this name; give its id."
        if named
        else "There is no such interface.",
        field="interface",
        code="interface_unknown",
    )


def _interfaces(caller: Caller, named: str = "", *values: object) -> list[Interface]:
    tenant = caller.tenant
    is_limited = tenant.limits_interfaces
    if not named and not is_limited:
        return _DEFAULT[tenant.is_sandbox]()
    limit, limited = (_ALLOWED, (tenant.pk,)) if is_limited else ("", ())
    statement = _INTERFACE.format(limit, named)
    given: list[Any] = [tenant.is_sandbox, *limited, *values]
    found = list(Interface.objects.raw(statement, given))
    for interface in found:
        interface.gateway = Gateway.from_db(  # its other columns are read when somebody asks
            connection.alias,
            ("id", "slug"),
            (interface.gateway_id, vars(interface)["gateway_slug"]),
        )
    return found


def _as_stored(uuid: str) -> object:
    return Interface._meta.get_field("uuid").get_db_prep_value(UUID(uuid), connection)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
