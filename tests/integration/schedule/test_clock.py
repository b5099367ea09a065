"""The database's clock, which no host's clock moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from control.clock import database_now

pytestmark = pytest.mark.django_db


def test_the_clock_is_aware_and_in_utc() -> None:
    assert database_now().tzinfo is UTC


def test_the_clock_is_the_databases_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose clock says next year is not believed."""
    before = datetime.now(UTC)
    monkeypatch.setattr(timezone, "now", lambda: before + timedelta(days=365))
    assert abs(database_now() - before) < timedelta(minutes=1)


def test_the_clock_goes_on_within_a_transaction() -> None:
    """The test runs in one transaction: the time is not that of its beginning."""
    first = database_now()
    later = (at for at in (database_now() for _ in range(100_000)) if at != first)
    assert next(later) > first


def test_the_clock_does_not_follow_the_sessions_time_zone() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL TIME ZONE 'Asia/Tehran'")
    assert abs(database_now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_clock_is_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        database_now()


def test_the_clock_knows_parts_of_a_second() -> None:
    seen = {database_now().microsecond for _ in range(1000)}
    assert seen != {0}
