"""Events before bytes or days run out: once for each threshold, again after it was well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface
from peers.models import Client
from peers.services.periods import roll_periods
from peers.services.warnings import warn_clients
from quotas.models import TenantUsage, Usage
from resellers.services.pools import settle_pools, warn_pools
from tenants.models import Tenant
from tests.make import make_client

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def used(client: Client, number: int, **fields: Any) -> None:
    Usage.objects.update_or_create(
        client=client, defaults={"tenant": client.tenant, "billed_down": number, **fields}
    )


def told(action: str = "client.quota_warning") -> list[int]:
    """What was told, by percent or days."""
    rows = AuditEvent.objects.filter(action=action).order_by("pk")
    return [event.after.get("percent", event.after.get("days")) for event in rows]


def warn(at: datetime = NOW) -> dict[str, int]:
    return warn_clients(at=at)


def test_each_threshold_is_told_once(acme: Tenant, sara: Client) -> None:
    for number, events in ((799, []), (800, [80]), (940, [80]), (960, [80, 95]), (1000, [80, 95])):
        used(sara, number)
        warn()
        warn()
        assert told() == events
    event = AuditEvent.objects.latest("pk")
    assert (event.tenant, event.target_id, event.actor_kind) == (acme, str(sara.uuid), "system")
    assert event.after == {"percent": 95, "used_bytes": 960, "left_bytes": 40, "period": 1}


def test_from_far_below_the_highest_is_told_alone(sara: Client) -> None:
    used(sara, 970)
    assert warn()["quota"] == 1
    assert told() == [95]


def test_who_is_at_the_limit_already_has_another_event(sara: Client) -> None:
    used(sara, 1000)
    assert warn()["quota"] == 0
    used(sara, 1000, extra_bytes=30)
    assert warn()["quota"] == 1
    assert told() == [95]


def test_a_top_up_that_helps_lets_it_be_told_again(sara: Client) -> None:
    used(sara, 950)
    warn()
    used(sara, 950, extra_bytes=40)  # 91 percent: hardly better
    warn()
    used(sara, 990, extra_bytes=40)
    warn()
    assert told() == [95]
    used(sara, 990, extra_bytes=1000)  # 49 percent
    warn()
    assert Usage.objects.get().warned_percent == 0
    used(sara, 1960, extra_bytes=1000)
    warn()
    assert told() == [95, 95]


def test_the_nearest_limit_of_each_direction_counts(acme: Tenant) -> None:
    client = make_client(acme, upload_quota_bytes=100, download_quota_bytes=10_000)
    used(client, 100, billed_up=85)
    warn()
    assert told() == [80]


def test_a_new_period_tells_anew(acme: Tenant) -> None:
    begin = NOW - DAY
    client = make_client(acme, quota_bytes=1000, reset="day", starts_at=begin)
    used(client, 900, period_began_at=begin, period_ends_at=NOW)
    warn(begin)
    roll_periods(at=NOW)
    warn()
    used(client, 1850)
    warn()
    assert told() == [80, 95]


@pytest.mark.parametrize("number", [2**62, 2**63 - 1])
def test_huge_quotas_do_not_overflow(acme: Tenant, sara: Client, number: int) -> None:
    client = make_client(acme, quota_bytes=number)
    used(client, number // 100 * 85, extra_bytes=2**40)
    used(sara, 850)
    assert warn()["quota"] == 2


def test_tenants_have_thresholds_of_their_own(acme: Tenant, evil: Tenant, sara: Client) -> None:
    Tenant.objects.filter(pk=acme.pk).update(warn_percents=[50], warn_days=[])
    other = make_client(evil, quota_bytes=1000, expires_at=NOW + DAY)
    Client.objects.filter(pk=sara.pk).update(expires_at=NOW + DAY)
    used(sara, 600)
    used(other, 600)
    assert warn() == {"quota": 1, "expiry": 1}
    assert told() == [50]
    assert AuditEvent.objects.get(action="client.expiry_warning").tenant == evil
    Tenant.objects.filter(pk=acme.pk).update(warn_percents=[])
    warn()
    assert told() == [50]


def test_days_before_the_end(sara: Client) -> None:
    action = "client.expiry_warning"
    Client.objects.filter(pk=sara.pk).update(expires_at=NOW + 10 * DAY)
    for days, events in ((6, []), (7, [3]), (8, [3]), (9, [3, 1]), (9.9, [3, 1]), (10, [3, 1])):
        warn(NOW + timedelta(days=days))
        warn(NOW + timedelta(days=days))
        assert told(action) == events, days
    event = AuditEvent.objects.latest("pk")
    assert event.after == {"days": 1, "expires_at": "2026-03-20T12:00:00Z"}
    Client.objects.filter(pk=sara.pk).update(expires_at=NOW + 40 * DAY)
    warn(NOW + 10 * DAY)
    assert Usage.objects.get().warned_days is None
    warn(NOW + 37 * DAY)
    assert told(action) == [3, 1, 3]
    Client.objects.filter(pk=sara.pk).update(expires_at=None)
    warn(NOW + 37 * DAY)
    assert Usage.objects.get().warned_days is None


def test_a_period_that_begins_anew_does_not_tell_of_the_same_end_again(acme: Tenant) -> None:
    client = make_client(
        acme, quota_bytes=1000, reset="day", starts_at=NOW - DAY, expires_at=NOW + 2 * DAY
    )
    used(client, 1, period_began_at=NOW - DAY, period_ends_at=NOW)
    warn(NOW - timedelta(hours=1))
    roll_periods(at=NOW)
    warn()
    assert told("client.expiry_warning") == [3]


def test_deleted_clients_are_left_in_peace(sara: Client) -> None:
    used(sara, 900)
    Client.objects.filter(pk=sara.pk).update(deleted_at=NOW, expires_at=NOW + DAY)
    assert warn() == {"quota": 0, "expiry": 0}


def test_how_many_there_are_does_not_matter(acme: Tenant) -> None:
    counts = []
    for number in (1, 60):
        for _ in range(number):
            used(make_client(acme, quota_bytes=1000, expires_at=NOW + DAY), 900)
        with CaptureQueriesContext(connection) as found:
            assert warn() == {"quota": number, "expiry": number}
        counts.append(len(found))
    assert counts[1] <= counts[0] + 2  # one row is written by a plain UPDATE


def test_a_pool_warns_too_and_once_a_period(acme: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_bytes_per_period=1000)
    for number, events in ((799, []), (801, [80]), (820, [80]), (990, [80, 95]), (1000, [80, 95])):
        TenantUsage.objects.update_or_create(tenant=acme, defaults={"billed_up": number})
        settle_pools(at=NOW)
        warn_pools(at=NOW)
        assert warn_pools(at=NOW) == 0
        assert told("tenant.pool_warning") == events, number
    assert AuditEvent.objects.filter(action="tenant.pool_stopped").count() == 1
    ends_at = TenantUsage.objects.get(tenant=acme).period_ends_at
    assert ends_at is not None
    settle_pools(at=ends_at)
    TenantUsage.objects.filter(tenant=acme).update(billed_up=1800)
    assert warn_pools(at=ends_at) == 1
    assert told("tenant.pool_warning") == [80, 95, 80]
    assert AuditEvent.objects.latest("pk").after["counted_bytes"] == 800


def test_the_feed_shows_them(alice_api: APIClient, sara: Client, interface: Interface) -> None:
    used(sara, 900)
    warn()
    found = alice_api.get("/api/v1/events", {"action": "client.quota_warning"}).json()["results"]
    assert [one["target"]["id"] for one in found] == [str(sara.uuid)]
    assert found[0]["actor"]["kind"] == "system"
