"""Jobs as operators ask for them, and trying again what failed."""

from __future__ import annotations

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import Job, JobItem
from peers.models import Peer
from tenants.models import Tenant
from tests.integration.operators.conftest import acts
from tests.make import make_interface, make_job

JOBS = "/api/v1/jobs"


@pytest.fixture
def failed(acme: Tenant, alice_peer: Peer) -> Job:
    """A job whose one item failed, and put its peer into quarantine."""
    at = timezone.now()
    job = make_job(acme, total=1, done=1, failed=1, status="failed", finished_at=at)
    JobItem.objects.create(
        job=job, interface=alice_peer.interface, peer=alice_peer, due_at=at, settled_at=at,
        public_key=alice_peer.public_key, status="failed", message="refused",
    )  # fmt: skip
    Peer.objects.update(quarantine_reason="refused")
    return job


def test_jobs_are_found_by_tenant_and_interface(
    operator_api: APIClient, alice_api: APIClient, failed: Job, acme: Tenant, evil: Tenant
) -> None:
    interface = failed.items.get().interface
    other = make_interface(
        name="wg1", addresses=["10.253.0.1/16"], listen_port=51821, is_default=False
    )
    theirs = make_job(evil, interface=other, items=3)

    def ids(query: str, api: APIClient = operator_api) -> list[str]:
        return [row["id"] for row in api.get(f"{JOBS}?{query}").json()["results"]]

    assert ids(f"tenant={acme.uuid}") == [str(failed.uuid)]
    assert ids(f"interface={other.uuid}") == [str(theirs.uuid)]
    assert ids(f"interface={interface.uuid}") == [str(failed.uuid)]
    assert ids(f"tenant={evil.uuid}", alice_api) == []
    assert ids(f"interface={other.uuid}", alice_api) == []
    assert operator_api.get(f"{JOBS}?interface=wg0").status_code == 400


def test_what_failed_is_tried_again_by_a_job_of_its_own(
    operator_api: APIClient, failed: Job, alice_peer: Peer
) -> None:
    answer = operator_api.post(f"{JOBS}/{failed.uuid}/retry")
    assert answer.status_code == 202, answer.content
    retried = Job.objects.get(uuid=answer.json()["id"])
    assert answer["Location"] == f"{JOBS}/{retried.uuid}"
    item = retried.items.get()
    assert (retried.tenant_id, item.peer, item.status) == (failed.tenant_id, alice_peer, "open")
    alice_peer.refresh_from_db()
    assert alice_peer.quarantine_reason == ""
    failed.refresh_from_db()
    assert failed.status == "failed"
    assert acts() == ["job.retried"]


def test_what_did_not_fail_is_not_tried_again(operator_api: APIClient, acme: Tenant) -> None:
    done = make_job(acme, status="succeeded", finished_at=timezone.now())
    running = make_job(acme, items=1)
    for job, code in ((done, "nothing-failed"), (running, "job-unfinished")):
        answer = operator_api.post(f"{JOBS}/{job.uuid}/retry")
        assert (answer.status_code, answer.json()["type"]) == (409, f"/problems/{code}")


def test_who_may(
    alice_api: APIClient, anonymous_api: APIClient, auditor_api: APIClient, failed: Job
) -> None:
    assert anonymous_api.post(f"{JOBS}/{failed.uuid}/retry").status_code == 401
    assert alice_api.post(f"{JOBS}/{failed.uuid}/retry").status_code == 403
    assert auditor_api.post(f"{JOBS}/{failed.uuid}/retry").status_code == 403
    assert Job.objects.count() == 1
