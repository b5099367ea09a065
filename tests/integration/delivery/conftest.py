"""A client of Alice's with one device, and links to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from rest_framework.test import APIClient

from gateways.models import Interface

Body = dict[str, Any]


@pytest.fixture
def sold(alice_api: APIClient, interface: Interface) -> Body:
    """A client as the API made it: its key is the portal's."""
    answer = alice_api.post("/api/v1/clients", {"name": "Sara", "external_id": "a/7"})
    assert answer.status_code == 201, answer.content
    found: Body = answer.json()
    return found


@pytest.fixture
def keyless(alice_api: APIClient, interface: Interface) -> Body:
    """A client whose customer makes the key."""
    answer = alice_api.post("/api/v1/clients", {"name": "Omid", "key_mode": "customer"})
    assert answer.status_code == 201, answer.content
    found: Body = answer.json()
    return found


@pytest.fixture
def share(alice_api: APIClient) -> Callable[..., Body]:
    """Makes a share link: `share(client, single_use=True)`."""

    def make(client: Body, **fields: Any) -> Body:
        device = client["devices"][0]["id"]
        answer = alice_api.post(f"/api/v1/peers/{device}/share-links", fields)
        assert answer.status_code == 201, answer.content
        found: Body = answer.json()
        return {**found, "path": "/s/" + found["url"].rpartition("/s/")[2]}

    return make


@pytest.fixture
def visitor() -> Browser:
    """Whoever has the address."""
    return Browser()
