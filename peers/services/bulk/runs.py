"""Bulk runs: small ones are done in the request, large ones by a worker, batch after batch.

Every item's outcome is written in the transaction of its change. A run that was cut short is
taken up where its items end; two workers that meet at one wait for its row.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from audit.events import Target, record
from gateways.hints import Hint, publisher
from gateways.models import Job
from gateways.outbox import merge
from gateways.queries import CONTROL_QUEUE
from peers.models import BulkItem, BulkRun
from peers.services.bulk.acts import act_on_many
from peers.services.bulk.creates import create_many
from peers.services.bulk.entries import (
    ROLLED_BACK,
    Entry,
    Failure,
    Outcome,
    seal,
    unseal,
)
from peers.services.bulk.moves import move_many
from peers.services.bulk.single import NOT_OURS
from tenants.authority import renewed
from tenants.models import Tenant
from tenants.scoping import Caller

logger = logging.getLogger("vwg.bulk")

BULK_TASK: Final = "control.bulk"
#: What a bulk request needs when it is asked for, and before each batch.
BULK_SCOPE: Final = "clients:write"
#: Up to so many items are done while the caller waits.
AT_ONCE: Final = 100
BATCH: Final = 200
#: Where one may write at a time, a batch is what others wait for; they come in between. Whoever
#: waits for SQLite looks every 0.1 s: so nobody misses a pause.
BATCH_OF_ONE_WRITER: Final = 75
#: Moves are written one by one, and hold the pools of where they go: others take addresses there.
BATCH_OF_MOVES: Final = 50
PAUSE_S: Final = 0.1
#: A run that nobody began, or went on with, for so long lost its worker.
_LOST_AFTER, _STALLED_AFTER = timedelta(seconds=2), timedelta(seconds=15)
_WITHDRAWN: Final = Failure("authority_withdrawn", "Whoever asked for this may not do it any more.")
_BROKEN: Final = Failure("server_error", "Something went wrong. It has been logged.")


@dataclass(frozen=True)
class Started:
    """A run; ``outcomes`` when it is finished already."""

    run: BulkRun
    outcomes: list[Outcome] | None
    jobs: list[Job]


@transaction.atomic
def start(
    *,
    caller: Caller,
    action: str,
    entries: Sequence[Entry],
    at: datetime,
    all_or_nothing: bool = False,
    dry_run: bool = False,
) -> Started:
    """Do what is asked of each entry, or leave it to a worker where there are many.

    A small dry run leaves nothing behind, not even its own row.
    """
    run = BulkRun(
        tenant=caller.tenant,
        action=action,
        all_or_nothing=all_or_nothing,
        dry_run=dry_run,
        actor_name=caller.actor.name[:150],
        total=len(entries),
    )
    if len(entries) > AT_ONCE:
        run.request = seal(run.uuid, caller, entries)
        run.save()
        _note(run, caller)
        hint = Hint(BULK_TASK, CONTROL_QUEUE, "run_id", run.pk)
        transaction.on_commit(lambda: publisher.leave(hint), robust=True)
        return Started(run, None, [])
    outcomes, jobs = _carry_out(run, caller, entries, at)
    if not dry_run:
        run.save()
    run.created_at = run.started_at = at  # when it was asked for, not when its row was written
    _count(run, outcomes, timezone.now())
    if not dry_run:
        _keep(run, outcomes, jobs)
    return Started(run, outcomes, jobs)


def carry_on(*, run_id: int) -> None:
    """Go on with a run until it is finished, if nobody else does."""
    run = BulkRun.objects.select_related("tenant").filter(pk=run_id, finished_at=None).first()
    if run is None:
        return
    try:
        caller, entries = unseal(run.uuid, run.tenant, run.request)
        while _batch(run_id, caller, entries):
            if _one_writer():
                time.sleep(PAUSE_S)
    except NOT_OURS:
        raise  # the sweep comes again
    except Exception:
        logger.exception("bulk run %s", run.uuid)
        _give_up(run_id)


def overdue_runs(*, at: datetime) -> list[int]:
    """Runs that nobody works on: their hint was lost, or their worker."""
    lost = Q(started_at=None, created_at__lte=at - _LOST_AFTER)
    stalled = Q(started_at__lte=at - _STALLED_AFTER)
    return list(
        BulkRun.objects.filter(lost | stalled, finished_at=None).values_list("pk", flat=True)
    )


def hint_overdue(*, at: datetime) -> None:
    """Ring for the runs that nobody works on."""
    for run_id in overdue_runs(at=at):
        publisher.leave(Hint(BULK_TASK, CONTROL_QUEUE, "run_id", run_id))


def _batch(run_id: int, caller: Caller, entries: Sequence[Entry]) -> bool:
    """Do the next entries of a run in one transaction; False when none is left, or not for us."""
    at = timezone.now()
    with transaction.atomic():
        run = _locked(run_id)
        if run is None:
            return False
        done = set(run.items.values_list("index", flat=True))
        left = [entry for entry in entries if entry.index not in done]
        batch = left if run.all_or_nothing or run.dry_run else left[: _batch_size(run)]
        run.started_at = run.started_at or at
        now = renewed(caller, BULK_SCOPE, at=at)
        stopped = _stopped(now)
        if stopped is not None:  # with all that is left, so that it stays stopped
            batch = [replace(entry, failure=entry.failure or stopped) for entry in left]
        outcomes, jobs = _carry_out(run, now or caller, batch, at)
        _count(run, outcomes, timezone.now())
        _keep(run, outcomes, jobs)
    return run.finished_at is None


def _batch_size(run: BulkRun) -> int:
    most = BATCH_OF_MOVES if run.action == BulkRun.Action.MOVE else BATCH
    return min(most, BATCH_OF_ONE_WRITER) if _one_writer() else most


def _one_writer() -> bool:
    """Whether the database lets one write at a time (SQLite), instead of locking rows."""
    return not connection.features.has_select_for_update


def _stopped(caller: Caller | None) -> Failure | None:
    """Why nothing more is done: the run may be older than a suspension, or than its token's end."""
    if caller is None:
        return _WITHDRAWN
    status, home = caller.tenant.status, caller.tenant.sandbox_of
    if home is not None and home.status != Tenant.Status.ACTIVE:
        status = home.status
    if status == Tenant.Status.ACTIVE or caller.operator:
        return None
    return Failure(f"tenant_{status}", f"The tenant is {status}.")


def _locked(run_id: int) -> BulkRun | None:
    """The run, held until the end of the transaction; None when another worker holds it."""
    skip = connection.features.has_select_for_update_skip_locked
    rows = BulkRun.objects.select_for_update(skip_locked=skip, no_key=True)
    return rows.filter(pk=run_id, finished_at=None).first()


def _carry_out(
    run: BulkRun, caller: Caller, entries: Sequence[Entry], at: datetime
) -> tuple[list[Outcome], list[Job]]:
    """The outcomes in the order of the entries, and the jobs.

    What must not stay (a dry run, all or nothing) is rolled back here.
    """
    outcomes = [Outcome(entry, failure=entry.failure) for entry in entries if entry.failure]
    open_ones = [entry for entry in entries if entry.failure is None]
    with transaction.atomic():
        if run.action == BulkRun.Action.CREATE:
            found, jobs = create_many(caller=caller, entries=open_ones, at=at)
        elif run.action == BulkRun.Action.MOVE:
            found, jobs = move_many(caller=caller, entries=open_ones, at=at)
        else:
            found, jobs = act_on_many(caller=caller, action=run.action, entries=open_ones, at=at)
        outcomes += found
        spoilt = run.all_or_nothing and any(outcome.failure for outcome in outcomes)
        if spoilt or run.dry_run:
            transaction.set_rollback(True)
            outcomes = [_undone(run, outcome, spoilt=spoilt) for outcome in outcomes]
            jobs = []
        job = merge(jobs, kind=Job.Kind.BULK) if jobs else None
    return sorted(outcomes, key=lambda outcome: outcome.entry.index), [job] if job else []


def _undone(run: BulkRun, outcome: Outcome, *, spoilt: bool) -> Outcome:
    """The outcome after its change was rolled back: a client that was made is no more."""
    if run.action == BulkRun.Action.CREATE:
        outcome = replace(outcome, client=None)
    if spoilt and outcome.failure is None:
        return replace(outcome, failure=ROLLED_BACK)
    return outcome


def _count(run: BulkRun, outcomes: Sequence[Outcome], at: datetime) -> None:
    """Bring the run's figures up to date; with its last item it is finished."""
    run.done += len(outcomes)
    run.failed += sum(outcome.failure is not None for outcome in outcomes)
    run.status = BulkRun.Status.RUNNING
    if run.done >= run.total:
        run.status = BulkRun.Status.FAILED if run.failed else BulkRun.Status.SUCCEEDED
        run.finished_at = at
        run.request = ""  # nobody needs its secrets any more


def _keep(run: BulkRun, outcomes: Sequence[Outcome], jobs: Sequence[Job]) -> None:
    run.save()
    run.jobs.add(*jobs)
    BulkItem.objects.bulk_create(
        (
            BulkItem(
                run=run,
                index=outcome.entry.index,
                ref=outcome.entry.ref[:120],
                client=outcome.client,
                outcome=outcome.word,
                code=outcome.failure.code if outcome.failure else "",
                field=(outcome.failure.field or "")[:120] if outcome.failure else "",
                message=outcome.failure.message if outcome.failure else "",
            )
            for outcome in outcomes
        ),
        batch_size=500,
    )


@transaction.atomic
def _give_up(run_id: int) -> None:
    """End a run that cannot be carried out: what is not done has failed."""
    run = _locked(run_id)
    if run is None:
        return
    done = set(run.items.values_list("index", flat=True))
    left = [Entry(index) for index in range(run.total) if index not in done]
    outcomes = [Outcome(entry, failure=_BROKEN) for entry in left]
    _count(run, outcomes, timezone.now())
    _keep(run, outcomes, [])


def _note(run: BulkRun, caller: Caller) -> None:
    target = Target(type="bulk", id=str(run.uuid), name=run.action, tenant_id=run.tenant_id)
    after = {"action": run.action, "total": run.total, "dry_run": run.dry_run}
    record(actor=caller.actor, action="bulk.requested", target=target, after=after)
