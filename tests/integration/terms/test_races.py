"""Enforcement, the sweep and what makes a limit good, at the same moment on real connections: the
client always ends as its terms and its bytes say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.db.models import F
from django.utils import timezone

from audit.events import SYSTEM
from gateways.models import Interface, JobItem
from peers.models import Client, Peer
from peers.services.clients import update_client
from peers.services.extension import extend_client, reset_usage, top_up_client
from peers.services.periods import roll_periods
from peers.services.settling import terms_of, used_of
from peers.services.switching import disable_client, enable_client
from peers.services.verdicts import judge, sweep_quotas
from quotas.models import Hold, Usage
from quotas.verdicts import verdict
from tenants.models import Tenant
from tenants.scoping import Caller
from tests.make import make_client, make_peer

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT, STEP = 10, 10


class Ring:
    """A client with a limit, and those who meet at it."""

    def __init__(self, tenant: Tenant, interface: Interface) -> None:
        self.caller = Caller(tenant, "", frozenset({"*"}), SYSTEM)
        self.client = make_client(
            tenant, quota_bytes=LIMIT, reset="month", starts_at=timezone.now() - timedelta(days=40)
        )
        self.peer = make_peer(self.client, interface)
        Usage.objects.create(client=self.client, tenant=tenant)

    def count(self) -> None:
        """Bytes that reach the limit, as the ledger writes them: with the verdict."""
        with transaction.atomic():
            rows = Usage.objects.filter(client=self.client)
            rows.update(billed_up=F("billed_up") + STEP)
            judge(client_ids=[self.client.pk], at=timezone.now())

    def sweep(self) -> None:
        sweep_quotas(at=timezone.now())

    def reset(self) -> None:
        reset_usage(caller=self.caller, client_id=self.client.uuid, at=timezone.now())

    def top_up(self) -> None:
        top_up_client(
            caller=self.caller, client_id=self.client.uuid, at=timezone.now(), number=STEP
        )

    def extend(self) -> None:
        extend_client(
            caller=self.caller, client_id=self.client.uuid, at=timezone.now(), number=STEP
        )

    def lift(self) -> None:
        update_client(
            caller=self.caller,
            client_id=self.client.uuid,
            at=timezone.now(),
            changes={"quota_bytes": None},
        )

    def roll(self) -> None:
        Usage.objects.update(period_ends_at=timezone.now() - timedelta(seconds=1))
        roll_periods(at=timezone.now())

    def switch(self) -> None:
        """Off and on by the seller: another hold, and the same devices."""
        for act in (disable_client, enable_client):
            act(caller=self.caller, client_id=self.client.uuid, at=timezone.now())

    def begin(self, *, over: bool) -> None:
        """A new round: at the limit already, or just below it."""
        Client.objects.update(quota_bytes=LIMIT)
        Usage.objects.update(base_up=F("billed_up"), extra_bytes=0)
        sweep_quotas(at=timezone.now())
        if over:
            self.count()

    def check(self, remedy: str) -> None:
        """What is must be what the terms and the bytes say, and WireGuard is told of all of it.

        Of a client that an act held which has no say in its bytes, the sweep looks.
        """
        if remedy == "switch":
            self.sweep()
        client = Client.objects.get(pk=self.client.pk)
        usage, peer = Usage.objects.get(client=client), Peer.objects.get(pk=self.peer.pk)
        must = verdict(terms_of(client), used_of(usage), timezone.now()).holds
        open_ones = Hold.objects.filter(client=client, closed_at__isnull=True)
        assert {hold.reason for hold in open_ones} == set(must)
        assert {hold.period for hold in open_ones} <= {usage.period}
        assert peer.blocked == bool(must)
        assert JobItem.objects.filter(peer=peer).count() == peer.generation - 1


def meet(acts: list[Callable[[], None]], rounds: int, between: Callable[[int], None]) -> None:
    """Each act in a thread of its own, all at once, so many times."""
    gate = threading.Barrier(len(acts) + 1)
    errors: list[Exception] = []

    def run(act: Callable[[], None]) -> None:
        try:
            for _ in range(rounds):
                gate.wait(60)
                try:
                    persist(act)
                except Exception as error:
                    errors.append(error)
                gate.wait(60)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,), daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    try:
        for number in range(rounds):
            between(number)
            gate.wait(60)
            gate.wait(60)
            assert errors == []
    finally:
        if errors:
            gate.abort()
    for thread in threads:
        thread.join(60)


def persist(act: Callable[[], None]) -> None:
    """Again when SQLite's one writer was another one for too long, as callers do."""
    for _ in range(5):
        try:
            return act()
        except OperationalError as error:
            if "locked" not in str(error):
                raise
    return act()


def race(tenant: Tenant, interface: Interface, remedy: str, rounds: int) -> None:
    ring = Ring(tenant, interface)
    done = [0]

    def between(number: int) -> None:
        if number:
            ring.check(remedy)
            done[0] += 1
        ring.begin(over=bool(number % 2))

    acts: list[Any] = [ring.count, ring.sweep, getattr(ring, remedy)]
    meet(acts, rounds, between)
    ring.check(remedy)
    assert done[0] == rounds - 1


REMEDIES = ["reset", "top_up", "extend", "lift", "roll", "switch"]


@pytest.mark.parametrize("remedy", REMEDIES)
def test_whoever_comes_first_the_end_is_right(
    acme: Tenant, interface: Interface, remedy: str
) -> None:
    race(acme, interface, remedy, rounds=12)


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("remedy", REMEDIES)
def test_five_hundred_times(acme: Tenant, interface: Interface, remedy: str) -> None:
    race(acme, interface, remedy, rounds=500)
