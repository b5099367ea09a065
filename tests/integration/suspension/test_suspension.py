"""A suspension blocks every client of a tenant, a resumption frees exactly the entitled ones."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from audit.events import SYSTEM
from audit.models import AuditEvent
from control import tasks
from gateways.models import Job, JobItem
from peers.models import Client, Peer
from peers.services.clients import create_client, delete_client, disable_client, enable_client
from quotas.models import Hold
from resellers.services import following
from resellers.services.following import find_strays, follow_tenants
from resellers.services.suspension import close_tenant, resume_tenant, suspend_tenant
from rest.errors import Conflict, Forbidden
from tenants.models import Tenant
from tenants.scoping import FULL, Caller
from tests.integration.control.conftest import Gateway
from tests.make import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST", 2)
    monkeypatch.setattr(following, "BATCH", 2)
    monkeypatch.setattr(following, "PAUSE_S", 0)
    monkeypatch.setattr(following, "_reached", {})  # ids come again from test to test


def suspend(tenant: Tenant, reason: str = "unpaid") -> Job:
    return suspend_tenant(tenant=tenant, reason=reason, actor=SYSTEM, at=timezone.now())


def resume(tenant: Tenant) -> Job:
    return resume_tenant(tenant=tenant, reason="", actor=SYSTEM, at=timezone.now())


def follow() -> bool:
    return follow_tenants(at=timezone.now(), seconds=60)


def open_reasons(client: Client) -> list[str]:
    rows = Hold.objects.filter(client=client, closed_at=None)
    return sorted(rows.values_list("reason", flat=True))


def live_keys(gateway: Gateway) -> set[str]:
    return {key for key, allowed in gateway.peers().items() if allowed}


def bring_about(gateway: Gateway) -> None:
    while follow():
        pass
    gateway.apply()


def test_suspending_blocks_all_and_resuming_frees_all(gateway: Gateway, acme: Tenant) -> None:
    keys = {gateway.add().peer.public_key for _ in range(3)}
    gateway.apply()
    job = suspend(acme)
    bring_about(gateway)
    assert live_keys(gateway) == set()
    assert set(gateway.peers()) == keys, "a blocked peer stays known"
    job.refresh_from_db()
    assert (job.status, job.kind, job.total, job.done, job.tenant) == (
        "succeeded", "suspend", 3, 3, acme,
    )  # fmt: skip

    back = resume(acme)
    bring_about(gateway)
    assert live_keys(gateway) == keys
    back.refresh_from_db()
    assert (back.status, back.kind, back.total) == ("succeeded", "resume", 3)


def test_it_is_one_event_and_one_job_in_many_batches(
    gateway: Gateway, acme: Tenant, small_batches: None
) -> None:
    for _ in range(7):
        gateway.add()
    gateway.apply()
    events, jobs = AuditEvent.objects.count(), Job.objects.count()
    job = suspend(acme)
    assert Peer.objects.filter(blocked=True).count() == 2, "the request itself does a first batch"
    assert (job.status, job.total) == ("pending", 8)
    gateway.apply()
    job.refresh_from_db()
    assert (job.status, job.done) == ("running", 2), "not finished while batches are to come"
    bring_about(gateway)
    job.refresh_from_db()
    assert (job.status, job.total, job.done) == ("succeeded", 7, 7)
    assert AuditEvent.objects.count() == events + 1
    assert Job.objects.count() == jobs + 1
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.tenant, event.before, event.after) == (
        "tenant.suspended",
        acme,
        {"status": "active"},
        {"status": "suspended", "reason": "unpaid"},
    )


def test_resuming_closes_its_own_holds_only(gateway: Gateway, acme: Tenant) -> None:
    free, off = gateway.add(), gateway.add()
    later = gateway.add()
    disable_client(caller=gateway.caller, client_id=off.client.uuid, at=timezone.now())
    suspend(acme)
    follow()
    disable_client(caller=gateway.caller, client_id=later.client.uuid, at=timezone.now())
    resume(acme)
    bring_about(gateway)
    assert live_keys(gateway) == {free.peer.public_key}
    assert [open_reasons(one.client) for one in (free, off, later)] == [[], ["manual"], ["manual"]]


def test_enabling_a_client_of_a_suspended_tenant_does_not_free_it(
    gateway: Gateway, acme: Tenant
) -> None:
    made = gateway.add(enabled=False)
    suspend(acme)
    follow()
    enable_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    gateway.apply()
    assert live_keys(gateway) == set()
    assert open_reasons(made.client) == ["tenant-suspended"]


def test_another_tenants_clients_are_not_touched(
    gateway: Gateway, acme: Tenant, evil: Tenant
) -> None:
    gateway.add()
    other = create_client(
        caller=Caller(evil, "", frozenset({"*"}), SYSTEM),
        name="Eve",
        interface=gateway.interface,
        at=timezone.now(),
    )
    before = Peer.objects.get(pk=other.peer.pk).generation
    suspend(acme)
    bring_about(gateway)
    assert live_keys(gateway) == {other.peer.public_key}
    assert Peer.objects.get(pk=other.peer.pk).generation == before
    assert open_reasons(other.client) == []


def test_who_was_deleted_meanwhile_stays_deleted(gateway: Gateway, acme: Tenant) -> None:
    made = gateway.add()
    gateway.apply()
    suspend(acme)
    follow()
    delete_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    resume(acme)
    bring_about(gateway)
    assert gateway.peers() == {}


def test_resuming_overtakes_a_suspension_that_is_under_way(
    gateway: Gateway, acme: Tenant, small_batches: None
) -> None:
    keys = {gateway.add().peer.public_key for _ in range(5)}
    gateway.apply()
    down = suspend(acme)
    up = resume(acme)
    bring_about(gateway)
    assert live_keys(gateway) == keys
    assert not Hold.objects.filter(closed_at=None).exists()
    for job in (down, up):
        job.refresh_from_db()
        assert (job.status, job.total) == ("succeeded", 2)


def test_a_spread_cut_short_goes_on_where_it_was(
    gateway: Gateway, acme: Tenant, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(6):
        gateway.add()
    suspend(acme)
    assert follow_tenants(at=timezone.now(), seconds=0)
    assert Peer.objects.filter(blocked=True).count() == 4
    tasks.follow_tenants()  # by the schedule: the hint was lost
    assert Peer.objects.filter(blocked=True).count() == 6
    assert Job.objects.filter(kind="suspend", total=6).exists()
    assert JobItem.objects.filter(job__kind="suspend").count() == 6
    generations = list(Peer.objects.values_list("generation", flat=True))
    assert not follow()
    assert list(Peer.objects.values_list("generation", flat=True)) == generations


@pytest.mark.django_db(transaction=True)
def test_a_slice_does_not_look_again_at_what_the_last_one_did(
    gateway: Gateway, acme: Tenant, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(8):
        gateway.add()
    looked: list[int] = []
    step = following._step

    def counted(job: Job, tenant: Tenant, owner_id: int, batch: list[int], at: Any) -> bool:
        looked.extend(batch)
        return step(job, tenant, owner_id, batch, at)

    monkeypatch.setattr(following, "_step", counted)
    job = suspend(acme)
    while follow_tenants(at=timezone.now(), seconds=0):
        pass
    assert len(looked) == len(set(looked)) == 8
    job.refresh_from_db()
    assert (job.total, Peer.objects.filter(blocked=True).count()) == (8, 8)
    assert following._reached == {}


def test_the_clients_entity_tag_changes(gateway: Gateway, acme: Tenant) -> None:
    made = gateway.add()
    suspend(acme)
    follow()
    assert Client.objects.get(pk=made.client.pk).version == made.client.version + 1


def test_what_the_state_does_not_allow_is_refused(acme: Tenant) -> None:
    with pytest.raises(Conflict, match="active already"):
        resume(acme)
    suspend(acme)
    with pytest.raises(Conflict, match="suspended already"):
        suspend(acme)
    close_tenant(tenant=acme, reason="gone", actor=SYSTEM, at=timezone.now())
    for again in (suspend, lambda one: close_tenant(
        tenant=one, reason="", actor=SYSTEM, at=timezone.now()
    )):  # fmt: skip
        with pytest.raises(Conflict, match="closed"):
            again(acme)
    resume(acme)
    acme.refresh_from_db()
    assert (acme.status, acme.status_reason) == ("active", "")


def test_a_tenant_without_clients_is_done_at_once(acme: Tenant) -> None:
    job = suspend(acme)
    follow()
    job.refresh_from_db()
    assert (job.status, job.total, job.message) == ("succeeded", 0, "There was nothing to apply.")


def test_nobody_but_an_operator_makes_a_client_of_a_suspended_tenant(
    gateway: Gateway, acme: Tenant
) -> None:
    suspend(acme)
    with pytest.raises(Forbidden, match="suspended"):
        gateway.add()
    operator = Caller(acme, FULL, frozenset({"*"}), SYSTEM)
    made = create_client(
        caller=operator, name="Zoe", interface=gateway.interface, at=timezone.now()
    )
    assert made.view.state == "suspended"
    assert Peer.objects.get(pk=made.peer.pk).blocked
    gateway.apply()
    assert live_keys(gateway) == set()
    resume(acme)
    bring_about(gateway)
    assert live_keys(gateway) == {made.peer.public_key}


def test_a_sandbox_stands_and_falls_with_its_tenant(acme: Tenant) -> None:
    twin = make_tenant("acme-sandbox", sandbox_of=acme)
    suspend(acme)
    twin.refresh_from_db()
    assert twin.status == "suspended"
    resume(acme)
    twin.refresh_from_db()
    assert twin.status == "active"


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_strays_are_found_and_brought_in_line(gateway: Gateway, acme: Tenant, status: str) -> None:
    """A status that came by no act (a restored backup, say), there and back."""
    made = gateway.add()
    gateway.apply()
    Tenant.objects.filter(pk=acme.pk).update(status=status)
    assert find_strays(at=timezone.now()) == 1
    assert find_strays(at=timezone.now()) == 0, "it is under way already"
    bring_about(gateway)
    assert live_keys(gateway) == set()
    Tenant.objects.filter(pk=acme.pk).update(status="active")
    assert find_strays(at=timezone.now()) == 1
    bring_about(gateway)
    assert live_keys(gateway) == {made.peer.public_key}
    assert find_strays(at=timezone.now()) == 0


def test_queries_do_not_grow_with_the_clients(
    gateway: Gateway, acme: Tenant, evil: Tenant, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        gateway.add()
    with django_assert_max_num_queries(40):
        suspend(acme)
    assert Peer.objects.filter(blocked=True).count() == 30
