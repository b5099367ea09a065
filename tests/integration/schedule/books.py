"""Meters, segments and buckets made by hand, and sums that must not change."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Sum

from gateways.models import Interface
from quotas.models import LedgerSegment, Meter, UsageBucket
from tenants.models import Tenant

QUARTER = timedelta(minutes=15)
NAMES = ("raw_up", "raw_down", "billed_up", "billed_down")
#: Whose sums, and of which time: a device, a client and a tenant have theirs.
Sums = dict[tuple[str, int | uuid.UUID, str], int]


def quarter(text: str) -> datetime:
    """A quarter of an hour by its beginning, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_meter(tenant: Tenant, interface: Interface, *, client: uuid.UUID | None = None) -> Meter:
    return Meter.objects.create(
        tenant=tenant, interface=interface, client_uuid=client or uuid.uuid4()
    )


def make_segment(
    meter: Meter, at: datetime, *, up: int = 10, down: int = 20, start: int = 0, **fields: object
) -> LedgerSegment:
    """A segment whose counters begin at ``start``; half of its bytes are billed."""
    values = {
        "incarnation": 1,
        "interface_id": meter.interface_id,
        "tenant_id": meter.tenant_id,
        "billed_up": up // 2,
        "billed_down": down // 2,
        **fields,
    }
    return LedgerSegment.objects.create(
        meter=meter, quarter=at, from_rx=start, to_rx=start + up, from_tx=start,
        to_tx=start + down, sampled_at=at, **values,
    )  # fmt: skip


def bucket(
    meter: Meter, at: datetime, seconds: int = 900, *, up: int = 10, down: int = 20
) -> UsageBucket:
    return UsageBucket(
        meter=meter, tenant_id=meter.tenant_id, interface_id=meter.interface_id or 0,
        begins_at=at, seconds=seconds, raw_up=up, raw_down=down, billed_up=up // 2,
        billed_down=down // 2,
    )  # fmt: skip


def sums() -> Sums:
    """All bytes: those of the buckets, and of the segments that stand in none."""
    found: Sums = Counter()
    buckets = UsageBucket.objects.values("meter", "meter__client_uuid", "tenant").annotate(
        **{f"sum_{name}": Sum(name) for name in NAMES}
    )
    segments = (
        LedgerSegment.objects.filter(rolled_up=False)
        .values("meter", "meter__client_uuid", "tenant")
        .annotate(
            sum_raw_up=Sum(F("to_rx") - F("from_rx")),
            sum_raw_down=Sum(F("to_tx") - F("from_tx")),
            sum_billed_up=Sum("billed_up"),
            sum_billed_down=Sum("billed_down"),
        )
    )
    every: Any = [*buckets, *segments]
    for row in every:
        for whose, column in (
            ("device", "meter"),
            ("client", "meter__client_uuid"),
            ("tenant", "tenant"),
        ):
            for name in NAMES:
                found[whose, row[column], name] += row[f"sum_{name}"]
    return dict(found)


def lengths(rows: Iterable[UsageBucket] | None = None) -> Counter[int]:
    """How many buckets there are of each length."""
    every = UsageBucket.objects.all() if rows is None else rows
    return Counter(one.seconds for one in every)
