"""What became of a change, for those whom it concerns."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from control.drift import Drift
from control.observe import Found
from gateways.api.serializers import job_ref
from gateways.models import Interface, Job, JobItem
from gateways.outbox import enqueue
from peers.models import Peer
from tenants.models import Tenant
from tests.make import make_client, make_job, make_peer

JOBS = "/api/v1/jobs"


@pytest.fixture
def job(acme: Tenant, alice_peer: Peer) -> Job:
    """One item done, one open."""
    job = make_job(
        acme, interface=alice_peer.interface, items=1, total=2, done=1, status="running", tier=1
    )
    JobItem.objects.create(
        job=job,
        interface=alice_peer.interface,
        peer=alice_peer,
        public_key=alice_peer.public_key,
        due_at=timezone.now(),
        settled_at=timezone.now(),
        status="done",
        tier=1,
        attempts=1,
        duration_ms=1.7,
    )
    return job


def test_a_job_says_how_far_it_is(alice_api: APIClient, job: Job) -> None:
    body = alice_api.get(f"{JOBS}/{job.uuid}").json()
    assert body["status"] == "running"
    assert body["progress"] == {"total": 2, "done": 1, "failed": 0}
    assert body["tier"] == 1
    assert body["items_next"] is None
    assert body["href"] == f"{JOBS}/{job.uuid}"
    assert body["finished_at"] is None


def test_a_job_without_anything_to_apply_says_so_and_ends_no_earlier_than_it_began(
    alice_api: APIClient, acme: Tenant
) -> None:
    asked = timezone.now()
    job = enqueue(kind="update", tenant_id=acme.pk, actor_name="alice", wishes=[], at=asked)
    assert job.finished_at == Job.objects.get().finished_at == job.created_at
    body = alice_api.get(f"{JOBS}/{job.uuid}").json()
    assert (body["status"], body["message"]) == ("succeeded", "There was nothing to apply.")
    assert body["finished_at"] >= body["created_at"]


def test_each_device_has_its_own_outcome(alice_api: APIClient, job: Job, alice_peer: Peer) -> None:
    item = alice_api.get(f"{JOBS}/{job.uuid}").json()["items"][1]
    assert item == {
        "public_key": alice_peer.public_key,
        "interface": "wg0",
        "client": str(alice_peer.client.uuid),
        "outcome": "done",
        "tier": 1,
        "attempts": 1,
        "duration_ms": 1.7,
        "message": "",
    }


def test_an_item_outlives_its_client(alice_api: APIClient, job: Job, alice_peer: Peer) -> None:
    JobItem.objects.update(peer=None)
    assert alice_api.get(f"{JOBS}/{job.uuid}").json()["items"][1]["client"] is None


def test_a_check_tells_a_tenant_only_whether_the_interface_matches(
    alice_api: APIClient, operator_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    job = make_job(acme, interface=interface, items=1, kind="apply")
    strays = Drift(strays=["a", "b", "c"])
    for drift, told in (
        (strays, "The interface differs from its records"),
        (Drift(), "The interface matches its records"),
    ):
        summary = Found(drift, healing=False).summary
        job.items.update(action="check", status="done", settled_at=timezone.now(), message=summary)
        for path in (f"{JOBS}/{job.uuid}", f"{JOBS}/{job.uuid}/items"):
            bodies = [api.get(path).json() for api in (alice_api, operator_api)]
            items = [(body.get("items") or body["results"])[0] for body in bodies]
            assert [item["message"] for item in items] == [told, summary]


def test_a_job_is_named_the_same_way_by_every_write(job: Job) -> None:
    assert job_ref(job) == {
        "id": str(job.uuid),
        "status": "running",
        "href": f"{JOBS}/{job.uuid}",
    }


def test_the_items_beyond_200_are_on_pages(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    job = make_job(acme, interface=interface, items=450)
    body = alice_api.get(f"{JOBS}/{job.uuid}").json()
    keys, url = [item["public_key"] for item in body["items"]], body["items_next"]
    assert len(keys) == 200
    while url:
        page = alice_api.get(url).json()
        keys += [item["public_key"] for item in page["results"]]
        url = page["next"]
    assert keys == list(job.items.order_by("pk").values_list("public_key", flat=True))


def test_items_are_filtered_by_outcome(alice_api: APIClient, job: Job) -> None:
    for outcome, count in (("done", 1), ("open", 1), ("failed", 0)):
        page = alice_api.get(f"{JOBS}/{job.uuid}/items?outcome={outcome}").json()
        assert len(page["results"]) == count


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?status=running", 1),
        ("?status=failed", 0),
        ("?kind=delete", 1),
        ("?kind=delete&status=running", 0),
        ("?created_after=2020-01-01T00:00:00Z", 2),
        ("?created_before=2020-01-01T00:00:00Z", 0),
    ],
)
def test_jobs_are_filtered(
    alice_api: APIClient, acme: Tenant, job: Job, query: str, count: int
) -> None:
    make_job(acme, kind="delete")
    assert len(alice_api.get(JOBS + query).json()["results"]) == count


def test_mallory_sees_nothing_of_alices_jobs(mallory_api: APIClient, job: Job) -> None:
    assert mallory_api.get(JOBS).json() == {"results": [], "next": None, "previous": None}
    for path in (f"{JOBS}/{job.uuid}", f"{JOBS}/{job.uuid}/items"):
        foreign = mallory_api.get(path)
        missing = mallory_api.get(path.replace(str(job.uuid), str(uuid.uuid4())))
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content


def test_the_operators_own_jobs_are_not_a_tenants(alice_api: APIClient, acme: Tenant) -> None:
    own = make_job(None, kind="heal")
    assert alice_api.get(f"{JOBS}/{own.uuid}").status_code == 404
    assert alice_api.get(JOBS).json()["results"] == []


def test_an_operator_sees_every_job(operator_api: APIClient, job: Job, evil: Tenant) -> None:
    make_job(evil)
    make_job(None, kind="heal")
    assert len(operator_api.get(JOBS).json()["results"]) == 3
    assert operator_api.get(f"{JOBS}/{job.uuid}").status_code == 200


@pytest.mark.parametrize("path", ["", "/{id}", "/{id}/items"])
def test_nobody_sees_anything(anonymous_api: APIClient, job: Job, path: str) -> None:
    assert anonymous_api.get(JOBS + path.format(id=job.uuid)).status_code == 401


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_jobs_are_only_read(alice_api: APIClient, job: Job, method: str) -> None:
    assert getattr(alice_api, method)(f"{JOBS}/{job.uuid}").status_code == 405


@pytest.mark.parametrize("peers", [1, 20])
def test_a_job_costs_three_queries_at_any_size(
    alice_api: APIClient,
    acme: Tenant,
    interface: Interface,
    peers: int,
    django_assert_num_queries: Any,
) -> None:
    job = make_job(acme, total=peers)
    for number in range(peers):
        peer = make_peer(make_client(acme, name=f"c{number}"), interface)
        JobItem.objects.create(job=job, interface=interface, peer=peer, due_at=timezone.now())
    alice_api.get(JOBS)
    with django_assert_num_queries(3):  # token, job, items with interface and client
        assert len(alice_api.get(f"{JOBS}/{job.uuid}").json()["items"]) == peers
