"""Quarters that are over become buckets: each byte once, whoever runs it and how often."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from control import rollup
from control.clock import database_now
from control.rollup import roll_up
from gateways.models import Interface
from quotas.models import LedgerSegment, Meter, UsageBucket
from tenants.models import Tenant
from tests.integration.control.conftest import Gateway
from tests.integration.schedule.books import make_meter, make_segment, quarter, sums

pytestmark = pytest.mark.django_db

BEGAN = quarter("2026-11-27 12:00")
OVER = BEGAN + timedelta(minutes=20)


def buckets() -> list[tuple[object, ...]]:
    rows = UsageBucket.objects.order_by("meter", "begins_at")
    return list(
        rows.values_list(
            "meter", "begins_at", "seconds", "raw_up", "raw_down", "billed_up", "billed_down"
        )
    )


def test_a_quarter_becomes_a_bucket_once(acme: Tenant, interface: Interface) -> None:
    meter = make_meter(acme, interface)
    make_segment(meter, BEGAN, up=11, down=22)
    assert roll_up(at=OVER, seconds=9) == 1
    assert buckets() == [(meter.pk, BEGAN, 900, 11, 22, 5, 11)]
    assert roll_up(at=OVER, seconds=9) == 0
    assert buckets() == [(meter.pk, BEGAN, 900, 11, 22, 5, 11)]


def test_a_quarter_that_is_not_over_for_long_enough_waits(
    acme: Tenant, interface: Interface
) -> None:
    """Who read a dump in it may still be writing."""
    make_segment(make_meter(acme, interface), BEGAN)
    assert roll_up(at=OVER - timedelta(seconds=1), seconds=9) == 0
    assert roll_up(at=OVER, seconds=9) == 1


def test_the_margin_is_longer_than_a_task_may_run(settings: Any) -> None:
    limit = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
    assert limit < rollup.MARGIN


def test_all_segments_of_a_device_and_quarter_are_one_bucket(
    acme: Tenant, interface: Interface
) -> None:
    """Two incarnations, and one that came when the other stood in the bucket already."""
    meter = make_meter(acme, interface)
    for incarnation in (1, 2):
        make_segment(meter, BEGAN, incarnation=incarnation, up=10, down=10)
    assert roll_up(at=OVER, seconds=9) == 2
    make_segment(meter, BEGAN, incarnation=3, up=1, down=2)
    assert roll_up(at=OVER, seconds=9) == 1
    assert buckets() == [(meter.pk, BEGAN, 900, 21, 22, 10, 11)]


def test_a_device_that_changed_its_tenant_has_a_bucket_of_each(
    acme: Tenant, evil: Tenant, interface: Interface
) -> None:
    meter = make_meter(acme, interface)
    make_segment(meter, BEGAN)
    make_segment(meter, BEGAN, tenant_id=evil.pk, start=20)
    before = sums()
    roll_up(at=OVER, seconds=9)
    assert UsageBucket.objects.count() == 2
    assert sums() == before


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_batches_lose_nothing(acme: Tenant, interface: Interface, batch: int) -> None:
    for number in range(3):
        meter = make_meter(acme, interface)
        for late in range(3):
            make_segment(meter, BEGAN - late * timedelta(minutes=15), up=number, down=late)
    before = sums()
    assert roll_up(at=OVER, seconds=9, batch=batch) == 9
    assert sums() == before
    assert not LedgerSegment.objects.filter(rolled_up=False).exists()


def test_a_run_ends_when_its_time_is_over(acme: Tenant, interface: Interface) -> None:
    for _ in range(3):
        make_segment(make_meter(acme, interface), BEGAN)
    assert roll_up(at=OVER, seconds=0, batch=1) == 1


def counted(gateway: Gateway, rx: int) -> None:
    """The interface's only device has received so much, and the books are kept."""
    (key,) = gateway.peers()
    gateway.driver.report(key, rx_bytes=rx)
    gateway.observe()


def test_what_comes_after_its_quarter_was_rolled_up_goes_to_the_next_one(gateway: Gateway) -> None:
    gateway.add()
    gateway.apply()
    counted(gateway, 100)
    assert roll_up(at=database_now() + timedelta(hours=1), seconds=9) == 1
    counted(gateway, 250)
    counted(gateway, 260)
    (first, second) = LedgerSegment.objects.order_by("quarter")
    assert (first.from_rx, first.to_rx, first.rolled_up) == (0, 100, True)
    assert (second.from_rx, second.to_rx, second.rolled_up) == (100, 260, False)
    assert second.quarter == first.quarter + timedelta(minutes=15)
    roll_up(at=database_now() + timedelta(hours=1), seconds=9)
    meter = Meter.objects.get()
    assert [row[3] for row in buckets()] == [100, 160]
    assert sums()["device", meter.pk, "raw_up"] == meter.raw_up == 260


def test_a_clock_that_was_set_back_by_a_day_stops_no_books(gateway: Gateway) -> None:
    """The newest segment lies ahead, and was rolled up before the clock was put right."""
    gateway.add()
    gateway.apply()
    counted(gateway, 100)
    day = timedelta(days=1)
    LedgerSegment.objects.update(quarter=F("quarter") + day)
    Meter.objects.update(sampled_at=F("sampled_at") + day)
    roll_up(at=database_now() + 2 * day, seconds=9)
    counted(gateway, 250)
    meter = Meter.objects.get()
    assert sums()["device", meter.pk, "raw_up"] == meter.raw_up == 250


@pytest.mark.django_db(transaction=True)
def test_two_at_once_take_each_segment_once(acme: Tenant, interface: Interface) -> None:
    """Small batches, the same buckets: two incarnations of each device and quarter."""
    for _ in range(20):
        meter = make_meter(acme, interface)
        for incarnation in (1, 2):
            make_segment(meter, BEGAN, incarnation=incarnation)
    before, taken = sums(), []

    def run() -> None:
        try:
            taken.append(roll_up(at=OVER, seconds=30, batch=3))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 40
    assert sums() == before
    assert UsageBucket.objects.count() == 20
