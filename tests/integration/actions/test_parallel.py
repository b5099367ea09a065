"""The same act sent many times at once: it is done once, and nobody is told that it failed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEvent
from peers.models import Peer
from tenants.models import Tenant
from tests.conftest import bearer
from tests.integration.actions.conftest import URL
from tests.make import make_interface, make_tenant, make_token

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(number: int, call: Callable[[Any], Any], token: str) -> list[int]:
    """The statuses of so many equal calls."""
    found: list[int] = []
    ready = threading.Barrier(number)

    def run() -> None:
        try:
            api = bearer(token)
            ready.wait(10)
            found.append(call(api).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


@pytest.fixture
def token() -> str:
    make_interface()
    return make_token(make_tenant("acme"))[1]


def made(token: str) -> str:
    answer = bearer(token).post(URL, {"name": "Sara"})
    assert answer.status_code == 201
    return f"{URL}/{answer.json()['id']}"


@pytest.mark.parametrize("word", ["disable", "suspend", "kick", "terminate"])
def test_one_event_for_many(token: str, word: str) -> None:
    url = made(token)
    assert at_once(6, lambda api: api.post(f"{url}/{word}"), token) == [200] * 6
    events = AuditEvent.objects.filter(target_type="client").exclude(action="client.created")
    assert events.count() == 1


def test_restored_once(token: str) -> None:
    url = made(token)
    bearer(token).delete(url)
    assert at_once(6, lambda api: api.post(f"{url}/restore"), token) == [200] * 6
    assert AuditEvent.objects.filter(action="client.restored").count() == 1


def test_deleted_once(token: str) -> None:
    url = made(token)
    assert at_once(6, lambda api: api.delete(url), token) == [204] + [404] * 5
    assert AuditEvent.objects.filter(action="client.deleted").count() == 1


def test_not_more_devices_than_allowed(token: str) -> None:
    Tenant.objects.filter(slug="acme").update(max_devices_per_client=3)
    url = made(token)
    assert at_once(6, lambda api: api.post(f"{url}/peers", {}), token) == [201] * 2 + [409] * 4
    assert Peer.objects.count() == 3


def test_one_key_for_one_device(token: str) -> None:
    """Rotations one after the other: each leaves the key that it answered, the last one stays."""
    url = made(token)
    assert at_once(4, lambda api: api.post(f"{url}/rotate-keys"), token) == [200] * 4
    assert AuditEvent.objects.filter(action="client.keys_rotated").count() == 4
    assert Peer.objects.get().generation == 5
