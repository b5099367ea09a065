"""The verdict in Python and the one in SQL are the same, on random rows and on the edges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peers.models import Client
from quotas.models import Usage
from quotas.policies import EXPIRED, PLAN, QUOTA
from quotas.verdicts import THROTTLE, Terms, Used, conditions, verdict
from tenants.models import Tenant
from tests.make import make_client

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 27, 21, 6, 30, 250_000, tzinfo=UTC)
#: Around the moment, with and without fractions of a second, and far from it.
steps = st.sampled_from([0, 1, -1, 249_999, 250_000, 10**6, -(10**6), 86_400 * 10**6])
moments = st.none() | steps.flatmap(
    lambda step: st.integers(-3, 3).map(lambda n: AT + n * timedelta(microseconds=step))
)
bytes_ = st.integers(0, 5) | st.integers(0, 2**62 - 1)
limits = st.none() | st.integers(0, 10) | st.sampled_from([2**62, 2**63 - 1])
terms = st.builds(
    Terms,
    quota_bytes=limits,
    upload_quota_bytes=limits,
    download_quota_bytes=limits,
    at_limit=st.sampled_from(["disconnect", "throttle"]),
    starts_at=moments,
    start_before=moments,
    expires_at=moments,
    grace_seconds=st.sampled_from([0, 0, 1, 86_400, 366 * 86_400]),
)
usages = st.none() | st.builds(Used, up=bytes_, down=bytes_, extra=bytes_)
SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
rows = st.lists(st.tuples(terms, usages, bytes_), min_size=1, max_size=12)


def written(tenant: Tenant, one: Terms, used: Used | None, base: int) -> int:
    rate = 64 if one.at_limit == "throttle" else None
    client = make_client(tenant, throttle_kbit=rate, **vars(one))
    if used is not None:
        Usage.objects.create(
            client=client,
            tenant=tenant,
            billed_up=base + used.up,
            billed_down=base + used.down,
            base_up=base,
            base_down=base,
            extra_bytes=used.extra,
        )
    return client.pk


def judged(ids: list[int]) -> dict[int, tuple[frozenset[str], bool]]:
    """What the database says of them."""
    found = conditions(connection.vendor)
    words = [QUOTA, EXPIRED, PLAN, THROTTLE]
    columns = ", ".join(f"COALESCE({found[word]}, FALSE)" for word in words)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {columns} FROM peers_client c"  # noqa: S608  texts of the module
            " LEFT JOIN quotas_usage u ON u.client_id = c.id",
            {"at": connection.ops.adapt_datetimefield_value(AT)},
        )
        return {
            row[0]: (
                frozenset(word for word, holds in zip(words[:3], row[1:4], strict=True) if holds),
                bool(row[4]),
            )
            for row in cursor.fetchall()
            if row[0] in ids
        }


@settings(max_examples=40, deadline=None, suppress_health_check=SHARED)
@given(rows=rows)
def test_both_say_the_same(acme: Tenant, rows: list[tuple[Terms, Used | None, int]]) -> None:
    agree(acme, rows)


@pytest.mark.proof
@settings(max_examples=1000, deadline=None, suppress_health_check=SHARED)
@given(rows=rows)
def test_both_say_the_same_of_a_thousand(
    acme: Tenant, rows: list[tuple[Terms, Used | None, int]]
) -> None:
    agree(acme, rows)


def agree(acme: Tenant, rows: list[tuple[Terms, Used | None, int]]) -> None:
    Client.objects.all().delete()
    wanted = {}
    for one, used, base in rows:
        found = verdict(one, used or Used(), AT)
        wanted[written(acme, one, used, base)] = (found.holds, found.throttled)
    assert judged(list(wanted)) == wanted


@pytest.mark.parametrize(
    ("one", "used", "holds", "throttled"),
    [
        (Terms(quota_bytes=10), Used(5, 4), "", False),
        (Terms(quota_bytes=10), Used(5, 5), "quota", False),
        (Terms(quota_bytes=10), Used(5, 6, extra=2), "", False),
        (Terms(quota_bytes=10), Used(6, 6, extra=2), "quota", False),
        (Terms(upload_quota_bytes=5), Used(4, 99, extra=9), "", False),
        (Terms(upload_quota_bytes=5), Used(5, 0, extra=9), "quota", False),
        (Terms(download_quota_bytes=5), Used(99, 5), "quota", False),
        (Terms(quota_bytes=10, at_limit="throttle"), Used(10, 0), "", True),
        (Terms(expires_at=AT), Used(), "expired", False),
        (Terms(expires_at=AT, grace_seconds=1), Used(), "", False),
        (Terms(expires_at=AT - timedelta(seconds=1), grace_seconds=1), Used(), "expired", False),
        (Terms(starts_at=AT + timedelta(microseconds=1)), Used(), "plan", False),
        (Terms(starts_at=AT), Used(), "", False),
        (Terms(start_before=AT), Used(), "expired", False),
        (Terms(start_before=AT, starts_at=AT), Used(), "", False),
        (Terms(quota_bytes=0, expires_at=AT), Used(), "expired quota", False),
    ],
)
def test_what_follows(acme: Tenant, one: Terms, used: Used, holds: str, throttled: bool) -> None:
    found = verdict(one, used, AT)
    assert (found.holds, found.throttled) == (frozenset(holds.split()), throttled)
    pk = written(acme, one, used, 7)
    assert judged([pk]) == {pk: (found.holds, found.throttled)}
