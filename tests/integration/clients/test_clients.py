"""/api/v1/clients: what a seller sees, makes, changes and deletes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface, Job, JobItem
from peers.models import Client, Peer, PeerAddress, PeerKey
from peers.sealing import open_private_key
from quotas.models import Hold
from tenants.models import Tenant
from tests.make import make_client, make_meter, make_peer, make_public_key
from tests.tags import stateless, tag
from wireguard.keys import public_key_of

URL = "/api/v1/clients"


def create(api: APIClient, **fields: Any) -> dict[str, Any]:
    answer = api.post(URL, {"name": "Sara", **fields})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def peer_of(body: dict[str, Any]) -> Peer:
    return Peer.objects.get(uuid=body["devices"][0]["id"])


def applied(body: dict[str, Any]) -> None:
    """As the gateway's worker leaves the row when all went well."""
    for peer in Peer.objects.filter(client__uuid=body["id"]):
        peer.applied_generation = peer.verified_generation = peer.generation
        peer.save()


# -- Making ----------------------------------------------------------------------------------


def test_a_name_is_enough_and_the_rest_is_made(alice_api: APIClient, interface: Interface) -> None:
    answer = alice_api.post(URL, {"name": "Sara"})
    assert answer.status_code == 201
    body = answer.json()
    assert answer["Location"] == f"{URL}/{body['id']}"
    assert stateless(answer["ETag"]) == tag(body, 1)
    device = body["devices"][0]
    assert device["addresses"] == ["10.252.0.2/32", "fd52:7677:6721::2/128"]
    assert device["private_key_known"] is True
    assert device["preshared_key_set"] is True
    assert (body["state"], device["status"]) == ("pending", "pending")
    assert body["job"]["status"] == "pending"
    assert alice_api.get(body["job"]["href"]).json()["kind"] == "create"
    peer = peer_of(body)
    private = open_private_key(peer.uuid, PeerKey.objects.get(peer=peer).private_key)
    assert public_key_of(private) == device["public_key"]


def test_making_writes_job_audit_and_boot_mark_in_the_same_transaction(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)
    item = JobItem.objects.get(job__uuid=body["job"]["id"])
    assert (item.peer, item.interface, item.status) == (peer_of(body), interface, "open")
    event = AuditEvent.objects.get(target_id=body["id"])
    assert (event.action, event.actor_name) == ("client.created", "alice")
    interface.refresh_from_db()
    assert interface.boot_dirty_since is not None


def test_no_answer_and_no_audit_event_holds_a_secret(
    alice_api: APIClient, interface: Interface
) -> None:
    psk = make_public_key()
    body = create(alice_api, preshared_key=psk)
    peer = peer_of(body)
    private = open_private_key(peer.uuid, PeerKey.objects.get(peer=peer).private_key).reveal()
    alice_api.patch(f"{URL}/{body['id']}", {"preshared_key": make_public_key(), "name": "B"})
    text = alice_api.get(f"{URL}/{body['id']}").content.decode() + str(body)
    text += str(list(AuditEvent.objects.values()))
    for secret in (psk, private, peer.preshared_key):
        assert secret not in text


def test_who_brings_a_key_keeps_the_private_one(alice_api: APIClient, interface: Interface) -> None:
    key = make_public_key()
    body = create(alice_api, public_key=key, preshared_key=None)
    device = body["devices"][0]
    assert device["public_key"] == key
    assert device["private_key_known"] is False
    assert device["preshared_key_set"] is False
    assert not PeerKey.objects.exists()


def test_everything_that_is_sent_comes_back(alice_api: APIClient, interface: Interface) -> None:
    sent = {
        "name": "سارا",
        "external_id": "order/7",
        "email": "sara@example.org",
        "telegram_id": "@sara",
        "note": "paid",
        "tags": ["gold"],
        "metadata": {"n": 1},
    }
    device = {
        "addresses": ["10.252.3.4/32"],
        "networks": ["192.168.7.0/24"],
        "persistent_keepalive": 20,
        "endpoint": "192.0.2.9:51820",
        "dns_servers": ["1.1.1.1"],
        "mtu": 1380,
        "client_keepalive": 15,
        "routes": ["10.0.0.0/8"],
        "endpoint_override": "relay.example.com:443",
    }
    made = create(alice_api, **sent, **device)
    for body in (made, alice_api.get(f"{URL}/{made['id']}").json()):
        assert {name: body[name] for name in sent} == sent
        assert {name: body["devices"][0][name] for name in device} == device


def test_a_disabled_client_is_made_blocked_and_held(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api, enabled=False)
    assert body["state"] == "disabled"
    assert [hold["reason"] for hold in body["holds"]] == ["manual"]
    assert peer_of(body).blocked


def test_a_key_on_the_interface_is_refused_without_saying_whose(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    key = make_public_key()
    create(alice_api, public_key=key)
    own = alice_api.post(URL, {"name": "x", "public_key": key})
    foreign = mallory_api.post(URL, {"name": "x", "public_key": key})
    assert own.status_code == foreign.status_code == 409
    assert own.json() == foreign.json()
    assert foreign.json()["errors"][0]["field"] == "public_key"


def test_the_servers_own_key_is_refused(alice_api: APIClient, interface: Interface) -> None:
    answer = alice_api.post(URL, {"name": "x", "public_key": interface.public_key})
    assert answer.status_code == 400


def test_the_key_of_a_deleted_client_may_be_used_again_at_once(
    alice_api: APIClient, interface: Interface
) -> None:
    key = make_public_key()
    body = create(alice_api, public_key=key, addresses=["10.252.0.50"])
    assert alice_api.delete(f"{URL}/{body['id']}").status_code == 204
    again = create(alice_api, public_key=key, addresses=["10.252.0.50"])
    assert again["devices"][0]["addresses"] == ["10.252.0.50/32"]


def test_an_external_id_is_the_tenants_own(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    first = create(alice_api, external_id="7")
    create(mallory_api, external_id="7")
    answer = alice_api.post(URL, {"name": "x", "external_id": "7"})
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "external_id"
    alice_api.delete(f"{URL}/{first['id']}")
    create(alice_api, external_id="7")


def test_without_an_interface_it_says_so(alice_api: APIClient, db: None) -> None:
    answer = alice_api.post(URL, {"name": "x"})
    assert answer.status_code == 404
    assert "no interface" in answer.json()["detail"]


def test_the_cost_of_making_does_not_grow_with_the_clients(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    create(alice_api)
    with CaptureQueriesContext(connection) as few:
        create(alice_api)
    for _ in range(150):
        make_peer(make_client(acme), interface)
    with CaptureQueriesContext(connection) as many:
        create(alice_api)
    assert len(many) == len(few)
    statements = [one for one in few if "SAVEPOINT" not in one["sql"]]
    assert len(statements) <= 14, [one["sql"][:90] for one in statements]


# -- Reading ---------------------------------------------------------------------------------


def test_a_page_costs_the_same_number_of_queries_whatever_is_on_it(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    create(alice_api)
    alice_api.get(URL)
    with CaptureQueriesContext(connection) as one:
        alice_api.get(URL)
    for number in range(60):
        client = make_client(acme, name=f"c{number}")
        make_peer(client, interface)
        make_peer(client, interface)
    with CaptureQueriesContext(connection) as many:
        body = alice_api.get(URL).json()
    assert len(body["results"]) == 50
    assert body["next"]
    assert len(many) == len(one) <= 7


def test_filters_find_what_they_name(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    sara = create(alice_api, name="Sara", external_id="s-1", tags=["gold", "طلا"])
    omid = create(alice_api, name="Omid", email="omid@example.org", tags=["golden"])
    off = create(alice_api, name="Off", enabled=False)
    applied(sara)
    Peer.objects.filter(client__uuid=sara["id"]).update(
        observed_present=True, last_handshake_at=timezone.now() - timedelta(seconds=170)
    )
    Peer.objects.filter(client__uuid=omid["id"]).update(
        observed_present=True, last_handshake_at=timezone.now() - timedelta(seconds=190)
    )
    address = omid["devices"][0]["addresses"][0].partition("/")[0]
    for query, wanted in {
        "search=sar": ["Sara"],
        "search=omid@": ["Omid"],
        f"search={address}": ["Omid"],
        "external_id=s-1": ["Sara"],
        "tag=gold": ["Sara"],
        "tag=طلا": ["Sara"],
        "tag=gol": [],
        "state=active": ["Sara"],
        "state=pending": ["Omid"],
        "state=disabled": ["Off"],
        "state=expired": [],
        "state=failed": [],
        "interface=wg0": ["Off", "Omid", "Sara"],
        "interface=wg9": [],
        "online=true": ["Sara"],
        "online=false": ["Off", "Omid"],
        "ordering=name": ["Off", "Omid", "Sara"],
        "ordering=-name": ["Sara", "Omid", "Off"],
    }.items():
        answer = alice_api.get(f"{URL}?{query}")
        assert answer.status_code == 200, answer.content
        assert [found["name"] for found in answer.json()["results"]] == wanted, query
    assert off["state"] == "disabled"


def test_the_state_filter_agrees_with_the_state_shown(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    bodies = [create(alice_api, name=f"c{number}") for number in range(9)]
    for body in bodies[:7]:
        applied(body)
    reasons = [
        ["quota"],
        ["expired", "quota"],
        ["manual", "expired"],
        ["tenant-suspended"],
        ["plan"],
    ]
    for body, opened in zip(bodies, reasons, strict=False):
        client = Client.objects.get(uuid=body["id"])
        for reason in opened:
            Hold.objects.create(
                tenant=acme, client=client, reason=reason, opened_at=timezone.now(), opened_by="x"
            )
    Peer.objects.filter(client__uuid=bodies[6]["id"]).update(quarantine_reason="bad")
    JobItem.objects.filter(peer__client__uuid=bodies[7]["id"]).update(
        status="failed", settled_at=timezone.now(), message="refused"
    )
    shown = {row["name"]: row["state"] for row in alice_api.get(URL).json()["results"]}
    assert set(shown.values()) == {
        "over-quota", "expired", "disabled", "suspended", "scheduled", "active", "failed",
        "pending",
    }  # fmt: skip
    for state in set(shown.values()):
        found = alice_api.get(f"{URL}?state={state}").json()["results"]
        names = sorted(name for name, word in shown.items() if word == state)
        assert sorted(row["name"] for row in found) == names


def test_a_failed_device_says_why(alice_api: APIClient, interface: Interface) -> None:
    body = create(alice_api)
    JobItem.objects.update(status="failed", settled_at=timezone.now(), message="no route")
    device = alice_api.get(f"{URL}/{body['id']}").json()["devices"][0]
    assert (device["status"], device["reason"]) == ("failed", "no route")
    Peer.objects.update(quarantine_reason="bad key")
    device = alice_api.get(f"{URL}/{body['id']}").json()["devices"][0]
    assert (device["status"], device["reason"]) == ("quarantined", "bad key")


def test_live_figures_are_seen_from_the_client(alice_api: APIClient, interface: Interface) -> None:
    body = create(alice_api)
    seen = timezone.now()
    Interface.objects.update(observed_at=seen)
    Peer.objects.update(
        observed_present=True,
        last_handshake_at=seen,
        observed_endpoint="198.51.100.7:4242",
    )
    make_meter(Peer.objects.get(), up=5, down=7)
    live = alice_api.get(f"{URL}/{body['id']}").json()["devices"][0]["live"]
    assert (live["upload_bytes"], live["download_bytes"]) == (5, 7)
    assert live["online"] is True
    assert live["endpoint"] == "198.51.100.7:4242"
    assert live["observed_at"] is not None
    Peer.objects.update(blocked=True)
    assert not alice_api.get(f"{URL}/{body['id']}").json()["devices"][0]["live"]["online"]


def test_by_external_id(alice_api: APIClient, interface: Interface) -> None:
    body = create(alice_api, external_id="a/b c".replace(" ", "-"))
    assert alice_api.get(f"{URL}/by-external-id/a/b-c").json()["id"] == body["id"]
    assert alice_api.get(f"{URL}/by-external-id/nobody").status_code == 404


# -- Changing --------------------------------------------------------------------------------


def test_a_change_that_wireguard_need_not_learn_of_is_finished_at_once(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)
    answer = alice_api.patch(f"{URL}/{body['id']}", {"name": "Sara B", "mtu": 1300, "note": "x"})
    assert answer.status_code == 200
    assert stateless(answer["ETag"]) == tag(body, 2)
    changed = answer.json()
    assert (changed["name"], changed["devices"][0]["mtu"]) == ("Sara B", 1300)
    assert changed["job"]["status"] == "succeeded"
    assert peer_of(body).generation == 1


@pytest.mark.parametrize(
    "change",
    [
        {"persistent_keepalive": 21},
        {"endpoint": "192.0.2.1:7"},
        {"preshared_key": None},
        {"preshared_key": "generate"},
        {"addresses": ["10.252.9.9/32"]},
        {"networks": ["192.168.7.0/24"]},
    ],
)
def test_a_change_that_wireguard_must_learn_of_raises_the_generation_and_makes_a_job(
    change: dict[str, Any], alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)
    Interface.objects.update(boot_dirty_since=None)
    changed = alice_api.patch(f"{URL}/{body['id']}", change).json()
    assert peer_of(body).generation == 2
    assert changed["job"]["status"] == "pending"
    interface.refresh_from_db()
    assert interface.boot_dirty_since is not None


def test_saying_what_is_already_so_changes_nothing(
    alice_api: APIClient, interface: Interface
) -> None:
    psk = make_public_key()
    sent = {"persistent_keepalive": 25, "preshared_key": psk, "addresses": ["10.252.0.9"]}
    body = create(alice_api, **sent)
    events = AuditEvent.objects.count()
    answer = alice_api.patch(f"{URL}/{body['id']}", {"name": "Sara", "enabled": True, **sent})
    assert stateless(answer["ETag"]) == tag(body, 1)
    assert answer.json()["job"]["status"] == "succeeded"
    assert peer_of(body).generation == 1
    assert AuditEvent.objects.count() == events


def test_what_was_read_may_be_sent_back(alice_api: APIClient, interface: Interface) -> None:
    body = create(alice_api)
    read = alice_api.get(f"{URL}/{body['id']}").json()
    answer = alice_api.patch(f"{URL}/{body['id']}", read)
    assert answer.status_code == 200, answer.content
    for name, value in {"state": "active", "id": str(uuid4()), "version": 9}.items():
        answer = alice_api.patch(f"{URL}/{body['id']}", {name: value})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == name


def test_addresses_that_a_client_gives_up_are_released(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)
    alice_api.patch(f"{URL}/{body['id']}", {"addresses": ["10.252.0.9"]})
    assert PeerAddress.objects.get(address="10.252.0.2").peer is None
    assert PeerAddress.objects.get(address="10.252.0.2").free_at is not None
    assert PeerAddress.objects.get(address="10.252.0.9").peer == peer_of(body)


def test_if_match_refuses_a_version_that_is_gone(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)
    url, first = f"{URL}/{body['id']}", {"If-Match": tag(body, 1)}
    assert alice_api.patch(url, {"name": "B"}, headers=first).status_code == 200
    assert alice_api.patch(url, {"name": "C"}, headers=first).status_code == 412
    assert alice_api.delete(url, headers=first).status_code == 412
    assert alice_api.get(url).json()["name"] == "B"
    assert alice_api.delete(url, headers={"If-Match": tag(body, 2)}).status_code == 204


def test_live_figures_do_not_change_the_etag(alice_api: APIClient, interface: Interface) -> None:
    url = f"{URL}/{create(alice_api)['id']}"
    before = alice_api.get(url)["ETag"]
    Peer.objects.update(observed_present=True, last_handshake_at=timezone.now())
    make_meter(Peer.objects.get(), up=5)
    assert alice_api.get(url)["ETag"] == before


def test_several_devices_must_be_named(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    client = make_client(acme)
    make_peer(client, interface)
    make_peer(client, interface)
    answer = alice_api.patch(f"{URL}/{client.uuid}", {"mtu": 1300})
    assert answer.status_code == 400
    assert "several devices" in answer.json()["detail"]
    assert alice_api.patch(f"{URL}/{client.uuid}", {"name": "both"}).status_code == 200
    assert alice_api.get(f"{URL}/{client.uuid}/config").status_code == 400


# -- Holds -----------------------------------------------------------------------------------


def test_disable_blocks_and_enable_unblocks(alice_api: APIClient, interface: Interface) -> None:
    body = create(alice_api)
    url = f"{URL}/{body['id']}"
    off = alice_api.post(f"{url}/disable", {"note": "unpaid"}).json()
    assert off["state"] == "disabled"
    assert off["holds"][0]["note"] == "unpaid"
    peer = peer_of(body)
    assert (peer.blocked, peer.generation) == (True, 2)
    assert Job.objects.get(uuid=off["job"]["id"]).kind == "disable"
    again = alice_api.post(f"{url}/disable").json()
    assert again["job"]["status"] == "succeeded"
    assert peer_of(body).generation == 2
    on = alice_api.post(f"{url}/enable").json()
    assert on["holds"] == []
    peer = peer_of(body)
    assert (peer.blocked, peer.generation) == (False, 3)


def test_enable_closes_the_manual_hold_and_no_other(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    body = create(alice_api, enabled=False)
    client = Client.objects.get(uuid=body["id"])
    Hold.objects.create(
        tenant=acme, client=client, reason="quota", opened_at=timezone.now(), opened_by="vwg"
    )
    on = alice_api.patch(f"{URL}/{body['id']}", {"enabled": True}).json()
    assert on["state"] == "over-quota"
    assert peer_of(body).blocked
    assert on["job"]["status"] == "succeeded"


# -- Deleting --------------------------------------------------------------------------------


def test_delete_leaves_a_tombstone_and_names_its_job(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api, networks=["192.168.7.0/24"])
    peer = peer_of(body)
    answer = alice_api.delete(f"{URL}/{body['id']}")
    assert answer.status_code == 204
    assert answer.content == b""
    job = Job.objects.get(uuid=answer["X-VWG-Job"])
    assert str(job.uuid) in answer["Link"]
    assert (job.kind, job.items.get().public_key) == ("delete", peer.public_key)
    peer.refresh_from_db()
    assert peer.deleted_at is not None
    assert peer.generation == 2


def test_delete_twice_is_204_then_404_with_one_removal(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)
    url = f"{URL}/{body['id']}"
    assert [alice_api.delete(url).status_code for _ in range(2)] == [204, 404]
    assert Job.objects.filter(kind="delete").count() == 1
    assert alice_api.get(url).status_code == 404
    assert alice_api.get(URL).json()["results"] == []


# -- Waiting ---------------------------------------------------------------------------------


def test_who_waits_for_what_is_finished_is_told_so(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)
    answer = alice_api.patch(f"{URL}/{body['id']}", {"name": "B"}, headers={"Prefer": "wait=5"})
    assert answer.status_code == 200
    assert answer["Preference-Applied"] == "wait=5"
    assert answer.json()["name"] == "B"


def test_who_waits_in_vain_gets_202(alice_api: APIClient, interface: Interface) -> None:
    answer = alice_api.post(URL, {"name": "Sara"}, headers={"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert answer.json()["job"]["status"] == "pending"


# -- Strangers -------------------------------------------------------------------------------

CALLS = [
    ("get", ""),
    ("patch", ""),
    ("delete", ""),
    ("post", "/enable"),
    ("post", "/disable"),
    ("get", "/config"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_mallory_sees_alices_client_as_one_that_never_was(
    method: str,
    path: str,
    alice_api: APIClient,
    mallory_api: APIClient,
    interface: Interface,
) -> None:
    body = create(alice_api, external_id="x")
    jobs = Job.objects.count()
    foreign = getattr(mallory_api, method)(f"{URL}/{body['id']}{path}")
    nothing = getattr(mallory_api, method)(f"{URL}/{uuid4()}{path}")
    assert foreign.status_code == nothing.status_code == 404
    assert foreign.content == nothing.content
    assert foreign.headers == nothing.headers
    assert Job.objects.count() == jobs
    assert alice_api.get(f"{URL}/{body['id']}").json()["version"] == 1


def test_mallory_finds_nothing_of_alices_by_lists_ids_and_files(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api, external_id="x")
    assert mallory_api.get(URL).json()["results"] == []
    assert mallory_api.get(f"{URL}?search=Sara").json()["results"] == []
    foreign = mallory_api.get(f"{URL}/by-external-id/x")
    assert foreign.status_code == 404
    assert foreign.content == mallory_api.get(f"{URL}/by-external-id/y").content
    file = mallory_api.get(f"/api/v1/peers/{body['devices'][0]['id']}/config")
    assert file.status_code == 404
    assert file.content == mallory_api.get(f"/api/v1/peers/{uuid4()}/config").content


@pytest.mark.parametrize(
    ("method", "path"),
    [*CALLS, ("get", "/../../clients"), ("post", "/../../clients")],
)
def test_nobody_gets_401(
    method: str, path: str, anonymous_api: APIClient, interface: Interface
) -> None:
    url = URL if ".." in path else f"{URL}/{uuid4()}{path}"
    answer = getattr(anonymous_api, method)(url)
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer


def test_a_viewer_may_look_and_not_touch(viewer: Any, interface: Interface, acme: Tenant) -> None:
    client = make_client(acme)
    make_peer(client, interface)
    api = APIClient()
    api.default_format = "json"
    api.force_login(viewer)
    assert api.get(f"{URL}/{client.uuid}").status_code == 200
    assert api.patch(f"{URL}/{client.uuid}", {"name": "x"}).status_code == 403
    assert api.delete(f"{URL}/{client.uuid}").status_code == 403
    assert api.post(URL, {"name": "x"}).status_code == 403
