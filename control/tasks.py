"""Celery's door bells. Each takes ids, makes one call, and survives a caller of the next release.

`control.*` without an interface run on the queue `control`; those with one run on the queue of
the interface's gateway, by a worker on its host.
"""

from __future__ import annotations

from celery import current_app, shared_task
from django.utils import timezone

from control import apply as applying
from control import bootfile, claims, heartbeat, observe, pruning
from gateways import outbox
from gateways.hints import publisher
from gateways.models import Interface
from gateways.queries import CONTROL_QUEUE
from peers.services import due
from peers.services.bulk import runs
from resellers.services import erasure, suspension


@shared_task(name="control.apply")
def apply(*, interface_id: int, **_: object) -> None:
    """Apply what is open on one interface."""
    applying.apply_interface(interface_id=interface_id)


@shared_task(name="control.observe")
def observe_one(*, interface_id: int, **_: object) -> None:
    """Read one interface and keep the books."""
    observe.observe_interface(interface_id=interface_id)


@shared_task(name="control.write_boot_file")
def write_boot_file(*, interface_id: int, **_: object) -> None:
    """Bring one boot file up to its rows."""
    rows = Interface.objects.select_related("gateway")
    bootfile.write(rows.get(pk=interface_id, simulated=False))


@shared_task(name=runs.BULK_TASK)
def bulk(*, run_id: int, **_: object) -> None:
    """Go on with a bulk run."""
    runs.carry_on(run_id=run_id)


@shared_task(name="control.sweep")
def sweep(**_: object) -> None:
    """Ring for open items and bulk runs whose hint was lost, and for boot files that are behind."""
    at = timezone.now()
    outbox.ring(claims.overdue_interfaces(at=at))
    runs.hint_overdue(at=at)
    _fan_out("control.write_boot_file", seconds=5, pk__in=claims.stale_boot_files(at=at))


@shared_task(name="control.follow_tenants")
def follow_tenants(**_: object) -> None:
    """Go on with what was decided of tenants; between the slices the sweep has its turn."""
    at = timezone.now()
    more = suspension.follow_tenants(at=at, seconds=1.0)
    if more or erasure.follow_erasures(at=at, seconds=1.0):
        publisher.call(task=suspension.TASK, queue=CONTROL_QUEUE)


@shared_task(name="control.close_due_holds")
def close_due_holds(**_: object) -> None:
    """Let go clients that were held for a time that is over."""
    due.close_due_holds(at=timezone.now())


@shared_task(name="control.purge")
def purge(**_: object) -> None:
    """Destroy what was deleted so long ago that nobody can bring it back."""
    pruning.purge(at=timezone.now(), seconds=2)


@shared_task(name="control.find_strays")
def find_strays(**_: object) -> None:
    """Look for clients that do not agree with their tenant's status."""
    suspension.find_strays(at=timezone.now())


@shared_task(name="control.observe_all")
def observe_all(**_: object) -> None:
    """Have every enabled interface read by its gateway's worker."""
    _fan_out("control.observe", seconds=10, enabled=True)


def _fan_out(task: str, *, seconds: float, **filters: object) -> None:
    rows = Interface.objects.filter(simulated=False, **filters)
    for interface_id, slug in rows.values_list("pk", "gateway__slug"):
        current_app.send_task(
            task,
            kwargs={"interface_id": interface_id},
            queue=f"gateway.{slug}",
            expires=seconds,
        )


@shared_task(name="control.send_canaries")
def send_canaries(**_: object) -> None:
    """Send a canary through every queue; who does not answer is deaf."""
    for queue in heartbeat.queues():
        current_app.send_task("control.canary", kwargs={"queue": queue}, queue=queue, expires=30)


@shared_task(name="control.canary")
def canary(*, queue: str, **_: object) -> None:
    """Answer for a queue."""
    heartbeat.beat(queue=queue, at=timezone.now())


@shared_task(name="control.prune")
def prune(**_: object) -> None:
    """Drop what nobody asks for any more."""
    pruning.prune(at=timezone.now(), seconds=5)
