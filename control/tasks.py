"""Celery's door bells. Each takes ids, makes one call, and survives a caller of the next release.

`control.*` without an interface run on the queue `control`; those with one run on the queue of
the interface's gateway, by a worker on its host. What the schedule calls is recorded, with what it
counted (control.scheduling).
"""

from __future__ import annotations

from celery import current_app, shared_task
from django.utils import timezone

from control import apply as applying
from control import (
    bootfile,
    claims,
    cutoff,
    ending,
    folding,
    heartbeat,
    nearing,
    observe,
    pruning,
    rollup,
    scheduling,
    sessions,
    waking,
)
from control.clock import database_now
from control.scheduling import Counts, Missed, scheduled
from gateways import outbox, schedule
from gateways.drivers import station
from gateways.hints import RELAX_TASK, publisher
from gateways.models import Interface
from gateways.queries import CONTROL_QUEUE
from gateways.services.wake import WAKE_TASK
from peers.services import due, warnings
from peers.services.bulk import runs
from resellers.services import erasure, following, pools


@shared_task(name="control.apply")
def apply(*, interface_id: int, **_: object) -> None:
    """Apply what is open on one interface."""
    applying.apply_interface(interface_id=interface_id)


@shared_task(name="control.observe")
def observe_one(*, interface_id: int, **_: object) -> None:
    """Read one interface and keep the books."""
    rows = Interface.objects.filter(pk=interface_id).values_list("gateway__slug", "name")
    with scheduling.recorded(schedule.observation(*rows.get())) as run:
        found = observe.observe_interface(interface_id=interface_id)
        if found is None:
            raise Missed("the interface could not be read; its own state says why")
        run.counts = {"drift": sum(found.drift.counts().values())}


@shared_task(name="control.watch")
def watch(*, interface_id: int, **_: object) -> None:
    """Read one interface at once if its kernel has cut somebody off."""
    rows = Interface.objects.select_related("gateway")
    interface = rows.get(pk=interface_id, simulated=False)
    if cutoff.has_cut(interface, station(interface)):
        observe_one(interface_id=interface_id)


@shared_task(name=RELAX_TASK)
def relax_cutoff(*, interface_id: int, **_: object) -> None:
    """Let go clients of one interface that have more left than before."""
    rows = Interface.objects.select_related("gateway")
    interface = rows.get(pk=interface_id, simulated=False)
    cutoff.relax(interface, station(interface))


@shared_task(name="control.write_boot_file")
def write_boot_file(*, interface_id: int, **_: object) -> None:
    """Bring one boot file up to its rows."""
    rows = Interface.objects.select_related("gateway")
    bootfile.write(rows.get(pk=interface_id, simulated=False))


@shared_task(name=WAKE_TASK)
def wake(*, host_id: int, **_: object) -> None:
    """Send the packet that wakes a machine."""
    waking.wake_one(host_id=host_id, at=timezone.now())


@shared_task(name=runs.BULK_TASK)
def bulk(*, run_id: int, **_: object) -> None:
    """Go on with a bulk run."""
    runs.carry_on(run_id=run_id)


@shared_task(name="control.sweep")
@scheduled("sweep")
def sweep(**_: object) -> Counts:
    """Ring for open items and bulk runs whose hint was lost, and for boot files that are behind."""
    at = timezone.now()
    late = claims.overdue_interfaces(at=at)
    outbox.ring(late)
    runs.hint_overdue(at=at)
    waking.wake_overdue(at=at)
    files = _fan_out("control.write_boot_file", seconds=5, pk__in=claims.stale_boot_files(at=at))
    near = nearing.due(at=database_now())
    looks = _fan_out("control.observe", seconds=2, pk__in=near.looks)
    watches = _fan_out("control.watch", seconds=2, pk__in=near.watches)
    return {"interfaces": len(late), "boot_files": files, "looks": looks, "watches": watches}


@shared_task(name="control.follow_tenants")
@scheduled("follow")
def follow_tenants(**_: object) -> Counts:
    """Go on with what was decided of tenants; between the slices the sweep has its turn."""
    at = timezone.now()
    more = following.follow_tenants(at=at, seconds=1.0)
    more = more or erasure.follow_erasures(at=at, seconds=1.0)
    if more:
        publisher.call(task=following.TASK, queue=CONTROL_QUEUE)
    return {"unfinished": int(more)}


@shared_task(name="control.settle_pools")
@scheduled("pools")
def settle_pools(**_: object) -> Counts:
    """Begin tenants' periods that are due; stop those whose pool is used up, let others go on."""
    return pools.settle_pools(at=database_now())


@shared_task(name="control.warn")
@scheduled("warnings")
def warn(**_: object) -> Counts:
    """Tell of clients and pools whose bytes or days run out."""
    at = database_now()
    return warnings.warn_clients(at=at) | {"pools": pools.warn_pools(at=at)}


@shared_task(name="control.close_due_holds")
@scheduled("due")
def close_due_holds(**_: object) -> Counts:
    """Let go clients that were held for a time that is over."""
    return due.close_due_holds(at=timezone.now())


@shared_task(name="control.end_due")
@scheduled("ends")
def end_due(**_: object) -> Counts:
    """Renew, end and reset the clients whose time has come."""
    return ending.end_due()


@shared_task(name="control.check_all")
@scheduled("limits")
def check_all(**_: object) -> Counts:
    """Judge everybody by his limits, for what nothing else led to."""
    return ending.check_all()


@shared_task(name="control.purge")
@scheduled("purge")
def purge(**_: object) -> Counts:
    """Destroy what was deleted so long ago that nobody can bring it back."""
    return pruning.purge(at=timezone.now(), seconds=2)


@shared_task(name="control.find_strays")
@scheduled("strays")
def find_strays(**_: object) -> Counts:
    """Look for clients that do not agree with their tenant's status."""
    return following.find_strays(at=timezone.now())


@shared_task(name="control.observe_all")
@scheduled("observe")
def observe_all(**_: object) -> Counts:
    """Have every enabled interface read by its gateway's worker."""
    return _fan_out("control.observe", seconds=10, enabled=True)


def _fan_out(task: str, *, seconds: float, **filters: object) -> int:
    rows = Interface.objects.filter(simulated=False, **filters).values_list("pk", "gateway__slug")
    for interface_id, slug in rows:
        current_app.send_task(
            task,
            kwargs={"interface_id": interface_id},
            queue=f"gateway.{slug}",
            expires=seconds,
        )
    return len(rows)


@shared_task(name="control.send_canaries")
@scheduled("canary")
def send_canaries(**_: object) -> Counts:
    """Send a canary through every queue; who does not answer is deaf."""
    scheduling.expect()
    queues = heartbeat.queues()
    for queue in queues:
        current_app.send_task("control.canary", kwargs={"queue": queue}, queue=queue, expires=30)
    return len(queues)


@shared_task(name="control.canary")
def canary(*, queue: str, **_: object) -> None:
    """Answer for a queue."""
    heartbeat.beat(queue=queue, at=timezone.now())


@shared_task(name="control.prune")
@scheduled("prune")
def prune(**_: object) -> Counts:
    """Drop what nobody asks for any more."""
    return pruning.prune(at=timezone.now(), seconds=5)


@shared_task(name="control.roll_up")
@scheduled("rollup")
def roll_up(**_: object) -> Counts:
    """Add the quarters of an hour that are over to what charts and statements are made of."""
    return rollup.roll_up(at=database_now(), seconds=60)


@shared_task(name="control.fold")
@scheduled("fold")
def fold(**_: object) -> Counts:
    """Fold old quarters into days and old days into months; drop what is kept no longer."""
    return folding.fold(at=database_now(), seconds=60)


@shared_task(name="control.end_sessions")
@scheduled("sessions")
def end_sessions(**_: object) -> Counts:
    """End the sessions of devices that no dump shows any more."""
    return sessions.end_forgotten()
