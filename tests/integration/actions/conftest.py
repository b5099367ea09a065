"""Clients as acts find them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface, Job
from peers.models import Client
from tenants.models import Tenant
from tests.conftest import bearer
from tests.make import make_token

URL = "/api/v1/clients"
POSTGRESQL = connections.settings["default"]["ENGINE"].endswith("postgresql")
#: SQLite knows one writer at a time: nobody waits for a row there.
collect_ignore = [] if POSTGRESQL else ["test_side_by_side.py"]


class Shop:
    """A seller's side: makes clients and acts on them, by id or by his own id."""

    def __init__(self, api: APIClient) -> None:
        self.api = api

    def create(self, **fields: Any) -> dict[str, Any]:
        answer = self.api.post(URL, {"name": "Sara", **fields})
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def act(self, client: dict[str, Any], word: str, **body: Any) -> Any:
        return self.api.post(f"{URL}/{client['id']}/{word}", body)

    def done(self, client: dict[str, Any], word: str, **body: Any) -> dict[str, Any]:
        answer = self.act(client, word, **body)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def read(self, client: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"{URL}/{client['id']}").json()
        return found


@pytest.fixture
def shop(alice_api: APIClient, interface: Interface) -> Shop:
    return Shop(alice_api)


@pytest.fixture
def viewer_api(acme: Tenant) -> APIClient:
    """A token that may look."""
    return bearer(make_token(acme, scopes=["*:read"])[1])


def events(client: dict[str, Any]) -> list[str]:
    """What was done to the client, oldest first."""
    rows = AuditEvent.objects.filter(target_id=client["id"]).order_by("pk")
    return list(rows.values_list("action", flat=True))


def snapshot() -> tuple[int, int, list[Any]]:
    """What an act that is refused, or has nothing to do, must leave as it is."""
    rows = Client.objects.order_by("pk").values_list("pk", "version", "deleted_at", "tenant")
    return AuditEvent.objects.count(), Job.objects.exclude(total=0).count(), list(rows)


@pytest.fixture
def unchanged() -> Callable[[], None]:
    """Call it at the end: nothing was changed since the fixture was asked for."""
    before = snapshot()

    def check() -> None:
        assert snapshot() == before

    return check
