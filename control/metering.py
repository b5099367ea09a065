"""Keeping the ledger: samples become meters, segments and totals, in transactions of 1,000.

What one sample says is judged in `quotas.metering`. Here it is written: each meter by
compare-and-swap, so that of two who count the same sample one writes and the other finds it
counted; its segment; the client's and the tenant's totals; and the verdicts on who moved.
Everything of a part is written, or nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final

from django.db import connection, transaction

from control.many import Update, Upsert, db_time, persist
from control.meters import Standing, ensure, load
from control.reading import Reading
from control.samples import Take
from control.totals import add_to_clients, add_to_tenants
from gateways.models import Interface
from peers.services.verdicts import judge as judge_clients
from quotas.metering import QUARTER_S, Flag, Refusal, Sample, Step, judge, quarter_of, take_over

#: Meters of one transaction.
PART: Final = 1000
#: How often a part is judged anew when somebody else wrote one of its meters meanwhile.
_TRIES: Final = 10


@dataclass(frozen=True)
class Entry:
    """A step of one meter, to be written."""

    meter: Standing
    sample: Sample
    step: Step
    billing: bool
    flags: Flag
    at: datetime


class _Outrun(Exception):
    """Somebody else wrote one of these meters."""


class _RolledUp(Exception):
    """A quarter of an hour stands in a bucket already: its segments are not written any more."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        #: The latest moment that was to be written: by a clock that was set back it lies ahead.
        self.at = at


_METER: Final = Update(
    "quotas_meter",
    "run_id = {run}, incarnation = {incarnation}, rx = {rx}, tx = {tx}, seq = {seq},"
    " sampled_at = {at}, billing = {billing}, rest_up = {rest_up}, rest_down = {rest_down},"
    " interface_id = {interface}, raw_up = raw_up + {up}, raw_down = raw_down + {down},"
    " billed_up = billed_up + {billed_up}, billed_down = billed_down + {billed_down}",
    "id = {meter} AND seq = {seq0} AND rx = {rx0} AND tx = {tx0} AND incarnation = {incarnation0}"
    " AND tenant_id = {tenant}",
    {
        "run": "bigint", "incarnation": "bigint", "rx": "bigint", "tx": "bigint", "seq": "bigint",
        "at": "timestamptz", "billing": "bool", "rest_up": "smallint", "rest_down": "smallint",
        "interface": "bigint", "up": "bigint", "down": "bigint", "billed_up": "bigint",
        "billed_down": "bigint", "meter": "bigint", "seq0": "bigint", "rx0": "bigint",
        "tx0": "bigint", "incarnation0": "bigint", "tenant": "bigint",
    },
)  # fmt: skip
_SEGMENT: Final = Upsert(
    "quotas_ledgersegment",
    ("meter_id", "incarnation", "quarter", "tenant_id"),
    "to_rx = EXCLUDED.to_rx, to_tx = EXCLUDED.to_tx, sampled_at = EXCLUDED.sampled_at,"
    " billed_up = quotas_ledgersegment.billed_up + EXCLUDED.billed_up,"
    " billed_down = quotas_ledgersegment.billed_down + EXCLUDED.billed_down,"
    " flags = quotas_ledgersegment.flags | EXCLUDED.flags",
    # Contiguous, and never rewritten once it stands in a bucket.
    "NOT quotas_ledgersegment.rolled_up AND quotas_ledgersegment.to_rx = EXCLUDED.from_rx"
    " AND quotas_ledgersegment.to_tx = EXCLUDED.from_tx",
    {
        "meter_id": "bigint", "tenant_id": "bigint", "interface_id": "bigint",
        "incarnation": "int", "quarter": "timestamptz", "from_rx": "bigint", "to_rx": "bigint",
        "from_tx": "bigint", "to_tx": "bigint", "billed_up": "bigint", "billed_down": "bigint",
        "flags": "smallint", "sampled_at": "timestamptz", "rolled_up": "bool",
    },
)  # fmt: skip


def account(interface: Interface, reading: Reading, takes: Iterable[Take]) -> int:
    """Count these samples of a dump; returns the number of meters written.

    Safe to run twice, late and side by side. Each part is a transaction of its own, which is
    tried again when a deadlock undid it.
    """
    parts = _parts(takes)
    return sum(persist(partial(_account, interface, reading, part)) for part in parts)


def _parts(takes: Iterable[Take]) -> Iterator[list[Take]]:
    remaining = iter(takes)
    while part := list(islice(remaining, PART)):
        yield part


def _account(interface: Interface, reading: Reading, takes: Sequence[Take]) -> int:
    """One part. What somebody else wrote meanwhile is judged anew, by what is there now."""
    at = reading.at
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                entries = _judge(interface, reading, takes, at)
                _write(interface, reading, entries, at)
                return len(entries)
        except _Outrun:
            continue
        except _RolledUp as late:
            at = quarter_of(late.at) + timedelta(seconds=QUARTER_S)
    raise RuntimeError(f"the meters of interface {interface.name} do not hold still")


def _judge(
    interface: Interface, reading: Reading, takes: Sequence[Take], at: datetime
) -> list[Entry]:
    """What these samples change; those that are counted already, or add nothing, are left out."""
    meters = load([one.peer_id for one in takes])
    new = [one for one in takes if one.peer_id not in meters]
    if new:
        ensure([one.peer_id for one in new], off={one.peer_id for one in new if one.off})
        meters |= load([one.peer_id for one in new])
    percent = interface.gateway.usage_percent
    entries = []
    for one in takes:
        meter = meters.get(one.peer_id)
        if meter is None:  # its row is gone
            continue
        sample = Sample(reading.run, reading.number, one.rx, one.tx)
        cursor = meter.cursor
        found = (
            take_over(cursor, sample) if one.takes_over else judge(cursor, sample, percent=percent)
        )
        billing = cursor.billing if one.billing is None else one.billing
        if isinstance(found, Refusal):
            continue
        if not (found.moved or one.takes_over or billing != cursor.billing):
            continue
        when = at if meter.sampled_at is None else max(at, meter.sampled_at)
        entries.append(Entry(meter, sample, found, billing, found.flags | one.flags, when))
    return entries


def _write(interface: Interface, reading: Reading, entries: Sequence[Entry], at: datetime) -> None:
    """In the order in which everybody locks: clients' totals, meters, segments, tenants' totals."""
    if not entries:
        return
    clients: defaultdict[int, list[Step]] = defaultdict(list)
    tenants: defaultdict[int, list[Step]] = defaultdict(list)
    tenant_of: dict[int, int] = {}
    for one in entries:
        if one.step.moved:
            clients[one.meter.client_id].append(one.step)
            tenants[one.meter.tenant_id].append(one.step)
            tenant_of[one.meter.client_id] = one.meter.tenant_id
    segments = [one for one in entries if one.step.moved or one.step.flags]
    with connection.cursor() as cursor:
        add_to_clients(cursor, clients, tenant_of)
        if _METER.run(cursor, [_meter(interface, one) for one in entries]) < len(entries):
            raise _Outrun
        if _SEGMENT.run(cursor, [_segment(interface, one) for one in segments]) < len(segments):
            raise _RolledUp(max(one.at for one in segments))
        if clients:
            judge_clients(client_ids=clients.keys(), at=at)
        add_to_tenants(cursor, tenants)


def _meter(interface: Interface, one: Entry) -> tuple[Any, ...]:
    step, sample, before = one.step, one.sample, one.meter.cursor
    return (
        sample.run, step.incarnation, sample.rx, sample.tx, sample.seq, db_time(one.at),
        one.billing, step.rest_up, step.rest_down, interface.pk, step.up, step.down,
        step.billed_up, step.billed_down, one.meter.id, before.seq, before.rx, before.tx,
        before.incarnation, one.meter.tenant_id,
    )  # fmt: skip


def _segment(interface: Interface, one: Entry) -> tuple[Any, ...]:
    step = one.step
    return (
        one.meter.id, one.meter.tenant_id, interface.pk, step.incarnation,
        db_time(quarter_of(one.at)), step.from_rx, step.to_rx, step.from_tx, step.to_tx,
        step.billed_up, step.billed_down, int(one.flags), db_time(one.at), False,
    )  # fmt: skip
