"""A dump with its number. Whoever takes one holds the interface's host lock.

The numbers put dumps in order, whenever their books are kept: what a later one has counted, an
earlier one does not count again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from control.clock import database_now
from gateways.drivers import Station
from gateways.models import Interface
from quotas.models import CounterRun
from wireguard.host import boot_id
from wireguard.types import Dump


@dataclass(frozen=True)
class Reading:
    """A dump, its two numbers, and the life of the interface that its counters belong to."""

    dump: Dump
    number: int
    apply_seq: int
    at: datetime
    run: int


def take(interface: Interface, post: Station) -> Reading:
    """Read the interface, which is ours. Raises DriverError, TruncatedDump: then nothing counts."""
    dump = post.driver.read()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gateways_interface SET observed_seq = observed_seq + 1 WHERE id = %s"
            " RETURNING observed_seq, apply_seq",
            [interface.pk],
        )
        interface.observed_seq, interface.apply_seq = cursor.fetchone()
    at = database_now()
    run = run_of(interface, at=at)
    return Reading(dump, interface.observed_seq, interface.apply_seq, at, run)


def run_of(interface: Interface, *, at: datetime) -> int:
    """The life that the interface is in: of this boot of its host, with this stamp."""
    known = CounterRun.objects.filter(
        interface=interface, boot_id=boot_id(), stamp=interface.stamp
    ).values_list("pk", flat=True)
    found = known.first()
    if found is not None:
        return found
    made, _ = CounterRun.objects.get_or_create(
        interface=interface, boot_id=boot_id(), stamp=interface.stamp, defaults={"began_at": at}
    )
    return made.pk


def go_on(interface: Interface, *, stamp_before: str) -> None:
    """The interface's counters go on under another stamp: it is the same life, also for the dumps
    that are on their way to the books.
    """
    CounterRun.objects.filter(interface=interface, boot_id=boot_id(), stamp=stamp_before).update(
        stamp=interface.stamp
    )
