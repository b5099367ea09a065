"""Values at the edge of what a machine can hold, and a hint that fails after the commit."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from gateways import hints
from gateways.models import Interface
from peers.models import Client, Peer
from tests.make import make_public_key

pytestmark = pytest.mark.django_db


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(("depth", "status"), [(32, 201), (33, 400), (600, 400)])
def test_metadata_is_at_most_32_levels_deep(
    alice_api: APIClient, interface: Interface, depth: int, status: int
) -> None:
    answer = alice_api.post("/api/v1/clients", {"name": "Sara", "metadata": nested(depth)})
    assert answer.status_code == status
    if status == 400:
        assert "metadata" in answer.content.decode()
        assert not Client.objects.exists()


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_beyond_the_calendar_is_refused(alice_api: APIClient, text: str) -> None:
    assert alice_api.get("/api/v1/jobs", {"created_after": text}).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_hint_that_fails_does_not_fail_the_stored_change(
    alice_api: APIClient, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(hints.publisher, "ring", fail)
    assert alice_api.post("/api/v1/clients", {"name": "Sara"}).status_code == 201
    assert Client.objects.count() == 1


def test_what_an_operator_must_do_is_not_told_to_tenants(
    alice_api: APIClient, operator_api: APIClient, interface: Interface
) -> None:
    Interface.objects.update(state="foreign", state_reason="run manage.py adopt")
    assert "adopt" not in alice_api.get("/api/wg/status").content.decode()
    assert "adopt" in operator_api.get("/api/wg/status").content.decode()


def test_only_a_key_that_is_taken_is_called_so(
    alice_api: APIClient, alice_peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = alice_api.post("/api/v1/clients", {"name": "Sara", "public_key": alice_peer.public_key})
    assert (taken.status_code, taken.json()["errors"][0]["code"]) == (409, "key_taken")
    monkeypatch.setattr("peers.services.devices.uuid4", lambda: alice_peer.uuid)
    other = alice_api.post("/api/v1/clients", {"name": "Sara", "public_key": make_public_key()})
    assert (other.status_code, other.json()["errors"][0]["code"]) == (409, "conflict")
