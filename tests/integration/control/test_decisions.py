"""What an operator decides in the portal is done by the gateway's worker, under its lock."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from control.decisions import ask_adoption, ask_removal
from gateways.models import Interface, Job
from peers.models import Peer
from rest.errors import Conflict
from tenants.models import Tenant
from tests.integration.control.conftest import Gateway
from tests.integration.control.test_observe import outsider, settle
from tests.make import make_public_key

OSCAR = Actor(kind="user", id="1", name="oscar", by_operator=True)


@pytest.fixture
def strays(gateway: Gateway) -> set[str]:
    """Four peers without a record, beside one with one."""
    gateway.add()
    gateway.apply()
    before = set(gateway.peers())
    for number in range(4):
        outsider(
            gateway,
            public_key=make_public_key(),
            allowed_ips=(f"10.252.9.{number}/32",),
            is_new=True,
        )
    settle(gateway)
    return set(gateway.peers()) - before


def adoption(gateway: Gateway, tenant: Tenant, *, strays: int = 4) -> Job:
    return ask_adoption(
        actor=OSCAR,
        interface_id=gateway.interface.uuid,
        tenant=tenant,
        strays=strays,
        at=timezone.now(),
    )


def test_strays_are_adopted_for_the_reseller_that_was_named(
    gateway: Gateway, strays: set[str], evil: Tenant
) -> None:
    running = gateway.peers()
    job = adoption(gateway, evil)
    gateway.apply()
    job.refresh_from_db()
    assert job.status == Job.Status.SUCCEEDED
    assert job.items.get().message == "4 peers are adopted"
    assert gateway.peers() == running, "nothing was sent"
    assert set(Peer.objects.filter(tenant=evil).values_list("public_key", flat=True)) == strays
    assert Interface.objects.get(pk=gateway.interface.pk).guard_keys == []
    told = AuditEvent.objects.filter(action__startswith="interface.").order_by("pk")
    assert [(one.action, one.actor_name) for one in told] == [
        ("interface.adoption_asked", "oscar"),
        ("interface.adopt", "oscar"),
    ]


def test_a_foreign_interface_is_adopted_and_written_to_from_then_on(
    gateway: Gateway, acme: Tenant
) -> None:
    made = gateway.add()
    gateway.apply()
    gateway.link.stamp_text = ""
    gateway.observe()
    assert Interface.objects.get(pk=gateway.interface.pk).state == Interface.State.FOREIGN
    job = adoption(gateway, acme, strays=0)
    gateway.apply()
    job.refresh_from_db()
    assert job.status == Job.Status.SUCCEEDED
    late = gateway.add("late")
    gateway.apply()
    assert set(gateway.peers()) == {made.peer.public_key, late.peer.public_key}


def test_strays_are_removed_and_nobody_else_is(gateway: Gateway, strays: set[str]) -> None:
    stays = set(gateway.peers()) - strays
    job = ask_removal(actor=OSCAR, interface_id=gateway.interface.uuid, strays=4, at=timezone.now())
    gateway.apply()
    settle(gateway)
    job.refresh_from_db()
    assert job.status == Job.Status.SUCCEEDED
    assert set(gateway.peers()) == stays


def test_who_saw_others_decides_nothing(gateway: Gateway, strays: set[str], acme: Tenant) -> None:
    with pytest.raises(Conflict, match="more or fewer"):
        adoption(gateway, acme, strays=3)
    Interface.objects.update(guard_keys=[])
    with pytest.raises(Conflict, match="nothing to decide"):
        adoption(gateway, acme, strays=0)
    assert not Job.objects.filter(items__action__in=["adopt", "drop"]).exists()


def test_nothing_is_removed_from_a_foreign_interface(gateway: Gateway) -> None:
    Interface.objects.update(state=Interface.State.FOREIGN, guard_keys=["a"])
    with pytest.raises(Conflict, match="did not bring this interface up"):
        ask_removal(actor=OSCAR, interface_id=gateway.interface.uuid, strays=1, at=timezone.now())


def test_an_adoption_that_cannot_be_fails_and_says_why(
    gateway: Gateway, strays: set[str], acme: Tenant
) -> None:
    Interface.objects.filter(pk=gateway.interface.pk).update(stamp="")
    job = adoption(gateway, acme)
    gateway.apply()
    job.refresh_from_db()
    assert job.finished_at is not None
