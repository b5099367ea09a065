"""An operator's home: the verdict, figures that lead somewhere, what waits, and its poll."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gateways.models import AddressPool, Heartbeat, Interface, Job, ScheduledJob
from gateways.queries import expected_queues
from gateways.schedule import expected
from peers.models import Peer
from portal.overview.queries import quarter_of, speeds
from quotas.models import LedgerSegment
from tenants.models import Tenant
from tests.make import make_client, make_job, make_meter, make_peer, make_tenant


@pytest.fixture(autouse=True)
def well(interface: Interface) -> None:
    """Everything runs."""
    now = timezone.now()
    Interface.objects.update(state="up", observed_at=now)
    for queue in expected_queues():
        Heartbeat.objects.create(queue=queue, seen_at=now)
    _on_time()


def _on_time() -> None:
    ScheduledJob.objects.all().delete()
    now = timezone.now()
    for name, seconds in expected().items():
        ScheduledJob.objects.create(
            name=name,
            interval_seconds=seconds,
            started_at=now,
            finished_at=now + timedelta(hours=1),
        )


def home(browser: Browser) -> str:
    answer = browser.get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_when_all_is_well_it_says_so(browser: Browser) -> None:
    page = home(browser)
    assert "1 gateway is up and matches its records." in page
    assert "Nothing waits for you." in page


@pytest.mark.parametrize(
    ("row", "words", "link"),
    [
        ({"guard_keys": ["a", "b"]}, "local wg0: 2 unknown peers, adopt or remove", "/"),
        ({"state": "foreign"}, "is not vwg&#x27;s own", "/"),
        ({"state": "unreachable"}, "local wg0: No answer", "/"),
    ],
)
def test_what_waits_for_a_person_is_named(
    row: dict[str, object], words: str, link: str, browser: Browser
) -> None:
    Interface.objects.update(**row)
    page = home(browser)
    assert words in page
    assert "One thing needs you" in page


def test_alarms_of_the_machinery(browser: Browser, acme: Tenant, alice_peer: Peer) -> None:
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    Peer.objects.update(quarantine_reason="refused")
    job = make_job(acme, interface=alice_peer.interface, items=1)
    Job.objects.filter(pk=job.pk).update(
        status="failed", done=1, failed=1, finished_at=timezone.now()
    )
    long_ago = timezone.now() - timedelta(days=1)
    ScheduledJob.objects.filter(name="rollup").update(finished_at=long_ago, since=long_ago)
    page = home(browser)
    assert "The worker of gateway.local does not answer" in page
    assert "1 device is in quarantine" in page
    assert "1 job failed within a day" in page
    assert "Late: Add up finished quarter-hours" in page


def test_a_pool_that_is_nearly_given_out_is_told(browser: Browser, interface: Interface) -> None:
    pool = AddressPool.objects.get(interface=interface, family=4)
    pool.size = 3
    pool.save()
    for _ in range(3):
        make_peer(make_client(make_tenant()), interface)
    assert "local wg0 IPv4: 0 addresses left of 3" in home(browser)


def test_traffic_now_is_the_average_of_this_quarter_hour(alice_peer: Peer) -> None:
    now = datetime(2026, 11, 27, 12, 20, tzinfo=UTC)  # 300 s after the quarter began
    row = LedgerSegment(
        meter=make_meter(alice_peer), tenant=alice_peer.tenant, interface=alice_peer.interface,
        incarnation=1, quarter=now - timedelta(minutes=5), sampled_at=now, from_rx=0, from_tx=7,
        to_rx=30_000_000, to_tx=7_500_007, billed_up=0, billed_down=0,
    )  # fmt: skip
    row.save()
    assert speeds(now) == {alice_peer.interface.uuid: 1_000_000}


def _segment(peer: Peer, at: datetime) -> None:
    LedgerSegment.objects.create(
        meter=make_meter(peer), tenant=peer.tenant, interface=peer.interface, incarnation=1,
        quarter=quarter_of(at), sampled_at=at, from_rx=0, from_tx=0, to_rx=3 * 10**9,
        to_tx=6 * 10**9, billed_up=0, billed_down=0,
    )  # fmt: skip


def test_between_two_readings_traffic_is_no_news(alice_peer: Peer) -> None:
    read_at = timezone.now()
    Interface.objects.update(observed_at=read_at)
    _segment(alice_peer, read_at)
    first = speeds(read_at)
    assert first
    assert speeds(min(read_at + timedelta(seconds=20), _last_of_quarter(read_at))) == first


def _last_of_quarter(at: datetime) -> datetime:
    return quarter_of(at) + timedelta(minutes=15, microseconds=-1)


@pytest.mark.parametrize("span", ["24h", "7d"])
def test_the_chart_is_of_all_interfaces(span: str, browser: Browser, alice_peer: Peer) -> None:
    _segment(alice_peer, timezone.now())
    page = browser.get(f"/?span={span}").content.decode()
    assert "6 GB down, 3 GB up" in page
    assert page.count('class="pt"') == {"24h": 96, "7d": 84}[span]


def test_the_poll_is_304_until_something_changes(browser: Browser, alice_peer: Peer) -> None:
    first = browser.get("/overview/live/")
    assert first.status_code == 200
    for part in ("verdict", "figures", "gateways", "alarms", "jobs", "machinery"):
        assert f'id="{part}"' in first.content.decode()
    again = browser.get("/overview/live/", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again["X-VWG-Observed"].startswith("page=")
    Peer.objects.update(quarantine_reason="refused")
    changed = browser.get("/overview/live/", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200


def test_queries_do_not_grow_with_what_there_is(browser: Browser, interface: Interface) -> None:
    def queries(path: str) -> int:
        browser.get(path)
        with CaptureQueriesContext(
            connection,
        ) as found:
            browser.get(path)
        return len(found)

    make_peer(make_client(make_tenant()), interface)
    small = queries("/"), queries("/overview/live/")
    for _ in range(12):
        tenant = make_tenant()
        make_peer(make_client(tenant), interface)
        make_job(tenant, interface=interface, items=1)
    assert (queries("/"), queries("/overview/live/")) == small


def test_members_are_led_to_their_own_home(reseller: Browser) -> None:
    assert reseller.get("/")["Location"] == "/t/acme/"
    assert reseller.get("/overview/live/").status_code == 403
