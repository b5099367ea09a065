"""A client of Alice's with two devices, and moments to count bytes at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateways.models import Interface
from peers.models import Client, Peer
from tenants.models import Tenant
from tests.make import make_client, make_peer


@pytest.fixture
def sara(acme: Tenant) -> Client:
    return make_client(acme, name="Sara", external_id="o-1", quota_bytes=1000)


@pytest.fixture
def phone(sara: Client, interface: Interface) -> Peer:
    return make_peer(sara, interface, name="phone")


@pytest.fixture
def laptop(sara: Client, interface: Interface) -> Peer:
    return make_peer(sara, interface, name="laptop")


@pytest.fixture
def noon() -> datetime:
    return datetime(2026, 3, 10, 12, tzinfo=UTC)
