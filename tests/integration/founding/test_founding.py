"""The founding document's calls, with its keys and true statuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import Interface, Job, JobItem
from peers.models import Client, Peer
from peers.sealing import open_preshared_key
from peers.services import founding
from tenants.models import Tenant, User
from tests.make import make_client, make_interface, make_peer, make_public_key

ADD, REMOVE = "/api/wg/add-peer", "/api/wg/remove-peer"
STATUS, APPLY = "/api/wg/status", "/api/apply-wg-config"


def add(api: APIClient, **body: Any) -> dict[str, Any]:
    answer = api.post(ADD, {"public_key": make_public_key(), **body})
    assert answer.status_code == 202, answer.content
    found: dict[str, Any] = answer.json()
    return found


def allowed_ips(key: str) -> list[str]:
    peer = Peer.objects.get(public_key=key, deleted_at=None)
    own = sorted(peer.addresses.values_list("address", flat=True))
    return own + sorted(peer.networks.values_list("network", flat=True))


def test_add_peer_answers_202_with_client_and_job(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    key = make_public_key()
    answer = alice_api.post(
        ADD,
        {"public_key": key, "allowed_ips": ["10.252.1.100/32"], "persistent_keepalive": 25},
    )
    assert answer.status_code == 202
    body = answer.json()
    assert body["success"] is True
    assert body["message"]
    client = Client.objects.get(uuid=body["client"])
    assert client.tenant == acme
    peer = client.peers.get()
    assert (peer.public_key, peer.persistent_keepalive) == (key, 25)
    assert peer.preshared_key == ""
    assert allowed_ips(key) == ["10.252.1.100"]
    assert JobItem.objects.get(job__uuid=body["job"]["id"]).peer == peer


def test_without_allowed_ips_the_pools_give_addresses(
    alice_api: APIClient, interface: Interface
) -> None:
    key = make_public_key()
    add(alice_api, public_key=key)
    assert allowed_ips(key) == ["10.252.0.2", "fd52:7677:6721::2"]


def test_networks_are_routed_behind_the_device(alice_api: APIClient, interface: Interface) -> None:
    key = make_public_key()
    add(alice_api, public_key=key, allowed_ips=["192.168.7.0/24", "10.252.0.9"])
    assert allowed_ips(key) == ["10.252.0.9", "192.168.7.0/24"]


def test_a_key_that_the_tenant_has_is_an_update(alice_api: APIClient, interface: Interface) -> None:
    key, psk = make_public_key(), make_public_key()
    first = add(alice_api, public_key=key, persistent_keepalive=25, endpoint="192.0.2.1:7")
    again = add(
        alice_api, public_key=key, allowed_ips=["10.252.0.77/32"], preshared_key=psk, name="Neu"
    )
    assert again["client"] == first["client"]
    peer = Peer.objects.get()
    sealed = open_preshared_key(peer.uuid, peer.preshared_key)
    assert sealed is not None
    assert sealed.reveal() == psk
    assert allowed_ips(key) == ["10.252.0.77"]
    assert (peer.persistent_keepalive, peer.endpoint) == (25, "192.0.2.1:7")
    assert (peer.client.name, peer.generation) == ("Neu", 2)


@pytest.mark.parametrize("others", [0, 1])
def test_a_peer_that_was_removed_while_its_update_waited_is_made_anew(
    alice_api: APIClient,
    interface: Interface,
    monkeypatch: pytest.MonkeyPatch,
    others: int,
) -> None:
    key = make_public_key()
    add(alice_api, public_key=key)
    old = Peer.objects.get()
    for _ in range(others):
        make_peer(old.client, interface)
    look_up = founding._held

    def held(*arguments: Any) -> Peer | None:
        found = look_up(*arguments)
        monkeypatch.setattr(founding, "_held", look_up)
        assert alice_api.post(REMOVE, {"public_key": key}).status_code == 202
        return found

    monkeypatch.setattr(founding, "_held", held)
    made = add(alice_api, public_key=key, allowed_ips=["10.252.0.77/32"])
    new = Peer.objects.get(public_key=key, deleted_at=None)
    assert str(new.client.uuid) == made["client"]
    assert new.client != old.client
    assert allowed_ips(key) == ["10.252.0.77"]
    assert old.addresses.exists() is not bool(others)  # with its client it is kept for the undo


def test_adding_the_same_again_is_finished_at_once(
    alice_api: APIClient, interface: Interface
) -> None:
    body = {"public_key": make_public_key(), "allowed_ips": ["10.252.0.77/32"]}
    add(alice_api, **body)
    assert add(alice_api, **body)["job"]["status"] == "succeeded"
    assert Peer.objects.get().generation == 1


def test_a_foreign_key_is_409_and_its_owner_is_not_named(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    key = make_public_key()
    add(alice_api, public_key=key, name="Sara")
    answer = mallory_api.post(ADD, {"public_key": key})
    assert answer.status_code == 409
    body = answer.json()
    assert body["success"] is False
    assert body["message"].startswith("public_key: ")
    assert "acme" not in answer.content.decode()
    assert "Sara" not in answer.content.decode()


def test_remove_peer_takes_the_client_with_its_last_device(
    alice_api: APIClient, interface: Interface
) -> None:
    key = make_public_key()
    made = add(alice_api, public_key=key)
    answer = alice_api.post(REMOVE, {"public_key": key})
    assert answer.status_code == 202
    assert answer.json()["client"] == made["client"]
    assert Job.objects.get(uuid=answer.json()["job"]["id"]).kind == "delete"
    assert Client.objects.get(uuid=made["client"]).deleted_at is not None
    assert alice_api.post(REMOVE, {"public_key": key}).status_code == 404


def test_remove_peer_leaves_a_client_that_has_another_device(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    client = make_client(acme)
    gone, kept = make_peer(client, interface), make_peer(client, interface)
    alice_api.post(REMOVE, {"public_key": gone.public_key})
    client.refresh_from_db()
    kept.refresh_from_db()
    assert (client.deleted_at, kept.deleted_at) == (None, None)
    assert client.version == 2


def test_mallory_cannot_remove_alices_peer(
    alice_peer: Peer, mallory_api: APIClient, interface: Interface
) -> None:
    foreign = mallory_api.post(REMOVE, {"public_key": alice_peer.public_key})
    nothing = mallory_api.post(REMOVE, {"public_key": make_public_key()})
    assert foreign.status_code == nothing.status_code == 404
    assert foreign.content == nothing.content
    alice_peer.refresh_from_db()
    assert alice_peer.deleted_at is None
    assert not Job.objects.exists()


def test_the_interface_may_be_named(alice_api: APIClient, interface: Interface) -> None:
    other = make_interface(
        name="wg1", listen_port=51821, addresses=["10.99.0.1/24"], is_default=False
    )
    for name in ("wg1", str(other.uuid)):
        key = make_public_key()
        add(alice_api, public_key=key, interface=name)
        assert Peer.objects.get(public_key=key).interface == other
    answer = alice_api.post(ADD, {"public_key": make_public_key(), "interface": "wg9"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("interface: ")


# -- Status ----------------------------------------------------------------------------------


def test_status_has_the_documents_keys_and_the_observations_age(
    alice_api: APIClient, interface: Interface
) -> None:
    Interface.objects.update(state="up", observed_at=timezone.now() - timedelta(seconds=7))
    body = alice_api.get(STATUS).json()
    assert body["success"] is True
    assert (body["interface"], body["status"], body["active"]) == ("wg0", "active", True)
    assert 7 <= body["age_seconds"] < 12


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("unknown", "unknown"),
        ("down", "inactive"),
        ("foreign", "foreign"),
        ("unreachable", "unreachable"),
    ],
)
def test_status_of_what_is_not_up(
    state: str, word: str, alice_api: APIClient, interface: Interface
) -> None:
    Interface.objects.update(state=state)
    body = alice_api.get(STATUS).json()
    assert (body["status"], body["active"], body["age_seconds"]) == (word, False, None)


def test_status_counts_a_tenants_own_peers_and_an_operators_all(
    alice_peer: Peer,
    alice_api: APIClient,
    mallory_api: APIClient,
    operator_api: APIClient,
    interface: Interface,
) -> None:
    Interface.objects.update(drift={"stray": ["k"]})
    Peer.objects.update(observed_present=True, last_handshake_at=timezone.now())
    counts = [api.get(STATUS).json() for api in (alice_api, mallory_api, operator_api)]
    assert [(body["peers"], body["online"], body["pending"]) for body in counts] == [
        (1, 1, 1),
        (0, 0, 0),
        (1, 1, 1),
    ]
    assert ["drift_detail" in body for body in counts] == [False, False, True]


# -- Apply -----------------------------------------------------------------------------------


def test_apply_makes_a_check_and_brings_the_tenants_open_items_forward(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    mine, theirs = add(alice_api), add(mallory_api)
    later = timezone.now() + timedelta(minutes=5)
    JobItem.objects.update(due_at=later)
    answer = alice_api.post(APPLY)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["success"], body["client"]) == (True, None)
    job = Job.objects.get(uuid=body["job"]["id"])
    assert (job.kind, job.tenant and job.tenant.slug) == ("apply", "acme")
    assert job.items.get().action == "check"
    assert JobItem.objects.get(job__uuid=mine["job"]["id"]).due_at < later
    assert JobItem.objects.get(job__uuid=theirs["job"]["id"]).due_at == later


def test_an_operators_apply_is_for_all(
    alice_api: APIClient, operator_api: APIClient, interface: Interface
) -> None:
    mine = add(alice_api)
    later = timezone.now() + timedelta(minutes=5)
    JobItem.objects.update(due_at=later)
    body = operator_api.post(APPLY, {}).json()
    assert Job.objects.get(uuid=body["job"]["id"]).tenant is None
    assert JobItem.objects.get(job__uuid=mine["job"]["id"]).due_at < later


def test_who_waits_is_told_the_finished_jobs_message(
    alice_api: APIClient, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Applied server config successfully without disrupting active connections"

    def finish(job: Job, seconds: float) -> Job:
        Job.objects.filter(pk=job.pk).update(
            status="succeeded", finished_at=timezone.now(), message=text
        )
        job.refresh_from_db()
        return job

    monkeypatch.setattr("rest.prefer.wait_for_job", finish)
    answer = alice_api.post(APPLY, {}, headers={"Prefer": "wait=10"})
    assert (answer.status_code, answer.json()["message"]) == (200, text)
    assert answer["Preference-Applied"] == "wait=10"


def test_who_waits_for_what_fails_gets_502_with_the_reason(
    alice_api: APIClient, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(job: Job, seconds: float) -> Job:
        Job.objects.filter(pk=job.pk).update(
            status="failed", finished_at=timezone.now(), message="the interface is gone"
        )
        job.refresh_from_db()
        return job

    monkeypatch.setattr("rest.prefer.wait_for_job", fail)
    answer = alice_api.post(ADD, {"public_key": make_public_key()}, headers={"Prefer": "wait=10"})
    assert answer.status_code == 502
    assert answer.json()["success"] is False
    assert "the interface is gone" in answer.json()["message"]


# -- Who may ---------------------------------------------------------------------------------

CALLS = [("post", ADD), ("post", REMOVE), ("get", STATUS), ("post", APPLY)]


@pytest.mark.parametrize(("method", "url"), CALLS)
def test_nobody_gets_401_in_the_documents_shape(
    method: str, url: str, anonymous_api: APIClient, interface: Interface
) -> None:
    answer = getattr(anonymous_api, method)(url)
    assert answer.status_code == 401
    assert answer.json()["success"] is False
    assert answer.json()["message"]


@pytest.mark.parametrize(("method", "url"), CALLS)
def test_a_session_without_its_csrf_token_may_only_look(
    method: str, url: str, alice: User, interface: Interface
) -> None:
    api = APIClient(enforce_csrf_checks=True)
    api.default_format = "json"
    api.force_login(alice)
    answer = getattr(api, method)(url)
    assert answer.status_code == (200 if method == "get" else 403)
    assert not Job.objects.exists()


@pytest.mark.parametrize(("method", "url"), CALLS)
def test_other_methods_are_405(method: str, url: str, alice_api: APIClient, db: None) -> None:
    other = "post" if method == "get" else "get"
    assert getattr(alice_api, other)(url).status_code == 405
    assert alice_api.put(url).status_code == 405
