"""Bulk requests while others write the same rows (PostgreSQL alone)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit.events import SYSTEM
from gateways.models import GlobalSetting, Interface
from peers.models import Client, Peer
from peers.services.bulk.entries import Entry
from peers.services.bulk.runs import Started, start
from peers.services.removal import delete_client
from tenants.models import Tenant
from tenants.scoping import Caller
from tests import beside
from tests.make import make_client, make_peer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caller(acme: Tenant) -> Caller:
    GlobalSetting.objects.get_or_create(pk=1)
    return Caller(acme, "", frozenset({"*"}), SYSTEM)


@pytest.fixture
def three(acme: Tenant, interface: Interface) -> list[Client]:
    found = [make_client(acme) for _ in range(3)]
    for client in found:
        make_peer(client, interface)
    return found


def asked(caller: Caller, action: str, entries: list[Entry]) -> Any:
    return start(caller=caller, action=action, entries=entries, at=timezone.now())


def test_a_request_and_a_worker_do_not_wait_for_each_other(
    caller: Caller, three: list[Client], interface: Interface
) -> None:
    """A worker locks devices, then their interface; one entry is written with others, one alone."""
    entries = [
        Entry(0, client=three[0].uuid, values={"enabled": False}),
        Entry(1, client=three[1].uuid, values={"external_id": "x", "enabled": False}),
    ]
    found: list[Any] = []
    with transaction.atomic():
        list(Peer.objects.select_for_update(no_key=True).filter(client=three[1]))
        thread = beside.start(lambda: asked(caller, "update", entries), found)
        beside.wait_until_blocked(thread)
        Interface.objects.filter(pk=interface.pk).update(boot_dirty_since=None)
    thread.join()
    assert isinstance(found[0], Started), found
    assert found[0].run.failed == 0
    assert Peer.objects.filter(blocked=True).count() == 2


def test_two_requests_for_the_same_in_another_order_wait_for_each_other(
    caller: Caller, three: list[Client]
) -> None:
    entries = [Entry(place, client=client.uuid) for place, client in enumerate(three)]
    turned = [Entry(place, client=client.uuid) for place, client in enumerate(reversed(three))]
    found: list[Any] = []
    with transaction.atomic():
        asked(caller, "disable", entries)
        thread = beside.start(lambda: asked(caller, "enable", turned), found)
        beside.wait_until_blocked(thread)
    thread.join()
    assert isinstance(found[0], Started), found
    assert [one.failure for one in found[0].outcomes or ()] == [None] * 3
    assert set(Client.objects.values_list("version", flat=True)) == {3}
    assert not Peer.objects.filter(blocked=True).exists()


def test_who_is_deleted_meanwhile_is_not_found(caller: Caller, three: list[Client]) -> None:
    entries = [Entry(place, client=client.uuid) for place, client in enumerate(three)]
    found: list[Any] = []
    with transaction.atomic():
        delete_client(caller=caller, client_id=three[1].uuid, at=timezone.now())
        thread = beside.start(lambda: asked(caller, "disable", entries), found)
        beside.wait_until_blocked(thread)
    thread.join()
    codes = [one.failure and one.failure.code for one in found[0].outcomes]
    assert codes == [None, "not_found", None]
    assert Peer.objects.filter(blocked=True, deleted_at=None).count() == 2
