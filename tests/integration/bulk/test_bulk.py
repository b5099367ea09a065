"""/api/v1/clients/bulk: many clients in one request, a result for each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface, Job, JobItem
from peers.models import BulkItem, BulkRun, Client, Peer, PeerAddress, PeerKey
from peers.sealing import open_private_key
from quotas.models import Hold
from tenants.models import Tenant
from tests.make import make_client, make_peer, make_plan, make_public_key
from wireguard.keys import public_key_of

URL = "/api/v1/clients/bulk"


def bulk(api: APIClient, action: str, *, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = api.post(URL, {"action": action, **body})
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def named(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"name": f"C{n}", "external_id": f"x-{n}", **fields} for n in range(number)]


def outcomes(body: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in body["results"]]


def codes(body: dict[str, Any]) -> list[str | None]:
    return [one["error"] and one["error"]["code"] for one in body["results"]]


# -- Making ----------------------------------------------------------------------------------


def test_clients_are_made_with_keys_addresses_events_and_one_job(
    alice_api: APIClient, interface: Interface, acme: Tenant
) -> None:
    body = bulk(alice_api, "create", items=named(5))
    assert outcomes(body) == ["done"] * 5
    assert (body["status"], body["progress"]) == ("succeeded", {"total": 5, "done": 5, "failed": 0})
    run = BulkRun.objects.get()
    assert run.finished_at is not None
    assert run.started_at == run.created_at <= run.finished_at
    first = body["results"][0]
    assert (first["ref"], first["external_id"]) == ("x-0", "x-0")
    device = first["devices"][0]
    assert device["addresses"] == ["10.252.0.2/32", "fd52:7677:6721::2/128"]
    client = Client.objects.get(uuid=first["client"])
    assert (client.name, client.tenant, client.created_by) == ("C0", acme, "alice")
    peer = Peer.objects.get(uuid=device["id"])
    private = open_private_key(peer.uuid, PeerKey.objects.get(peer=peer).private_key)
    assert public_key_of(private) == device["public_key"] == peer.public_key
    assert peer.preshared_key
    assert PeerAddress.objects.values("address").distinct().count() == 10
    job = Job.objects.get()
    assert (job.kind, job.total, body["jobs"][0]["id"]) == ("bulk", 5, str(job.uuid))
    assert JobItem.objects.filter(job=job, status="open").count() == 5
    events = AuditEvent.objects.exclude(target_type="token")
    assert set(events.values_list("action", "actor_name")) == {("client.created", "alice")}
    assert events.count() == 5
    interface.refresh_from_db()
    assert interface.boot_dirty_since is not None


def test_a_made_client_is_read_like_one_that_was_made_alone(
    alice_api: APIClient, interface: Interface
) -> None:
    wish = {"name": "Sara", "note": "n", "tags": ["a"], "metadata": {"k": 1}, "enabled": False}
    alone = alice_api.post("/api/v1/clients", wish).json()
    made = bulk(alice_api, "create", items=[wish])["results"][0]
    together = alice_api.get(f"/api/v1/clients/{made['client']}").json()
    own = {"id", "job", "created_at", "updated_at", "devices", "holds", "starts_at", "off"}
    assert {k: v for k, v in alone.items() if k not in own} == {
        k: v for k, v in together.items() if k not in own
    }
    assert together["state"] == "disabled"
    assert [hold["reason"] for hold in together["holds"]] == ["manual"]
    device = {"id", "public_key", "addresses"}
    assert {k: v for k, v in alone["devices"][0].items() if k not in device} == {
        k: v for k, v in together["devices"][0].items() if k not in device
    }
    assert Peer.objects.filter(blocked=True).count() == 2


def test_each_failure_is_its_own(alice_api: APIClient, interface: Interface, acme: Tenant) -> None:
    make_client(acme, name="Old", external_id="old")
    key = make_public_key()
    make_peer(make_client(acme), interface, public_key=key)
    body = bulk(
        alice_api,
        "create",
        items=[
            {"name": "good"},
            {"name": ""},
            {"name": "x", "colour": "red"},
            {"name": "x", "external_id": "old"},
            {"name": "x", "public_key": key},
            {"name": "x", "interface": "nowhere"},
            {"name": "x", "external_id": "new"},
            {"name": "x", "external_id": "new"},
            {"name": "x", "addresses": ["10.252.0.1"]},
            {"name": "x", "addresses": ["10.252.3.3"]},
            {"name": "x", "addresses": ["10.252.3.3"]},
            {"name": "x", "mtu": 600},
        ],
    )
    assert codes(body) == [
        None,
        "blank",
        "unknown_field",
        "external_id_taken",
        "key_taken",
        "interface_unknown",
        None,
        "external_id_taken",
        "address_reserved",
        None,
        "address_taken",
        "invalid",
    ]
    assert body["results"][2]["error"]["field"] == "colour"
    assert [one["index"] for one in body["results"]] == list(range(12))
    assert (body["status"], body["progress"]["failed"]) == ("failed", 9)
    assert Client.objects.filter(tenant=acme).count() == 2 + 3
    assert AuditEvent.objects.filter(action="client.created").count() == 3


def test_common_arguments_hold_for_every_new_client(
    alice_api: APIClient, interface: Interface
) -> None:
    bulk(
        alice_api,
        "create",
        items=[{"name": "a"}, {"name": "b", "tags": ["own"]}],
        arguments={"tags": ["common"], "note": "n"},
    )
    assert list(Client.objects.order_by("name").values_list("tags", "note")) == [
        (["common"], "n"),
        (["own"], "n"),
    ]


def test_all_or_nothing_leaves_nothing_and_says_so_of_each(
    alice_api: APIClient, interface: Interface
) -> None:
    items = [*named(3), {"name": "x", "external_id": "x-1"}]
    body = bulk(alice_api, "create", items=items, all_or_nothing=True)
    assert outcomes(body) == ["skipped", "skipped", "skipped", "failed"]
    assert codes(body) == ["rolled_back"] * 3 + ["external_id_taken"]
    assert [one["client"] for one in body["results"]] == [None] * 4
    assert not Client.objects.exists()
    assert not Job.objects.exists()
    assert not AuditEvent.objects.filter(target_type="client").exists()
    interface.refresh_from_db()
    assert interface.boot_dirty_since is None
    assert interface.pools.get(family=4).next_offset == 0
    assert alice_api.get(body["href"]).json()["status"] == "failed"


def test_a_dry_run_checks_everything_and_leaves_nothing(
    alice_api: APIClient, interface: Interface
) -> None:
    items = [*named(2), {"name": "x", "external_id": "x-1"}]
    body = bulk(alice_api, "create", items=items, dry_run=True)
    assert codes(body) == [None, None, "external_id_taken"]
    assert (body["id"], body["href"], body["dry_run"]) == (None, None, True)
    for model in (Client, Peer, PeerAddress, Job, BulkRun, BulkItem):
        assert not model.objects.exists()
    assert not AuditEvent.objects.filter(target_type="client").exists()
    assert bulk(alice_api, "create", items=named(2))["status"] == "succeeded"


def test_a_tenant_s_limit_lets_in_as_many_as_it_has_room_for(
    alice_api: APIClient, interface: Interface, acme: Tenant
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_clients=3)
    make_client(acme)
    items: list[dict[str, Any]] = [*named(2), {"name": "x", "addresses": ["10.252.9.9"]}]
    body = bulk(alice_api, "create", items=items)
    assert codes(body) == [None, None, "limit_clients"]
    assert codes(bulk(alice_api, "create", items=[{"name": "y"}])) == ["limit_clients"]


def test_plans_fill_in_and_foreign_ones_do_not_exist(
    alice_api: APIClient, interface: Interface, acme: Tenant, evil: Tenant
) -> None:
    mine, theirs = make_plan(acme, total_bytes=5, duration_days=30), make_plan(evil)
    Tenant.objects.filter(pk=acme.pk).update(max_devices_per_client=0)
    assert codes(bulk(alice_api, "create", items=[{"name": "x"}])) == ["limit_devices"]
    Tenant.objects.filter(pk=acme.pk).update(max_devices_per_client=None)
    plans = [str(mine.uuid), str(theirs.uuid), str(uuid4())]
    body = bulk(alice_api, "create", items=[{"name": "x", "plan": plan} for plan in plans])
    assert codes(body) == [None, "plan_unknown", "plan_unknown"]
    client = Client.objects.get()
    assert (client.plan, client.quota_bytes) == (mine, 5)
    assert client.expires_at is not None
    event = AuditEvent.objects.get(action="client.created")
    assert event.after["plan"] == plans[0]


def test_pools_and_interfaces_that_the_tenant_may_not_use_stay_out_of_reach(
    alice_api: APIClient, interface: Interface, acme: Tenant
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(limits_pools=True)
    acme.pools.add(interface.pools.get(family=6))
    device = bulk(alice_api, "create", items=named(1))["results"][0]["devices"][0]
    assert device["addresses"] == ["fd52:7677:6721::2/128"]
    Tenant.objects.filter(pk=acme.pk).update(limits_interfaces=True)
    body = bulk(alice_api, "create", items=[{"name": "x"}, {"name": "y", "interface": "wg0"}])
    assert codes(body) == ["no_interface", "interface_unknown"]


def test_a_pool_gives_what_it_has_and_the_rest_fails(
    alice_api: APIClient, interface: Interface
) -> None:
    pool = interface.pools.get(family=4)
    pool.next_offset = pool.size - 3
    pool.save()
    body = bulk(alice_api, "create", items=named(5))
    assert codes(body) == [None] * 3 + ["pool_exhausted"] * 2
    assert interface.pools.get(family=6).next_offset == 3


def test_released_addresses_are_given_again_and_claimed_ones_passed_over(
    alice_api: APIClient, interface: Interface, acme: Tenant
) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    pool = interface.pools.get(family=4)
    free = PeerAddress.objects.create(
        gateway=interface.gateway,
        tenant=acme,
        pool=pool,
        address="10.252.9.9",
        family=4,
        free_at=long_ago,
    )
    held_back = timezone.now() + timedelta(hours=1)
    PeerAddress.objects.create(
        gateway=interface.gateway,
        tenant=acme,
        pool=pool,
        address="10.252.0.3",
        family=4,
        free_at=held_back,
    )
    body = bulk(alice_api, "create", items=named(4))
    given = [one["devices"][0]["addresses"][0] for one in body["results"]]
    assert given == ["10.252.9.9/32", "10.252.0.2/32", "10.252.0.4/32", "10.252.0.5/32"]
    free.refresh_from_db()
    assert (free.free_at, free.peer is not None) == (None, True)
    pool.refresh_from_db()
    assert pool.next_offset == 4


# -- Acting on clients that exist ------------------------------------------------------------


@pytest.fixture
def three(acme: Tenant, interface: Interface) -> list[Client]:
    """Three of Alice's clients with a device each: s-0, s-1, s-2."""
    found = [make_client(acme, name=f"S{n}", external_id=f"s-{n}", tags=["t"]) for n in range(3)]
    for client in found:
        make_peer(client, interface)
    return found


def test_disable_and_enable_by_ids_and_external_ids(
    alice_api: APIClient, three: list[Client]
) -> None:
    ids = [str(client.uuid) for client in three[:2]]
    body = bulk(alice_api, "disable", ids=ids, arguments={"note": "unpaid"})
    assert outcomes(body) == ["done", "done"]
    assert list(Hold.objects.values_list("note", flat=True)) == ["unpaid", "unpaid"]
    assert set(Peer.objects.filter(blocked=True).values_list("client", flat=True)) == {
        three[0].pk,
        three[1].pk,
    }
    assert AuditEvent.objects.filter(action="client.disabled").count() == 2
    body = bulk(alice_api, "enable", external_ids=["s-0", "s-2"])
    assert outcomes(body) == ["done", "done"]
    assert Hold.objects.get(closed_at=None).client == three[1]
    assert AuditEvent.objects.filter(action="client.enabled").count() == 1  # s-2 was on
    assert bulk(alice_api, "enable", external_ids=["s-0"])["jobs"] == []
    assert sorted(Job.objects.values_list("total", flat=True)) == [1, 2]


def test_delete_by_filter(alice_api: APIClient, three: list[Client], acme: Tenant) -> None:
    other = make_client(acme, name="Other", tags=["u"])
    body = bulk(alice_api, "delete", filter={"tag": "t"})
    assert outcomes(body) == ["done"] * 3
    assert list(Client.objects.filter(deleted_at=None)) == [other]
    assert body["results"][0]["devices"] == []
    job = Job.objects.get()
    assert (job.kind, job.total, job.status, job.items.count()) == ("bulk", 3, "pending", 3)
    assert [one["id"] for one in body["jobs"]] == [str(job.uuid)]


@pytest.mark.parametrize("action", ["delete", "disable"])
@pytest.mark.parametrize("value", ["true", "false"])
def test_deleted_is_a_list_of_its_own_and_chooses_nobody(
    alice_api: APIClient, three: list[Client], action: str, value: str
) -> None:
    """It narrows nothing down: with it a request for the deleted would mean all the living."""
    for filter in ({"deleted": value}, {"deleted": value, "tag": "t"}):
        body = bulk(alice_api, action, filter=filter, status=400)
        assert (body["errors"][0]["field"], body["errors"][0]["code"]) == (
            "filter.deleted",
            "unknown_parameter",
        )
    assert Client.objects.filter(deleted_at=None, version=1).count() == 3
    assert not BulkRun.objects.exists()
    assert not Hold.objects.exists()


def test_a_version_is_of_the_client_with_an_id(alice_api: APIClient, three: list[Client]) -> None:
    body = bulk(alice_api, "disable", items=[{"external_id": "s-1", "version": 1}])
    error = body["results"][0]["error"]
    assert (error["field"], error["code"]) == ("id", "required")
    assert not Hold.objects.exists()


def test_update_of_each_with_arguments_of_its_own(
    alice_api: APIClient, three: list[Client]
) -> None:
    body = bulk(
        alice_api,
        "update",
        items=[
            {"id": str(three[0].uuid), "arguments": {"note": "own", "dns_servers": ["1.1.1.1"]}},
            {"id": str(three[1].uuid), "version": 1},
            {"id": str(three[2].uuid), "version": 9},
        ],
        arguments={"note": "common", "add_tags": ["new", "t"], "merge_metadata": {"a": 1}},
    )
    assert codes(body) == [None, None, "stale_version"]
    first, second, third = Client.objects.order_by("pk")
    assert (first.note, first.tags, first.metadata) == ("own", ["t", "new"], {"a": 1})
    assert (second.note, second.version, third.note) == ("common", 2, "")
    assert Peer.objects.get(client=first).dns_servers == ["1.1.1.1"]
    bulk(
        alice_api,
        "update",
        ids=[str(first.uuid)],
        arguments={"remove_tags": ["t"], "merge_metadata": {"a": None, "b": 2}},
    )
    first.refresh_from_db()
    assert (first.tags, first.metadata) == (["new"], {"b": 2})


def test_extend_adds_to_what_is_left(alice_api: APIClient, three: list[Client]) -> None:
    now = timezone.now()
    Client.objects.filter(pk=three[0].pk).update(expires_at=now + timedelta(days=1), quota_bytes=5)
    Client.objects.filter(pk=three[1].pk).update(expires_at=now - timedelta(days=9), quota_bytes=5)
    ids = [str(client.uuid) for client in three]
    body = bulk(alice_api, "extend", ids=ids, arguments={"days": 30, "bytes": 7})
    assert codes(body) == [None, None, "not_limited"]
    first, second, third = Client.objects.order_by("pk")
    assert first.expires_at == now + timedelta(days=31)
    assert second.expires_at is not None
    assert timedelta(0) <= second.expires_at - now - timedelta(days=30) < timedelta(minutes=1)
    assert (first.quota_bytes, third.quota_bytes) == (12, None)
    event = AuditEvent.objects.get(action="client.extended", target_id=str(first.uuid))
    assert event.after["quota_bytes"] == 12
    assert event.before["quota_bytes"] == 5


def test_extend_leads_nowhere_where_a_client_may_not_be(
    alice_api: APIClient, three: list[Client]
) -> None:
    """Else the client's own answer could not be sent back: its end would be refused there."""
    late = timezone.now().replace(year=2999, month=12, day=1)
    Client.objects.filter(pk=three[0].pk).update(expires_at=late, quota_bytes=1)
    Client.objects.filter(pk=three[1].pk).update(duration_days=36_490, quota_bytes=2**63 - 2)
    Client.objects.filter(pk=three[2].pk).update(duration_days=36_400, quota_bytes=1)
    before = list(Client.objects.order_by("pk").values())
    ids = [str(client.uuid) for client in three]
    body = bulk(alice_api, "extend", ids=ids, arguments={"days": 40})
    assert outcomes(body) == ["failed", "failed", "done"]
    first, second = (one["error"] for one in body["results"][:2])
    assert (first["field"], first["code"]) == ("days", "invalid")
    assert "The new expires_at" in first["detail"]
    assert (second["field"], second["code"]) == ("days", "out_of_range")
    assert "The new duration_days" in second["detail"]
    body = bulk(alice_api, "extend", ids=ids[:2], arguments={"bytes": 2})
    assert (outcomes(body), codes(body)) == (["done", "failed"], [None, "out_of_range"])
    assert body["results"][1]["error"]["field"] == "bytes"
    after = list(Client.objects.order_by("pk").values())
    assert (after[1], after[0]["expires_at"]) == (before[1], before[0]["expires_at"])
    assert (after[0]["quota_bytes"], after[2]["duration_days"]) == (3, 36_440)


def test_a_client_named_twice_is_changed_once(alice_api: APIClient, three: list[Client]) -> None:
    Client.objects.filter(pk=three[0].pk).update(quota_bytes=5)
    items = [{"id": str(three[0].uuid)}, {"external_id": "s-0"}]
    body = bulk(alice_api, "extend", items=items, arguments={"bytes": 1})
    assert codes(body) == [None, "duplicate"]
    three[0].refresh_from_db()
    assert three[0].quota_bytes == 6


def test_foreign_clients_are_as_those_that_never_were(
    mallory_api: APIClient, alice_api: APIClient, three: list[Client]
) -> None:
    theirs = bulk(mallory_api, "delete", ids=[str(three[0].uuid), str(uuid4())])
    first, second = theirs["results"]
    assert first["error"] == second["error"]
    assert first["error"]["code"] == "not_found"
    assert codes(bulk(mallory_api, "delete", external_ids=["s-0", "nobody"])) == ["not_found"] * 2
    assert bulk(mallory_api, "delete", filter={"tag": "t"})["results"] == []
    assert Client.objects.filter(deleted_at=None).count() == 3


def test_a_device_of_several_is_not_guessed(
    alice_api: APIClient, three: list[Client], interface: Interface
) -> None:
    make_peer(three[0], interface)
    ids = [str(client.uuid) for client in three]
    body = bulk(alice_api, "update", ids=ids, arguments={"mtu": 1300})
    assert codes(body) == ["several_devices", None, None]
