"""An interface on a memory gateway, and services to change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from audit.events import SYSTEM
from control.apply import apply_interface
from control.observe import Found, observe_interface
from gateways.drivers import MemoryLink, forget_memory, memory_station
from gateways.models import Interface
from peers.services.clients import Created, create_client
from tenants.models import Tenant
from tenants.scoping import Caller
from wireguard.drivers.memory import MemoryDriver


@pytest.fixture(autouse=True)
def empty_gateways() -> Iterator[None]:
    forget_memory()
    yield
    forget_memory()


@pytest.fixture
def caller(acme: Tenant) -> Caller:
    return Caller(tenant=acme, operator="", scopes=frozenset({"*"}), actor=SYSTEM)


class Gateway:
    """What the tests do to one interface."""

    def __init__(self, interface: Interface, caller: Caller) -> None:
        self.interface = interface
        self.caller = caller

    @property
    def link(self) -> MemoryLink:
        return memory_station(self.interface)

    @property
    def driver(self) -> MemoryDriver:
        return self.link.driver

    def peers(self) -> dict[str, tuple[str, ...]]:
        """Keys and allowed-ips on the interface."""
        return {key: peer.allowed_ips for key, peer in self.driver.read().peers.items()}

    def add(self, name: str = "Sara", **details: Any) -> Created:
        return create_client(
            caller=self.caller, name=name, interface=self.interface, at=timezone.now(), **details
        )

    def apply(self) -> None:
        apply_interface(interface_id=self.interface.pk)

    def observe(self) -> Found | None:
        return observe_interface(interface_id=self.interface.pk)


@pytest.fixture
def gateway(interface: Interface, caller: Caller) -> Gateway:
    interface.stamp = "0b8f7f4e-0000-4000-8000-000000000001"
    interface.save(update_fields=["stamp"])
    return Gateway(interface, caller)
