"""What was sold begins with a handshake that a dump shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from peers.models import Client
from peers.services.clients import disable_client, enable_client, update_client
from tests.integration.control.conftest import Gateway, caller, empty_gateways, gateway

__all__ = ["caller", "empty_gateways", "gateway"]
pytestmark = pytest.mark.django_db


def shake(gateway: Gateway, key: str, at: int) -> None:
    """The device's last handshake, as the interface has it."""
    gateway.driver.report(key, latest_handshake=at)


def test_a_new_handshake_begins_it_and_an_old_one_never(gateway: Gateway) -> None:
    made = gateway.add(duration_days=30)
    gateway.apply()
    gateway.observe()
    client = Client.objects.get()
    assert (client.starts_at, client.first_connected_at) == (None, None)
    shake(gateway, made.peer.public_key, 1_700_000_000)
    before = timezone.now() - timedelta(seconds=1)
    gateway.observe()
    client = Client.objects.get()
    assert client.starts_at is not None
    assert before < client.starts_at, "by the database's clock, whatever the gateway's says"
    assert client.expires_at == client.starts_at + timedelta(days=30)
    first, version = client.first_connected_at, client.version
    gateway.observe()
    assert Client.objects.get().version == version
    update_client(
        caller=gateway.caller,
        client_id=client.uuid,
        changes={"starts_at": None, "expires_at": None},
        at=timezone.now(),
    )
    gateway.observe()
    assert Client.objects.get().starts_at is None, "that handshake has been"
    shake(gateway, made.peer.public_key, 1_700_000_120)
    gateway.observe()
    client = Client.objects.get()
    assert client.starts_at is not None
    assert client.first_connected_at == first


def test_a_held_client_begins_when_it_is_let_go(gateway: Gateway) -> None:
    made = gateway.add(duration_days=30)
    gateway.apply()
    at = timezone.now()
    disable_client(caller=gateway.caller, client_id=made.client.uuid, at=at)
    gateway.apply()
    shake(gateway, made.peer.public_key, 1_700_000_000)
    gateway.observe()
    enable_client(caller=gateway.caller, client_id=made.client.uuid, at=at)
    gateway.apply()
    gateway.observe()
    assert Client.objects.get().starts_at is None
    shake(gateway, made.peer.public_key, 1_700_000_120)
    gateway.observe()
    assert Client.objects.get().starts_at is not None


def test_an_observation_that_is_undone_begins_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handshake and what begins with it are one transaction: neither is lost without both."""
    made = gateway.add(duration_days=30)
    gateway.apply()
    shake(gateway, made.peer.public_key, 1_700_000_000)
    monkeypatch.setattr("control.observe.write_presence", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        gateway.observe()
    assert Client.objects.get().starts_at is None
    monkeypatch.undo()
    gateway.observe()
    assert Client.objects.get().starts_at is not None
