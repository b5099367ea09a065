"""Where a few rows are asked for among tens of thousands, no statement walks through a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from control import folding, rollup, sessions
from peers.models import Peer
from peers.services import due, ends, periods, verdicts, warnings
from quotas.models import LedgerSegment
from resellers.services import pools
from tests.conftest import bearer
from tests.integration.scale.conftest import Crowd
from tests.integration.scale.rows import FIRST, explain, listening, walks
from tests.make import make_token

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
        *(OLD := [
            "statements?from={old}&to={day}",
            "usage/series?by=day&from={old}&to={day}",
            "usage/interfaces?from={old}&to={day}",
            "clients/{client}/usage/series?by=day&from={old}&to={day}",
            "peers/{peer}/usage/series?by=day&from={old}&to={day}",
        ]),
    ],
)  # fmt: skip
def test_what_a_shop_asks(crowd: Crowd, path: str) -> None:
    assert_no_walk(ask(crowd, crowd.api, path))


def ask(crowd: Crowd, api: APIClient, path: str) -> list[Any]:
    """The statements of an answer."""
    peer = Peer.objects.get(client=crowd.client)
    day, old = (f"{crowd.at - timedelta(days=days):%Y-%m-%d}" for days in (1, 15))
    url = path.format(client=crowd.client.uuid, peer=peer.uuid, day=day, old=old)
    with listening() as statements:
        answer = api.get(f"/api/v1/{url}")
    assert answer.status_code == 200, answer.content
    return statements


@pytest.mark.parametrize("path", OLD)
def test_what_is_old_is_read_from_buckets_alone(crowd: Crowd, path: str) -> None:
    """Of the ledger only what stands in none yet is looked at, however long it is kept."""
    sums = [one for one in ask(crowd, crowd.api, path) if "quotas_ledgersegment" in one[0]]
    plans = [explain(*one) for one in sums]
    assert plans
    for plan in plans:
        assert re.search(r"USING INDEX segment_to_|Scan (using|on) segment_to_", plan), plan


def test_a_bill_of_every_tenant_walks_through_no_ledger(crowd: Crowd) -> None:
    _, token = make_token(crowd.tenant, operator=True)
    statements = ask(crowd, bearer(token), "tenants/statements?from={day}")
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


@pytest.mark.parametrize("job", JOBS)
def test_what_the_schedule_does_when_little_is_due(crowd: Crowd, job: str) -> None:
    with listening() as statements:
        JOBS[job](crowd.at)
    assert_no_walk(statements)
