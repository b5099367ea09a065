"""New keys for a device."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface, Job
from peers.models import Client, Peer, PeerKey
from peers.sealing import open_preshared_key, open_private_key
from tests.integration.actions.conftest import URL, Shop, events, snapshot
from tests.make import make_peer, make_public_key
from wireguard.keys import public_key_of


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_the_pair_and_the_preshared_key_are_new(shop: Shop) -> None:
    made = shop.create()
    old = Peer.objects.get()
    old_file = shop.api.get(f"{URL}/{made['id']}/config").content
    body = shop.done(made, "rotate-keys")
    device, peer = body["devices"][0], Peer.objects.get()
    assert device["id"] == made["devices"][0]["id"]
    assert device["addresses"] == made["devices"][0]["addresses"]
    assert (device["private_key_known"], device["preshared_key_set"]) == (True, True)
    assert device["public_key"] != old.public_key
    private = open_private_key(peer.uuid, PeerKey.objects.get().private_key)
    assert public_key_of(private) == device["public_key"]
    psks = [open_preshared_key(one.uuid, one.preshared_key) for one in (old, peer)]
    assert psks[0] != psks[1]
    assert (peer.generation, peer.file_generation) == (2, old.file_generation + 1)
    assert shop.api.get(f"{URL}/{made['id']}/config").content != old_file
    job = Job.objects.get(uuid=body["job"]["id"])
    assert (job.kind, job.items.get().public_key) == ("rotate", peer.public_key)
    assert events(made) == [
        "client.created",
        "config.revealed",
        "client.keys_rotated",
        "config.revealed",
    ]
    text = str(list(AuditEvent.objects.values()))
    for secret in (private.reveal(), psks[1].reveal() if psks[1] else "", peer.preshared_key):
        assert secret not in text


def test_with_a_key_of_the_customers_the_private_one_is_forgotten(shop: Shop) -> None:
    made, key = shop.create(), make_public_key()
    body = shop.done(made, "rotate-keys", public_key=key)
    device = body["devices"][0]
    assert (device["public_key"], device["private_key_known"]) == (key, False)
    assert not PeerKey.objects.exists()
    before = snapshot()
    assert shop.done(made, "rotate-keys", public_key=key)["job"]["status"] == "succeeded"
    assert snapshot() == before


def test_a_device_without_a_preshared_key_gets_none_unless_asked(shop: Shop) -> None:
    made = shop.create(preshared_key=None)
    assert shop.done(made, "rotate-keys")["devices"][0]["preshared_key_set"] is False
    body = shop.done(made, "rotate-keys", preshared_key="generate")
    assert body["devices"][0]["preshared_key_set"] is True
    psk = make_public_key()
    shop.done(made, "rotate-keys", preshared_key=psk)
    peer = Peer.objects.get()
    assert open_preshared_key(peer.uuid, peer.preshared_key) is not None
    body = shop.done(made, "rotate-keys", preshared_key=None)
    assert body["devices"][0]["preshared_key_set"] is False


def test_a_key_that_is_taken_is_refused_without_naming_whose(
    shop: Shop, mallory_api: APIClient
) -> None:
    made, key = shop.create(), make_public_key()
    assert mallory_api.post(URL, {"name": "secret-name", "public_key": key}).status_code == 201
    before = snapshot()
    answer = shop.act(made, "rotate-keys", public_key=key)
    assert code_of(answer) == (409, "key_taken")
    assert "secret-name" not in answer.content.decode()
    assert (snapshot(), PeerKey.objects.count()) == (before, 1)


def test_which_device_must_be_clear(shop: Shop, interface: Interface) -> None:
    made = shop.create()
    client = Client.objects.get()
    make_peer(client, interface)
    assert code_of(shop.act(made, "rotate-keys")) == (400, "several_devices")
    Peer.objects.all().delete()
    assert code_of(shop.act(made, "rotate-keys")) == (404, "not_found")


BAD_KEYS = [
    "",
    "A" * 43,
    "A" * 45,
    "A" * 43 + "=",
    "0" * 64,
    "!" * 43 + "=",
    "AAAA AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "A" * 20 + "\n" + "A" * 22 + "=",
    "$(id)",
    7,
    True,
    [],
]


@pytest.mark.parametrize("field", ["public_key", "preshared_key"])
@pytest.mark.parametrize("bad", BAD_KEYS)
def test_bad_keys_are_refused_by_name(shop: Shop, field: str, bad: Any) -> None:
    made = shop.create()
    before = snapshot()
    answer = shop.act(made, "rotate-keys", **{field: bad})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert snapshot() == before


@pytest.mark.parametrize(
    "low_order", [b"\x01" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f"), bytes(32)]
)
def test_points_that_make_no_secret_are_refused(shop: Shop, low_order: bytes) -> None:
    made = shop.create()
    key = base64.b64encode(low_order).decode()
    assert code_of(shop.act(made, "rotate-keys", public_key=key)) == (400, "key_invalid")


def test_a_private_key_has_no_place(shop: Shop, interface: Interface) -> None:
    made = shop.create()
    assert code_of(shop.act(made, "rotate-keys", private_key=make_public_key())) == (
        400,
        "unknown_field",
    )
    answer = shop.act(made, "rotate-keys", public_key=interface.public_key)
    assert code_of(answer) == (400, "key_of_server")
