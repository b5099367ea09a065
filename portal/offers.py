"""What a tenant may choose from in forms: the plans that it sells, and where its devices may be."""

from __future__ import annotations

from collections.abc import Iterable

from gateways.models import Interface
from peers.sellable import sellable_interfaces
from quotas.models import Plan
from tenants.scoping import Caller, visible

Choices = list[tuple[str, str]]


def plans_of(caller: Caller) -> list[Plan]:
    """The plans that the tenant sells."""
    return list(visible(Plan.objects.filter(archived_at__isnull=True), caller).order_by("name"))


def interfaces_of(caller: Caller) -> list[Interface]:
    """The interfaces that the tenant may use, with their gateways."""
    rows = sellable_interfaces(caller.tenant).filter(enabled=True) | sellable_interfaces(
        caller.tenant
    ).filter(simulated=True)
    return list(rows.select_related("gateway").order_by("-is_default", "pk"))


def plan_choices(plans: Iterable[Plan]) -> Choices:
    """As a field offers them."""
    return [(str(one.uuid), one.name) for one in plans]


def interface_choices(interfaces: Iterable[Interface]) -> Choices:
    """As a field offers them: the gateway, and which of its interfaces."""
    return [
        (str(one.uuid), f"{one.gateway.name or one.gateway.slug} · {one.name}")
        for one in interfaces
    ]
