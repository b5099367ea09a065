"""Old buckets become days and months where their tenant lives; no sum ever changes."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from control import folding
from control.folding import fold
from control.rollup import roll_up
from gateways.models import GlobalSetting, Interface
from quotas.models import LedgerSegment, Meter, Session, UsageBucket
from quotas.spans import known_zone
from tenants.models import Tenant
from tests.integration.schedule.books import (
    QUARTER,
    bucket,
    lengths,
    make_meter,
    make_segment,
    quarter,
    sums,
)
from tests.make import make_client, make_peer, make_tenant
from tests.repetition import few

pytestmark = pytest.mark.django_db

#: Odd offsets; clocks turned by an hour, by half of one, at midnight, and by the South's seasons.
ZONES = (
    "UTC", "Asia/Tehran", "Asia/Kathmandu", "Europe/Berlin", "America/New_York",
    "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Asia/Beirut", "Pacific/Apia",
    "Pacific/Kiritimati", "America/Santiago", "Pacific/Chatham", "Asia/Gaza",
)  # fmt: skip
#: By half an hour, at midnight, from 45 minutes, from half an hour and never.
ODDEST = ("Australia/Lord_Howe", "America/Havana", "Pacific/Chatham", "Asia/Tehran")
AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
LONG = 60.0


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else waits for the database here."""
    monkeypatch.setattr(folding, "PAUSE_S", 0)


def fill(meter: Meter, first: datetime, last: datetime) -> None:
    """A bucket of each quarter of an hour from the first on and up to the last."""
    rows = []
    while first < last:
        rows.append(bucket(meter, first))
        first += QUARTER
    UsageBucket.objects.bulk_create(rows)


def days_of(meter: Meter) -> list[tuple[datetime, int, int]]:
    rows = UsageBucket.objects.filter(meter=meter).exclude(seconds=900).order_by("begins_at")
    return list(rows.values_list("begins_at", "seconds", "raw_up"))


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("UTC", "2026-03-29 00:00", 24),
        ("Europe/Berlin", "2026-03-28 23:00", 23),  # clocks go forward
        ("Europe/Berlin", "2026-10-24 22:00", 25),  # and back
        ("Asia/Tehran", "2026-03-28 20:30", 24),  # +3:30
        ("Australia/Lord_Howe", "2026-04-04 13:00", 24.5),
    ],
)
def test_a_day_is_the_tenants(
    acme: Tenant, interface: Interface, zone: str, first: str, hours: float
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(timezone=zone)
    meter = make_meter(acme, interface)
    begin, long = quarter(first), timedelta(hours=hours)
    fill(meter, begin - timedelta(hours=1), begin + long + timedelta(hours=1))
    before = sums()
    fold(at=begin + long + timedelta(days=62), seconds=LONG)
    assert sums() == before
    assert (begin, int(long.total_seconds()), int(hours * 40)) in days_of(meter)
    left = UsageBucket.objects.filter(seconds=900).values_list("begins_at", flat=True)
    assert sorted(left) == [begin + long + number * QUARTER for number in range(4)]


def test_what_is_young_stays(acme: Tenant, interface: Interface) -> None:
    GlobalSetting.objects.update(keep_quarters_days=3)
    meter = make_meter(acme, interface)
    fill(meter, AT - timedelta(days=6), AT)
    fold(at=AT, seconds=LONG)
    assert days_of(meter)[-1][0] == quarter("2026-11-23 00:00")
    assert UsageBucket.objects.filter(seconds=900).count() == 3 * 96 + 48


def test_days_become_months_after_two_years(acme: Tenant, interface: Interface) -> None:
    Tenant.objects.filter(pk=acme.pk).update(timezone="Asia/Tehran")
    meter = make_meter(acme, interface)
    begin = quarter("2024-01-31 20:30")  # February 1st there
    UsageBucket.objects.bulk_create(
        bucket(meter, begin + timedelta(days=number), 86400) for number in range(-1, 30)
    )
    before = sums()
    fold(at=begin + timedelta(days=29 + 730), seconds=LONG)
    assert sums() == before
    assert days_of(meter) == [
        (quarter("2023-12-31 20:30"), 31 * 86400, 10),
        (begin, 29 * 86400, 290),
        (begin + timedelta(days=29), 86400, 10),
    ]


def test_a_bucket_that_came_late_is_added_to_its_day(acme: Tenant, interface: Interface) -> None:
    meter = make_meter(acme, interface)
    day = quarter("2026-01-01 00:00")
    for _ in range(2):
        UsageBucket.objects.bulk_create([bucket(meter, day + timedelta(hours=3))])
        fold(at=AT, seconds=LONG)
    assert days_of(meter) == [(day, 86400, 20)]


def test_a_tenant_that_moves_keeps_its_folded_days(acme: Tenant, interface: Interface) -> None:
    meter = make_meter(acme, interface)
    fill(meter, quarter("2026-01-01 00:00"), quarter("2026-01-05 00:00"))
    before = sums()
    fold(at=quarter("2026-01-03 00:00") + timedelta(days=62), seconds=LONG)
    Tenant.objects.filter(pk=acme.pk).update(timezone="Asia/Tehran")
    fold(at=AT, seconds=LONG)
    assert sums() == before
    assert lengths() == {86400: 5}  # two of UTC; a short one, one and a short one of Tehran


def test_a_zone_that_nobody_knows_is_taken_for_utc(acme: Tenant, interface: Interface) -> None:
    Tenant.objects.filter(pk=acme.pk).update(timezone="Mars/Olympus")
    meter = make_meter(acme, interface)
    fill(meter, quarter("2026-01-01 00:00"), quarter("2026-01-02 00:00"))
    fold(at=AT, seconds=LONG)
    assert days_of(meter) == [(quarter("2026-01-01 00:00"), 86400, 960)]
    assert {known_zone(name).key for name in ("Mars/Olympus", "", "/etc/x", "UTC")} == {"UTC"}


@pytest.mark.parametrize("seed", few(range(12), (0, 1, 2)))
def test_no_sum_changes_whatever_the_data_and_the_zone(interface: Interface, seed: int) -> None:
    """Random devices, zones, holes, doubles, moves, times and batches: I2-I4 over time."""
    chance = random.Random(seed)
    tenants = [make_tenant(f"t{number}", timezone=chance.choice(ZONES)) for number in range(3)]
    clients = [uuid.UUID(int=chance.getrandbits(128)) for _ in range(4)]
    meters = [
        make_meter(chance.choice(tenants), interface, client=chance.choice(clients))
        for _ in range(6)
    ]
    year = chance.choice((2023, 2024, 2025, 2026))
    begin = datetime(year, chance.choice((3, 4, 9, 10, 11)), 1, tzinfo=UTC)
    for meter in meters:
        starts = {begin + chance.randrange(40 * 96) * QUARTER for _ in range(120)}
        for start in sorted(starts):
            incarnation = chance.randrange(3)
            make_segment(
                meter,
                start,
                incarnation=incarnation,
                up=chance.getrandbits(chance.randrange(1, 45)),
                down=chance.getrandbits(chance.randrange(1, 45)),
                tenant_id=chance.choice(tenants).pk if chance.random() < 0.1 else meter.tenant_id,
            )
    before, at = sums(), begin
    while at < begin + timedelta(days=800):
        at += timedelta(days=chance.choice((1, 9, 40, 62, 200)), minutes=chance.randrange(2000))
        batch = chance.choice((7, 100, 5000))
        roll_up(at=at, seconds=chance.choice((0, LONG)), batch=batch)
        fold(at=at, seconds=chance.choice((0, LONG)), batch=batch)
        if chance.random() < 0.2:
            Tenant.objects.filter(pk=chance.choice(tenants).pk).update(
                timezone=chance.choice(ZONES)
            )
        assert sums() == before
    at += timedelta(days=62)
    roll_up(at=at, seconds=LONG)
    fold(at=at, seconds=LONG)
    assert sums() == before
    assert not LedgerSegment.objects.exists()
    assert min(lengths()) > 900


@pytest.mark.parametrize("zone", few(ZONES, ODDEST))
def test_folded_days_begin_at_the_tenants_midnight(
    acme: Tenant, interface: Interface, zone: str
) -> None:
    """A whole year of each zone: every bucket is one day there, each day begins where one ended."""
    Tenant.objects.filter(pk=acme.pk).update(timezone=zone)
    meter = make_meter(acme, interface)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    UsageBucket.objects.bulk_create(
        bucket(meter, begin + timedelta(hours=2 * number)) for number in range(12 * 365)
    )
    fold(at=begin + timedelta(days=365 + 62 + 2), seconds=LONG)
    days, local = days_of(meter), ZoneInfo(zone)
    for one, following in pairwise(days):
        assert following[0] == one[0] + timedelta(seconds=one[1])
    dates = [at.astimezone(local).date() for at, _, _ in days]
    assert dates == [dates[0] + timedelta(days=number) for number in range(len(days))]
    assert sum(up for _, _, up in days) == 12 * 365 * 10


# -- what is kept no longer ---------------------------------------------------------------------


def test_old_segments_go_once_they_stand_in_buckets(acme: Tenant, interface: Interface) -> None:
    meter = make_meter(acme, interface)
    old, young = AT - timedelta(days=36), AT - timedelta(days=34)
    make_segment(meter, old, rolled_up=True)
    make_segment(meter, old + QUARTER, rolled_up=False)
    make_segment(meter, young, rolled_up=True)
    assert fold(at=AT, seconds=LONG)["segments"] == 1
    kept = LedgerSegment.objects.order_by("quarter").values_list("quarter", flat=True)
    assert list(kept) == [old + QUARTER, young]


def test_old_sessions_go_and_open_ones_stay(acme: Tenant, interface: Interface) -> None:
    peers = [make_peer(make_client(acme), interface) for _ in range(2)]
    old = AT - timedelta(days=91)
    for peer, ended_at in ((peers[0], old), (peers[1], None)):
        Session.objects.create(peer=peer, tenant=acme, began_at=old, ended_at=ended_at)
    Session.objects.create(peer=peers[0], tenant=acme, began_at=AT, ended_at=AT)
    assert fold(at=AT, seconds=LONG)["sessions"] == 1
    assert Session.objects.count() == 2
