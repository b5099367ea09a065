"""Acts on clients while others write the same rows (PostgreSQL alone)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit.events import SYSTEM
from gateways.models import AddressPool, Interface
from peers.models import Peer, PeerAddress
from peers.services import moving
from peers.services.clients import Created, create_client
from peers.services.due import purge_due
from peers.services.moving import move_client
from peers.services.removal import delete_client, restore_client
from rest.errors import Missing
from tenants.scoping import Caller
from tests.beside import start, wait_until_blocked
from tests.make import make_gateway, make_interface, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caller() -> Caller:
    return Caller(make_tenant("shop"), "", frozenset({"*"}), SYSTEM)


def made(caller: Caller, interface: Interface, **details: Any) -> Created:
    return create_client(
        caller=caller, name="Sara", at=timezone.now(), interface=interface, **details
    )


@pytest.mark.parametrize("taker", ["another device", "the purge"])
def test_nobody_is_restored_whose_address_is_taken_meanwhile(
    caller: Caller, interface: Interface, taker: str
) -> None:
    gone, found, early = made(caller, interface), list[Any](), timezone.now()
    address = PeerAddress.objects.get(peer=gone.peer, family=4).address
    delete_client(caller=caller, client_id=gone.client.uuid, at=early)

    def restore(at: datetime) -> Any:
        return restore_client(caller=caller, client_id=gone.client.uuid, at=at)

    with transaction.atomic():
        if taker == "the purge":
            Peer.objects.update(applied_key="x")  # still on its interface: the row stays
            purge_due(at=timezone.now() + timedelta(days=365))
        else:
            made(caller, interface, addresses=[address])
        thread = start(lambda: restore(early), found)
        wait_until_blocked(thread)
    thread.join()
    assert isinstance(found[0], Missing), found
    assert Peer.objects.get(pk=gone.peer.pk).deleted_at is not None


def test_a_move_and_a_create_on_its_target_do_not_wait_for_each_other(
    caller: Caller, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make_interface(
        gateway=make_gateway("second"),
        is_default=False,
        addresses=("10.252.0.1/16", "fd99:1:2::1/64"),
    )
    going, found, threads, claim = (
        made(caller, interface),
        list[Any](),
        list[Any](),
        vars(moving)["claim"],
    )

    def claim_beside(**details: Any) -> Any:
        try:
            return claim(**details)
        finally:
            if not threads:
                threads.append(start(lambda: made(caller, target), found))
                wait_until_blocked(threads[0])

    monkeypatch.setattr(moving, "claim", claim_beside)
    move_client(caller=caller, client_id=going.client.uuid, interface=target, at=timezone.now())
    threads[0].join()
    assert isinstance(found[0], Created), found
    assert PeerAddress.objects.filter(peer__interface=target).count() == 4
    assert AddressPool.objects.filter(interface=target).count() == 2
