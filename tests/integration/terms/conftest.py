"""A shop whose clients' bytes and clocks a test may move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface, JobItem
from peers.models import Client, Peer
from quotas.models import Hold, Usage
from tenants.models import Tenant
from tests.make import make_client, make_peer

URL = "/api/v1/clients"
GIB = 2**30
AT = datetime(2026, 11, 27, 21, 6, tzinfo=UTC)
DAY = timedelta(days=1)
POSTGRESQL = connections.settings["default"]["ENGINE"].endswith("postgresql")
#: SQLite knows one writer at a time: nobody holds a row there.
collect_ignore = [] if POSTGRESQL else ["test_side_by_side.py"]


class Shop:
    """Sells clients of one tenant and sees what became of them."""

    def __init__(self, api: APIClient, tenant: Tenant, interface: Interface) -> None:
        self.api, self.tenant, self.interface = api, tenant, interface

    def sold(self, *, used: int = 0, down: int = 0, extra: int = 0, **terms: Any) -> Client:
        """A client with a device and these terms, that used so many bytes in its period."""
        terms.setdefault("starts_at", AT - DAY)
        client = make_client(self.tenant, **terms)
        make_peer(client, self.interface)
        usage = Usage(client=client, tenant=self.tenant, billed_up=100 + used, base_up=100)
        usage.billed_down, usage.extra_bytes = down, extra
        usage.save()
        return client

    def act(self, client: Client, word: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """An act of the seller's."""
        answer = self.api.post(f"{URL}/{client.uuid}/{word}", body)
        assert answer.status_code == status, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def patch(self, client: Client, **body: Any) -> dict[str, Any]:
        answer = self.api.patch(f"{URL}/{client.uuid}", body)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def read(self, client: Client) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"{URL}/{client.uuid}").json()
        return found


def is_on(client: Client) -> bool:
    """Whether every device may connect; they and the holds must say the same, and a job tells."""
    (peer,) = Peer.objects.filter(client=client, deleted_at__isnull=True)
    assert peer.blocked == bool(held(client)), "a device that does not agree with the holds"
    told = JobItem.objects.filter(peer=peer).count()
    assert told == peer.generation - 1, "a change that WireGuard is told of, and no other"
    return not peer.blocked


def held(client: Client) -> set[str]:
    """The reasons that keep the client off."""
    rows = Hold.objects.filter(client=client, closed_at__isnull=True)
    return set(rows.values_list("reason", flat=True))


def events(client: Client) -> list[str]:
    """What was done to the client, oldest first."""
    rows = AuditEvent.objects.filter(target_id=str(client.uuid)).order_by("pk")
    return list(rows.values_list("action", flat=True))


@pytest.fixture
def shop(alice_api: APIClient, acme: Tenant, interface: Interface) -> Shop:
    return Shop(alice_api, acme, interface)
