"""Where a few rows are asked for among tens of thousands, no statement walks through a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from control import folding, rollup, sessions
from peers.models import Peer
from peers.services import due, ends, periods, verdicts, warnings
from quotas.models import LedgerSegment
from resellers.services import pools
from tests.integration.scale.conftest import Crowd
from tests.integration.scale.rows import FIRST, listening, walks

pytestmark = pytest.mark.django_db


def assert_no_walk(statements: list[Any]) -> None:
    assert statements
    found = walks(statements)
    assert not found, "\n\n".join(found)


def test_a_tick_of_a_small_interface(crowd: Crowd) -> None:
    crowd.move(5000)
    with listening() as statements:
        crowd.observe()
    assert_no_walk(statements)
    assert LedgerSegment.objects.filter(meter__peer__interface=crowd.interface, to_rx=5000).count()


def test_the_verdict_on_some(crowd: Crowd) -> None:
    with listening() as statements:
        verdicts.judge(client_ids=range(FIRST + 1, FIRST + 21), at=crowd.at)
    assert_no_walk(statements)


@pytest.mark.parametrize(
    "path",
    [
        "clients?limit=50",
        "clients?limit=50&ordering=name",
        "clients?external_id=order-107",
        "clients/{client}",
        "clients/{client}/usage",
        "clients/{client}/usage/series?by=hour",
        "clients/{client}/usage/series?by=day",
        "clients/{client}/sessions",
        "peers/{peer}/usage/series?by=hour",
        "peers?limit=50",
        "usage",
        "usage/series?by=hour",
        "usage/interfaces",
        "statements?from={day}",
    ],
)
def test_what_a_shop_asks(crowd: Crowd, path: str) -> None:
    peer = Peer.objects.get(client=crowd.client)
    day = (crowd.at - timedelta(days=1)).strftime("%Y-%m-%d")
    url = path.format(client=crowd.client.uuid, peer=peer.uuid, day=day)
    with listening() as statements:
        answer = crowd.api.get(f"/api/v1/{url}")
    assert answer.status_code == 200, answer.content
    assert_no_walk(statements)


JOBS: dict[str, Callable[[datetime], Any]] = {
    "ends": lambda at: ends.expire_due(at=at, since=at - timedelta(days=1)),
    "deletions": lambda at: ends.delete_ended(at=at, since=at - timedelta(days=1)),
    "periods": lambda at: periods.roll_periods(at=at),
    "holds": lambda at: due.close_due_holds(at=at),
    "purge": lambda at: due.purge_due(at=at),
    "undated": lambda at: due.date_purges(at=at),
    "tombstones": lambda at: due.purge_tombstones(at=at),
    "pools": lambda at: pools.settle_pools(at=at),
    "pool warnings": lambda at: pools.warn_pools(at=at),
    "end warnings": lambda at: warnings._near_end(*next(iter(warnings._groups().items())), at),
    "roll-up": lambda at: rollup.roll_up(at=at, seconds=5),
    "folding": lambda at: folding.fold(at=at, seconds=5),
    "old segments": lambda at: folding._drop_segments(at - timedelta(days=19), 500),
    "folding a day": lambda at: list(folding._some(folding.DAYS, at - timedelta(days=19), 500)),
    "sessions": lambda at: sessions.end_forgotten(),
}


#: SQLite keeps no histograms: it takes a range for a quarter of the rows, and walks.
GUESSED = {"ends", "deletions", "periods", "undated", "end warnings", "folding"}
#: PostgreSQL walks here, each for a reason of its own.
WALKS = {
    "end warnings": "one condition on clients or their usage: everybody's are joined",
    "old segments": "no index knows which segments are rolled up and old; a part of 500 is hashed",
    "folding a day": "it takes 500 of 20,000 rows, and hashes the table to find them",
}


@pytest.mark.parametrize("job", JOBS)
def test_what_the_schedule_does_when_little_is_due(crowd: Crowd, job: str) -> None:
    if connection.vendor == "sqlite" and job in GUESSED:
        pytest.skip("SQLite does not know how little is due")
    if connection.vendor == "postgresql" and job in WALKS:
        pytest.skip(WALKS[job])
    with listening() as statements:
        JOBS[job](crowd.at)
    assert_no_walk(statements)
