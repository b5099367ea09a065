"""The boot file's sections are made once, and again whenever what they are made from changed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils import timezone

from control import sections
from control.desired import device, load_all
from gateways.models import Interface
from peers.models import Peer
from peers.services.clients import disable_client, enable_client, update_client
from tests.integration.control.conftest import Gateway
from wireguard.config import render_peers, render_quick

pytestmark = pytest.mark.django_db


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The public keys whose sections were rendered, in order."""
    keys: list[str] = []

    def noting(peers: Any) -> str:
        keys.extend(peer.public_key for peer in peers)
        return render_peers(peers)

    monkeypatch.setattr("control.sections.render_peers", noting)
    return keys


def now(gateway: Gateway) -> str:
    return "\n".join(sections.entitled(Interface.objects.get(pk=gateway.interface.pk)))


def test_the_sections_are_those_of_a_whole_rendering(gateway: Gateway) -> None:
    gateway.add("one"), gateway.add("two")
    interface = Interface.objects.get(pk=gateway.interface.pk)
    rows = sorted(load_all(interface).rows)
    whole = render_quick(device(interface, [row.config for row in rows]))
    assert whole == f"{render_quick(device(interface, ()))}\n{now(gateway)}"


def test_only_a_changed_peer_is_rendered_again(gateway: Gateway, rendered: list[str]) -> None:
    first, second = gateway.add("one"), gateway.add("two")
    now(gateway)
    rendered.clear()
    assert now(gateway)
    assert rendered == []
    update_client(
        caller=gateway.caller,
        client_id=first.client.uuid,
        changes={"addresses": ["10.252.77.7"]},
        at=timezone.now(),
    )
    text = now(gateway)
    assert "10.252.77.7/32" in text
    assert second.peer.public_key in text
    assert rendered == [first.peer.public_key]


def test_a_blocked_peer_leaves_and_comes_back(gateway: Gateway) -> None:
    made = gateway.add("one")
    assert made.peer.public_key in now(gateway)
    disable_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    assert made.peer.public_key not in now(gateway)
    enable_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    assert made.peer.public_key in now(gateway)


def test_a_secret_that_does_not_open_leaves_only_its_own_peer_out(gateway: Gateway) -> None:
    spoilt, good = gateway.add("one"), gateway.add("two")
    now(gateway)
    Peer.objects.filter(pk=spoilt.peer.pk).update(preshared_key="v1.k1.spoilt")
    text = now(gateway)
    assert spoilt.peer.public_key not in text
    assert good.peer.public_key in text


def test_nothing_is_kept_for_ever(
    gateway: Gateway, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = gateway.add("one")
    now(gateway)
    rendered.clear()
    later = time.monotonic() + sections.KEEP_S + 1
    monkeypatch.setattr("control.sections.time.monotonic", lambda: later)
    now(gateway)
    assert rendered == [made.peer.public_key]
