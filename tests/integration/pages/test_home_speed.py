"""How fast the two homes and their polls are with 10,000 clients, and what a home weighs.

Beside the clients stand a day of traffic of a tenth of them, thousands of jobs and of events. A
measurement, and so apart from the other tests (`proof`); run it alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from audit.models import AuditEvent
from bench.crowd import crowd
from gateways.models import Interface, Job, JobItem
from peers.models import Client, Peer
from quotas.models import LedgerSegment, Meter, TenantUsage, UsageBucket
from tenants.models import Tenant
from tests.integration.pages.clients.test_speed import (
    CLIENTS,
    LIST_MS,
    POLL_MS,
    WEIGHT,
    measure,
    weight,
)
from tests.make import make_user

pytestmark = [pytest.mark.proof, pytest.mark.alone, pytest.mark.django_db]
TENANTS = 20
QUARTER = timedelta(minutes=15)


@pytest.fixture
def busy(db: None) -> None:
    """10,000 clients, half of them the first tenant's."""
    crowd(TENANTS, CLIENTS)
    tenants = list(Tenant.objects.filter(slug__startswith="crowd-").order_by("pk"))
    first = tenants[0]
    some = list(Client.objects.exclude(tenant=first).values_list("pk", flat=True)[: CLIENTS // 2])
    for model in (Client, Peer, Meter):
        column = "pk__in" if model is Client else "client__in"
        for start in range(0, len(some), 500):
            model.objects.filter(**{column: some[start : start + 500]}).update(tenant=first)
    now = timezone.now()
    Interface.objects.update(observed_at=now, enabled=False)
    Peer.objects.update(last_handshake_at=now + timedelta(minutes=30))
    TenantUsage.objects.bulk_create(
        [TenantUsage(tenant=one, billed_down=10**12) for one in tenants], ignore_conflicts=True
    )
    _traffic(list(Meter.objects.order_by("pk")))
    _records(tenants)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _traffic(meters: list[Meter]) -> None:
    at = timezone.now()
    quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    LedgerSegment.objects.bulk_create(
        (
            LedgerSegment(
                meter=one, tenant_id=one.tenant_id, interface_id=one.interface_id, incarnation=1,
                quarter=quarter, from_rx=0, to_rx=10**6, from_tx=0, to_tx=10**7, billed_up=10**6,
                billed_down=10**7, sampled_at=at,
            )
            for one in meters
            if one.interface_id is not None
        ),
        batch_size=1000,
    )  # fmt: skip
    UsageBucket.objects.bulk_create(
        (
            UsageBucket(
                meter=one, tenant_id=one.tenant_id, interface_id=one.interface_id, seconds=900,
                begins_at=quarter - back * QUARTER, raw_up=10**6, raw_down=10**7,
                billed_up=10**6, billed_down=10**7,
            )
            for one in meters[::10]
            if one.interface_id is not None
            for back in range(1, 97)
        ),
        batch_size=1000,
    )  # fmt: skip


def _records(tenants: list[Tenant]) -> None:
    now, interface = timezone.now(), Interface.objects.first()
    jobs = Job.objects.bulk_create(
        [
            Job(
                tenant=tenants[n % TENANTS], kind="create", status="succeeded", total=1, done=1,
                tier=1, finished_at=now,
            )
            for n in range(3000)
        ]
    )  # fmt: skip
    JobItem.objects.bulk_create(
        JobItem(
            job=job, interface=interface, due_at=now, status="done", duration_ms=5, settled_at=now
        )
        for job in jobs
    )
    AuditEvent.objects.bulk_create(
        AuditEvent(
            tenant=tenants[n % TENANTS], actor_kind="user", actor_name="olive",
            action="client.created", target_type="client", target_id=str(n), target_name=f"n{n}",
        )
        for n in range(20_000)
    )  # fmt: skip


def signed_in(name: str, **how: Any) -> Browser:
    browser = Browser()
    browser.force_login(make_user(name, **how))
    return browser


def test_the_homes_and_their_polls_are_fast_at_ten_thousand(busy: None) -> None:
    oscar = signed_in("oscar", operator="full")
    olive = signed_in("olive", tenant=Tenant.objects.get(slug="crowd-0"))
    for browser, home, poll in (
        (oscar, "/", "/overview/live/"),
        (oscar, "/?span=7d", "/overview/live/"),
        (olive, "/t/crowd-0/", "/t/crowd-0/live/"),
    ):
        cache.clear()
        first, size = measure(browser, home, rounds=1)
        page, _ = measure(browser, home)
        live, nothing = measure(browser, poll, browser.get(poll)["ETag"])
        print(
            f"{connection.vendor} {home:12} first {first:6.1f} then {page:6.1f}"
            f" poll {live:5.1f} ms, {weight(size)} bytes with its files"
        )
        assert page <= LIST_MS
        assert live <= POLL_MS
        assert nothing == 0
        assert weight(size) <= WEIGHT
