"""Sums of hours that are over come out of the cache, and are those of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from peers.models import Peer
from quotas.kept import kept_series
from quotas.models import LedgerSegment, Meter, UsageBucket
from quotas.usage import of_everybody, series
from tests.make import make_meter

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 28, 12, 50, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def meter(alice_peer: Peer) -> Meter:
    found = make_meter(alice_peer)
    for number in range(1, 30):
        _bucket(found, datetime(2026, 11, 28, 12, 30, tzinfo=UTC) - number * QUARTER, number)
    assert found.interface is not None
    LedgerSegment.objects.create(
        meter=found, tenant=found.tenant, interface=found.interface, incarnation=1,
        quarter=NOW - timedelta(minutes=5), sampled_at=NOW, from_rx=0, from_tx=0, to_rx=7, to_tx=8,
        billed_up=7, billed_down=8,
    )  # fmt: skip
    return found


def _bucket(meter: Meter, at: datetime, number: int) -> None:
    assert meter.interface is not None
    UsageBucket.objects.create(
        meter=meter, tenant=meter.tenant, interface=meter.interface, begins_at=at, seconds=900,
        raw_up=number, raw_down=2 * number, billed_up=number, billed_down=number,
    )  # fmt: skip


def _edges(step: timedelta, count: int) -> list[datetime]:
    last = datetime(2026, 11, 28, 13, tzinfo=UTC)
    return [last - n * step for n in range(count, -1, -1)]


@pytest.mark.parametrize("step", [QUARTER, timedelta(hours=1), timedelta(hours=2)])
def test_they_are_the_ledgers(step: timedelta, meter: Meter) -> None:
    edges = _edges(step, 12)
    asked = series(of_everybody(), edges).points
    for _ in range(2):
        assert kept_series("all", of_everybody(), edges, at=NOW).points == asked


def test_an_hour_that_is_over_is_added_up_once_and_the_newest_always(meter: Meter) -> None:
    edges = _edges(timedelta(hours=1), 6)
    kept_series("all", of_everybody(), edges, at=NOW)
    with CaptureQueriesContext(connection) as found:
        again = kept_series("all", of_everybody(), edges, at=NOW)
    asked = [one["sql"] for one in found if "quotas_usagebucket" in one["sql"]]
    assert len(asked) == 1
    assert "2026-11-28 12:00" in asked[0]
    LedgerSegment.objects.update(to_rx=1007)
    newer = kept_series("all", of_everybody(), edges, at=NOW)
    assert newer.points[-1].raw_up == again.points[-1].raw_up + 1000


def test_what_may_still_change_is_not_kept(meter: Meter) -> None:
    at = datetime(2026, 11, 28, 12, 10, tzinfo=UTC)
    edges = _edges(timedelta(hours=1), 3)[:-1]
    before = kept_series("all", of_everybody(), edges, at=at)
    UsageBucket.objects.filter(begins_at__hour=11, begins_at__minute=45).update(raw_up=5000)
    assert kept_series("all", of_everybody(), edges, at=at) != before
