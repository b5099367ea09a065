"""Proving the ledger on a system in service: nothing lost, nothing twice, nothing torn.

Each check is one statement over all there is, and so one moment of the database. What the
interfaces of this host show is compared last: since the meters were read, it can only have risen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from django.db import connection
from django.db.models import F, Q

from audit.models import AuditEvent
from gateways.drivers import station
from gateways.models import Gateway, Interface
from quotas.models import CounterRun, LedgerSegment, Meter, TenantUsage, Usage, UsageBucket
from wireguard.errors import WireGuardError
from wireguard.host import boot_id

_LOCK_TIMEOUT_S: Final = 10.0
_SUMS: Final = ("raw_up", "raw_down", "billed_up", "billed_down")
#: What stands in segments and in no bucket yet, and what stands in buckets: by device or tenant.
_PARTS: Final = """
    SELECT {by}, to_rx - from_rx AS raw_up, to_tx - from_tx AS raw_down, billed_up, billed_down
    FROM quotas_ledgersegment WHERE NOT rolled_up
    UNION ALL
    SELECT {by}, raw_up, raw_down, billed_up, billed_down FROM quotas_usagebucket
"""
_TORN: Final = """
    SELECT id FROM (
        SELECT id, from_rx, from_tx,
            LAG(to_rx) OVER span AS rx, LAG(to_tx) OVER span AS tx
        FROM quotas_ledgersegment
        WINDOW span AS (PARTITION BY meter_id, incarnation ORDER BY quarter, id)
    ) AS walked
    WHERE rx <> from_rx OR tx <> from_tx ORDER BY id
"""
_AHEAD: Final = """
    SELECT s.id FROM quotas_ledgersegment s JOIN quotas_meter m
        ON m.id = s.meter_id AND m.incarnation = s.incarnation AND m.run_id IS NOT NULL
    WHERE NOT EXISTS (
        SELECT 1 FROM quotas_ledgersegment later
        WHERE later.meter_id = s.meter_id AND later.incarnation = s.incarnation
            AND (later.quarter, later.id) > (s.quarter, s.id)
    ) AND (s.to_rx <> m.rx OR s.to_tx <> m.tx) ORDER BY s.id
"""


@dataclass
class Check:
    """One thing that must hold: how many were looked at, and which of them break it."""

    what: str
    looked_at: int
    violations: list[str] = field(default_factory=list)


def audit() -> Iterator[Check]:
    """Every check, in the order of their cost."""
    segments = LedgerSegment.objects.count()
    yield Check("segments begin where the one before ended", segments, _named("segment", _TORN))
    opened = Meter.objects.filter(run__isnull=False).count()
    yield Check("the last segment ends where its meter stands", opened, _named("segment", _AHEAD))
    buckets = UsageBucket.objects.count()
    parts = f"{segments} segments and {buckets} buckets"
    yield Check(
        f"{parts} add up to the meters",
        Meter.objects.count(),
        _different("quotas_meter", "id", _PARTS.format(by="meter_id"), "meter_id", "meter"),
    )
    meters = "SELECT * FROM quotas_meter WHERE client_id IS NOT NULL"
    yield Check(
        "meters add up to the clients' usage",
        Usage.objects.count(),
        _different("quotas_usage", "client_id", meters, "client_id", "client"),
    )
    yield Check(
        f"{parts} add up to the tenants' usage",
        TenantUsage.objects.count(),
        _different(
            "quotas_tenantusage", "tenant_id", _PARTS.format(by="tenant_id"), "tenant_id", "tenant"
        ),
    )
    yield _billed()
    for interface in Interface.objects.filter(simulated=False).select_related("gateway"):
        yield _live(interface)


def _named(noun: str, statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [f"{noun} {pk}" for (pk,) in cursor.fetchall()]


def _different(table: str, key: str, parts: str, by: str, noun: str) -> list[str]:
    """Rows whose sums are not those of their parts; also parts without a row."""
    sums = ", ".join(f"SUM({name}) AS {name}" for name in _SUMS)
    shown = ", ".join(f"COALESCE(t.{name}, 0), COALESCE(p.{name}, 0)" for name in _SUMS)
    differs = " OR ".join(f"COALESCE(t.{name}, 0) <> COALESCE(p.{name}, 0)" for name in _SUMS)
    summed = f"SELECT {by}, {sums} FROM ({parts}) AS single GROUP BY {by}"  # noqa: S608
    statement = (
        f"SELECT COALESCE(t.{key}, p.{by}), {shown} FROM {table} t"  # noqa: S608  names of this file
        f" FULL JOIN ({summed}) p ON p.{by} = t.{key} WHERE {differs} ORDER BY 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall()
    return [
        f"{noun} {pk}: "
        + ", ".join(
            f"{name} {int(total)} and not {int(part)}"
            for name, total, part in zip(_SUMS, values[::2], values[1::2], strict=True)
            if total != part
        )
        for pk, *values in rows
    ]


def _billed() -> Check:
    """Where a gateway was never anything but 100 %, nothing is billed that was not counted."""
    told = AuditEvent.objects.filter(target_type="gateway", after__usage_percent__isnull=False)
    plain = Gateway.objects.filter(usage_percent=100).exclude(
        uuid__in=[event.target_id for event in told]
    )
    interfaces = Interface.objects.filter(gateway__in=plain).values("pk")
    rows = LedgerSegment.objects.filter(interface_id__in=interfaces)
    over = rows.filter(
        Q(billed_up__gt=F("to_rx") - F("from_rx")) | Q(billed_down__gt=F("to_tx") - F("from_tx"))
    )
    found = [f"segment {pk}" for pk in over.order_by("pk").values_list("pk", flat=True)]
    return Check("no more is billed than was counted", rows.count(), found)


def _live(interface: Interface) -> Check:
    """What the interface shows now is not less than what was counted in this life of it."""
    name = f"{interface.gateway.slug}/{interface.name}"
    post = station(interface)
    try:
        with post.lock(timeout_s=_LOCK_TIMEOUT_S):
            run = CounterRun.objects.filter(
                interface=interface, boot_id=boot_id(), stamp=post.look().stamp
            )
            rows = list(
                Meter.objects.filter(run__in=run, peer__isnull=False).values_list(
                    "peer__applied_key", "peer__public_key", "rx", "tx"
                )
            )
            running = post.driver.read().peers
    except WireGuardError as error:
        return Check(f"{name} is not read here ({error})", 0)
    check = Check(f"{name} shows at least what was counted", 0)
    for applied, public, rx, tx in rows:
        status = running.get(applied or public)
        if status is not None:
            check.looked_at += 1
            if status.rx_bytes < rx or status.tx_bytes < tx:
                check.violations.append(f"peer {status.public_key}")
    return check
