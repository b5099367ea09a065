"""A tenant is suspended and resumed while others write the same rows (PostgreSQL alone)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from audit.events import SYSTEM
from control import rounds
from control.many import lock_peers
from gateways.models import GlobalSetting, Interface, Job
from gateways.progress import note_progress
from peers.models import Client, Peer
from peers.services.transfer import transfer_client
from quotas.models import Hold
from resellers.services import following
from resellers.services.erasure import erase_tenant, follow_erasures
from resellers.services.following import follow_tenants
from resellers.services.suspension import close_tenant, resume_tenant, suspend_tenant
from tenants.models import Tenant
from tests.beside import start, wait_until_blocked
from tests.integration.control.conftest import Gateway
from tests.make import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    GlobalSetting.objects.get_or_create(pk=1)
    monkeypatch.setattr(following, "FIRST", 1)
    monkeypatch.setattr(following, "_reached", {})


def turn(tenant: Tenant, act: Callable[..., Job]) -> Job:
    tenant = Tenant.objects.get(pk=tenant.pk)
    return act(tenant=tenant, reason="", actor=SYSTEM, at=timezone.now())


def hold_devices() -> None:
    lock_peers(Peer.objects.values_list("pk", flat=True))


def hold_interface() -> None:
    Interface.objects.update(boot_dirty_since=None)


def work_beside(act: Callable[[], Any], job: Job, hold: Callable[[], None]) -> Any:
    """Write as a worker does (devices or an interface, then jobs); ``act`` begins in between."""
    found: list[Any] = []
    with transaction.atomic():
        hold()
        thread = start(act, found)
        wait_until_blocked(thread)
        note_progress([job.pk], started_at=timezone.now(), at=timezone.now())
    thread.join()
    return found[0]


def test_a_resumption_and_a_worker_do_not_wait_for_each_other(
    gateway: Gateway, acme: Tenant
) -> None:
    for _ in range(3):
        gateway.add()
    down = turn(acme, suspend_tenant)
    up = work_beside(lambda: turn(acme, resume_tenant), down, hold_devices)
    assert isinstance(up, Job), up


def test_a_suspension_that_goes_on_and_a_worker_do_not_wait_for_each_other(
    gateway: Gateway, acme: Tenant
) -> None:
    for _ in range(3):
        gateway.add()
    job = turn(acme, suspend_tenant)
    Job.objects.update(total=2)  # more devices than were counted: the batch writes the job
    Interface.objects.update(boot_dirty_since=None)

    def follow() -> bool:
        return follow_tenants(at=timezone.now(), seconds=60)

    assert work_beside(follow, job, hold_interface) is False


def test_an_erasure_and_a_worker_do_not_wait_for_each_other(gateway: Gateway, acme: Tenant) -> None:
    for _ in range(2):
        gateway.add()
    turn(acme, close_tenant)
    Interface.objects.update(boot_dirty_since=None)
    tenant = Tenant.objects.get(pk=acme.pk)
    job = erase_tenant(tenant=tenant, slug=tenant.slug, actor=SYSTEM, at=timezone.now())
    Job.objects.filter(pk=job.pk).update(total=1)  # as above
    more = work_beside(lambda: follow_erasures(at=timezone.now(), seconds=60), job, hold_interface)
    assert more is False, more


@pytest.mark.parametrize("act", [suspend_tenant, resume_tenant])
def test_a_client_that_is_handed_over_meanwhile_is_the_new_tenants(
    gateway: Gateway, acme: Tenant, act: Callable[..., Job]
) -> None:
    """Suspended with neither: its new tenant is active. Not resumed with the old one."""
    made, other = gateway.add(), make_tenant("other")
    if act is resume_tenant:
        for tenant in (acme, other):
            turn(tenant, suspend_tenant)
    blocked = act is resume_tenant
    found: list[Any] = []
    with transaction.atomic():
        transfer_client(
            caller=gateway.caller,
            client_id=made.client.uuid,
            tenant=Tenant.objects.get(pk=other.pk),
            at=timezone.now(),
        )
        thread = start(lambda: turn(acme, act), found)
        wait_until_blocked(thread)
    thread.join()
    assert isinstance(found[0], Job), found
    assert Client.objects.get(pk=made.client.pk).tenant_id == other.pk
    assert Peer.objects.get(pk=made.peer.pk).blocked is blocked
    assert Hold.objects.filter(client=made.client.pk, closed_at=None).exists() is blocked


def test_a_send_whose_record_a_deadlock_undid_is_written_down(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, settle, undone = gateway.add(), vars(rounds)["settle"], [1]

    def once_undone(*args: Any, **details: Any) -> None:
        if undone:
            undone.pop()
            raise OperationalError("deadlock detected")
        settle(*args, **details)

    monkeypatch.setattr(rounds, "settle", once_undone)
    gateway.apply()
    peer = Peer.objects.get(pk=made.peer.pk)
    assert (peer.applied_key, peer.applied_generation) == (peer.public_key, peer.generation)
    gateway.interface.refresh_from_db()
    assert gateway.interface.apply_seq == peer.applied_seq == 1
