"""A key that the customer makes: the portal never has it, and a link sets it exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface, Job
from peers.models import Peer, PeerKey, ShareLink
from tests.make import make_public_key
from wireguard.config import parse

Body = dict[str, Any]
Share = Callable[..., Body]
JSON = {"Accept": "application/json"}


def test_the_portal_throws_the_private_half_away(alice_api: APIClient, keyless: Body) -> None:
    device = keyless["devices"][0]
    assert (device["awaits_key"], device["private_key_known"]) == (True, False)
    assert not PeerKey.objects.exists()
    answer = alice_api.get(f"/api/v1/clients/{keyless['id']}/config")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "key_awaited")


def test_a_key_is_given_or_to_be_made(alice_api: APIClient, interface: Interface) -> None:
    body = {"name": "x", "key_mode": "customer", "public_key": make_public_key()}
    answer = alice_api.post("/api/v1/clients", body)
    assert answer.json()["errors"][0]["code"] == "key_given"
    answer = alice_api.post("/api/v1/clients", {"name": "x", "key_mode": "seller"})
    assert answer.json()["errors"][0]["field"] == "key_mode"
    made = alice_api.post("/api/v1/clients", {"name": "x", "key_mode": "portal"}).json()
    assert made["devices"][0]["private_key_known"] is True


def test_the_page_sends_a_key_and_gets_the_file_to_put_the_other_half_into(
    visitor: Browser, share: Share, keyless: Body, alice_api: APIClient
) -> None:
    made, key = share(keyless, allows_key=True), make_public_key()
    assert "Make the key on this device" in visitor.get(made["path"]).content.decode()
    answer = visitor.post(made["path"] + "/key", {"public_key": key}, headers=JSON)
    assert answer.status_code == 200, answer.content
    text = answer.json()["config"]
    assert text.splitlines()[1].startswith("# PrivateKey = ")
    assert parse(text).interface.private_key is None
    peer = Peer.objects.get()
    assert (peer.public_key, peer.awaits_key, peer.generation) == (key, False, 2)
    assert not PeerKey.objects.exists()
    job = Job.objects.latest("pk")
    assert (job.kind, job.items.get().public_key) == ("rotate", key)
    event = AuditEvent.objects.get(action="client.key_set")
    assert (event.actor_name, event.after["public_key"]) == ("share link", key)
    reveal = AuditEvent.objects.get(action="config.revealed")
    assert reveal.after["way"] == "key"
    body = alice_api.get(f"/api/v1/clients/{keyless['id']}").json()
    assert body["version"] == keyless["version"] + 1
    assert body["devices"][0]["file"]["outdated"] is False


def test_a_key_is_pasted_without_a_script(visitor: Browser, share: Share, keyless: Body) -> None:
    path, key = share(keyless, allows_key=True)["path"], make_public_key()
    answer = visitor.post(f"{path}/key", {"public_key": f" {key}\n"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "# PrivateKey = " in page
    assert "data:image" not in page  # a code without its key would not work
    assert Peer.objects.get().public_key == key
    landing = visitor.get(path).content.decode()
    assert "Show my configuration" in landing


def test_a_key_is_set_once(visitor: Browser, share: Share, keyless: Body) -> None:
    path, key = share(keyless, allows_key=True)["path"], make_public_key()
    assert visitor.post(f"{path}/key", {"public_key": key}, headers=JSON).status_code == 200
    other = visitor.post(f"{path}/key", {"public_key": make_public_key()}, headers=JSON)
    assert (other.status_code, other.json()["code"]) == (409, "key_not_awaited")
    assert Peer.objects.get().public_key == key


@pytest.mark.parametrize("single_use", [True, False])
def test_the_same_key_again_is_answered_again_for_a_while(
    single_use: bool, visitor: Browser, share: Share, keyless: Body
) -> None:
    path = share(keyless, allows_key=True, single_use=single_use)["path"]
    sent = {"public_key": make_public_key()}
    first = visitor.post(f"{path}/key", sent, headers=JSON)
    again = visitor.post(f"{path}/key", sent, headers=JSON)
    assert first.json() == again.json()
    assert Job.objects.filter(kind="rotate").count() == 1
    ShareLink.objects.update(used_at="2026-01-01T00:00:00Z")
    late = visitor.post(f"{path}/key", sent, headers=JSON)
    assert late.status_code == (404 if single_use else 409)


@pytest.mark.django_db(transaction=True)
def test_of_twenty_keys_at_a_time_exactly_one_is_taken(share: Share, keyless: Body) -> None:
    path = share(keyless, allows_key=True)["path"] + "/key"
    start, found = threading.Barrier(20), []

    def race() -> None:
        try:
            start.wait()
            sent = {"public_key": make_public_key()}
            found.append(Browser().post(path, sent, headers=JSON).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] + 19 * [409]
    assert Job.objects.filter(kind="rotate").count() == 1


def test_a_link_that_does_not_allow_it_takes_no_key(
    visitor: Browser, share: Share, keyless: Body
) -> None:
    path = share(keyless)["path"]
    assert "There is no file yet" in visitor.get(path).content.decode()
    answer = visitor.post(f"{path}/key", {"public_key": make_public_key()}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "key_not_allowed")
    assert visitor.post(path).status_code == 409
    assert Peer.objects.get().awaits_key is True


def bad_keys(interface: Interface) -> list[str]:
    taken = make_public_key()
    return [
        "", "short", 43 * "A", 44 * "A", 43 * "A" + "=", taken[:-2] + "B=", taken + "=",
        interface.public_key, taken[:20] + "\n" + taken[20:], 1000 * "A", "<script>",
    ]  # fmt: skip


def test_bad_keys_are_refused_and_burn_nothing(
    visitor: Browser, share: Share, keyless: Body, interface: Interface
) -> None:
    path = share(keyless, allows_key=True, single_use=True)["path"]
    for key in bad_keys(interface):
        assert visitor.post(f"{path}/key", {"public_key": key}, headers=JSON).status_code == 400
        page = visitor.post(f"{path}/key", {"public_key": key})
        assert page.status_code == 400
        assert "This is not a public key" in page.content.decode() or key == interface.public_key
    peer = Peer.objects.get()
    assert (peer.awaits_key, peer.generation) == (True, 1)
    assert ShareLink.objects.get().used_at is None
    assert visitor.post(f"{path}/key", {"public_key": make_public_key()}).status_code == 200


def test_a_key_that_another_device_has_is_409_without_its_owner(
    visitor: Browser, share: Share, keyless: Body, sold: Body
) -> None:
    path = share(keyless, allows_key=True)["path"]
    taken = sold["devices"][0]["public_key"]
    answer = visitor.post(f"{path}/key", {"public_key": taken}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_taken")
    assert "Sara" not in answer.content.decode()


def test_the_owner_has_another_key_made(
    visitor: Browser, share: Share, sold: Body, alice_api: APIClient
) -> None:
    """A key of the portal's is destroyed, and the device waits for its customer's."""
    url = f"/api/v1/clients/{sold['id']}/rotate-keys"
    answer = alice_api.post(url, {"key_mode": "customer"})
    assert answer.status_code == 200, answer.content
    device = answer.json()["devices"][0]
    assert (device["awaits_key"], device["private_key_known"]) == (True, False)
    assert device["public_key"] != sold["devices"][0]["public_key"]
    assert not PeerKey.objects.exists()
    path, key = share(sold, allows_key=True)["path"], make_public_key()
    assert visitor.post(f"{path}/key", {"public_key": key}, headers=JSON).status_code == 200
    assert alice_api.post(url, {"key_mode": "customer"}).status_code == 200
    assert visitor.post(f"{path}/key", {"public_key": make_public_key()}).status_code == 200
    both = {"key_mode": "customer", "public_key": make_public_key()}
    assert alice_api.post(url, both).json()["errors"][0]["code"] == "key_given"
