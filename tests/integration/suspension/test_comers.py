"""Whoever comes to a suspended tenant is held, by whatever way."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.events import SYSTEM
from control.adoption import adopt
from gateways.drivers import station
from gateways.models import Interface
from peers.models import Peer
from peers.services.removal import delete_client, restore_client
from quotas.models import Hold
from resellers.services.following import find_strays, follow_tenants
from resellers.services.suspension import resume_tenant, suspend_tenant
from tenants.models import Tenant
from tenants.scoping import FULL, Caller
from tests.integration.control.conftest import Gateway
from tests.make import make_public_key
from wireguard.plan import PeerChange, Plan

pytestmark = pytest.mark.django_db


def suspend(tenant: Tenant) -> None:
    suspend_tenant(tenant=tenant, reason="unpaid", actor=SYSTEM, at=timezone.now())
    follow_tenants(at=timezone.now(), seconds=60)


def live(gateway: Gateway) -> set[str]:
    gateway.apply()
    return {key for key, allowed in gateway.peers().items() if allowed}


def resume(tenant: Tenant) -> None:
    resume_tenant(tenant=tenant, reason="", actor=SYSTEM, at=timezone.now())
    follow_tenants(at=timezone.now(), seconds=60)


def test_a_client_that_is_brought_back_is_held_until_its_tenant_is_resumed(
    gateway: Gateway, acme: Tenant
) -> None:
    made = gateway.add()
    gateway.apply()
    delete_client(caller=gateway.caller, client_id=made.client.uuid, at=timezone.now())
    suspend(acme)
    operator = Caller(acme, FULL, frozenset({"*"}), SYSTEM)
    restore_client(caller=operator, client_id=made.client.uuid, at=timezone.now())
    assert live(gateway) == set()
    assert Hold.objects.get(client=made.client, closed_at=None).reason == "tenant-suspended"
    resume(acme)
    assert live(gateway) == {made.peer.public_key}


def test_a_client_deleted_while_held_comes_back_free_to_an_active_tenant(
    gateway: Gateway, acme: Tenant
) -> None:
    made = gateway.add()
    suspend(acme)
    operator = Caller(acme, FULL, frozenset({"*"}), SYSTEM)
    delete_client(caller=operator, client_id=made.client.uuid, at=timezone.now())
    resume(acme)
    restore_client(caller=operator, client_id=made.client.uuid, at=timezone.now())
    assert live(gateway) == {made.peer.public_key}
    assert not Hold.objects.filter(closed_at=None).exists()


def test_an_adopted_peer_of_a_suspended_tenant_is_stopped(gateway: Gateway, acme: Tenant) -> None:
    suspend(acme)
    key = make_public_key()
    gateway.driver.apply(Plan(changes=[PeerChange(key, ("10.252.9.9/32",), is_new=True)]))
    interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
    adopt(interface, station(interface), tenant=acme, actor=SYSTEM, at=timezone.now())
    assert Peer.objects.get(public_key=key).blocked
    gateway.observe()
    assert live(gateway) == set()
    assert find_strays(at=timezone.now()) == 0
    resume(acme)
    assert live(gateway) == {key}
