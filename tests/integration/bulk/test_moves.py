"""Many clients moved to another interface: each as a single one, each with its own outcome."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import AddressPool, Interface, Job
from peers.models import BulkItem, BulkRun, Client, Peer, PeerAddress
from peers.services.bulk.runs import carry_on
from tenants.models import Tenant
from tests.integration.bulk.test_bulk import URL, bulk, codes, outcomes
from tests.make import make_client, make_interface, make_peer


@pytest.fixture
def other(interface: Interface) -> Interface:
    return make_interface(
        gateway=interface.gateway,
        name="wg1",
        addresses=["10.253.0.1/24"],
        listen_port=51821,
        is_default=False,
    )


def made(api: APIClient, number: int) -> list[str]:
    body = bulk(api, "create", items=[{"name": f"C{n}"} for n in range(number)])
    return [one["client"] for one in body["results"]]


def places() -> set[str]:
    rows = Peer.objects.filter(deleted_at__isnull=True)
    return set(rows.values_list("interface__name", flat=True))


def test_they_move_with_new_addresses_one_event_each_and_one_job(
    alice_api: APIClient, acme: Tenant, interface: Interface, other: Interface
) -> None:
    ids = made(alice_api, 3)
    keys = set(Peer.objects.values_list("public_key", flat=True))
    body = bulk(alice_api, "move", ids=ids, arguments={"interface": "wg1"})
    assert outcomes(body) == ["done"] * 3
    found = [one["devices"][0] for one in body["results"]]
    assert {one["interface"] for one in found} == {"wg1"}
    assert len({one["addresses"][0] for one in found}) == 3
    assert all(one["addresses"][0].startswith("10.253.0.") for one in found)
    assert {one["public_key"] for one in found} == keys
    assert Peer.objects.filter(interface=interface, deleted_at__isnull=False).count() == 3
    assert AuditEvent.objects.filter(action="client.moved").count() == 3
    assert [(job.kind, job.total) for job in Job.objects.order_by("pk")][1:] == [("bulk", 6)]
    again = bulk(alice_api, "move", ids=ids, arguments={"interface": "wg1"})
    assert outcomes(again) == ["done"] * 3
    assert AuditEvent.objects.filter(action="client.moved").count() == 3


def test_whom_no_address_is_left_for_stays_and_the_others_go(
    alice_api: APIClient, acme: Tenant, interface: Interface, other: Interface
) -> None:
    ids = made(alice_api, 3)
    pool = AddressPool.objects.get(interface=other)
    AddressPool.objects.filter(pk=pool.pk).update(next_offset=pool.size - 1)
    body = bulk(alice_api, "move", ids=ids, arguments={"interface": "wg1"})
    assert codes(body) == [None, "pool_exhausted", "pool_exhausted"]
    assert Peer.objects.filter(interface=other, deleted_at__isnull=True).count() == 1
    kept = Peer.objects.filter(interface=interface, deleted_at__isnull=True)
    assert PeerAddress.objects.filter(peer__in=kept).count() == 4


@pytest.mark.parametrize("how", ["dry_run", "all_or_nothing"])
def test_what_must_not_stay_leaves_them_where_they_are(
    alice_api: APIClient, acme: Tenant, interface: Interface, other: Interface, how: str
) -> None:
    ids = made(alice_api, 2)
    before = set(PeerAddress.objects.values_list("peer", "address"))
    if how == "all_or_nothing":
        Peer.objects.filter(client__uuid=ids[1]).update(public_key=other.public_key)
    body = bulk(alice_api, "move", ids=ids, arguments={"interface": "wg1"}, **{how: True})
    ends = ["done", "done"] if how == "dry_run" else ["skipped", "failed"]
    assert outcomes(body) == ends
    assert places() == {"wg0"}
    assert set(PeerAddress.objects.values_list("peer", "address")) == before
    assert not AuditEvent.objects.filter(action="client.moved").exists()


@pytest.mark.parametrize("arguments", [{}, {"interface": "wg9"}, {"interface": "wg1"}])
def test_where_to_must_be_said_and_be_the_tenants(
    alice_api: APIClient, acme: Tenant, interface: Interface, other: Interface, arguments: object
) -> None:
    ids = made(alice_api, 2)
    acme.interfaces.add(interface)
    Tenant.objects.filter(pk=acme.pk).update(limits_interfaces=True)
    body = bulk(alice_api, "move", ids=ids, arguments=arguments)
    code = "interface_unknown" if arguments else "required"
    assert codes(body) == [code] * 2
    assert {one["error"]["field"] for one in body["results"]} == {"interface"}
    assert places() == {"wg0"}


def test_foreign_clients_and_old_versions_stay(
    alice_api: APIClient, acme: Tenant, evil: Tenant, interface: Interface, other: Interface
) -> None:
    foreign = make_client(evil)
    make_peer(foreign, interface)
    ids = made(alice_api, 2)
    Client.objects.filter(uuid=ids[1]).update(version=7)
    items = [{"id": ids[0], "version": 1}, {"id": ids[1], "version": 6}, {"id": str(foreign.uuid)}]
    body = bulk(alice_api, "move", items=items, arguments={"interface": "wg1"})
    assert codes(body) == [None, "stale_version", "not_found"]
    assert Peer.objects.get(client=foreign).interface == interface


def test_many_are_moved_by_a_worker_batch_after_batch(
    alice_api: APIClient, acme: Tenant, interface: Interface, other: Interface
) -> None:
    for _ in range(120):
        make_peer(make_client(acme, tags=["lot"]), interface)
    body = {"action": "move", "filter": {"tag": "lot"}, "arguments": {"interface": "wg1"}}
    answer = alice_api.post(URL, body)
    assert answer.status_code == 202, answer.content
    run = BulkRun.objects.get()
    carry_on(run_id=run.pk)
    run.refresh_from_db()
    assert (run.done, run.failed, run.status) == (120, 0, "succeeded")
    assert BulkItem.objects.filter(run=run, outcome="done").count() == 120
    assert run.jobs.count() == 3  # one of each batch
    assert places() == {"wg1"}
