"""What became of a tenant's changes: requests for many clients, and the jobs that bring changes to
the gateways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import OuterRef, Subquery, Sum
from django.utils.translation import gettext, ngettext

from gateways.models import Job, JobItem
from gateways.queries import items_of
from peers.bulk_queries import own_client, visible_items, visible_runs
from peers.models import BulkItem, BulkRun
from peers.queries import visible_clients
from portal import formats
from portal.status.rows import JobRow
from portal.status.wording import job_row
from tenants.scoping import Caller, visible

PAGE: Final = 100
LISTED: Final = 30


@dataclass(frozen=True)
class Result:
    """What became of one client or device; ``url`` where there is a page of it."""

    name: str
    url: str
    glyph: str
    words: str
    reason: str


@dataclass(frozen=True)
class Task:
    """A run or a job as its page shows it. ``sent`` and ``wanted``: what of a run is live."""

    uuid: UUID
    title: str
    by: str
    total: int
    done: int
    failed: int
    is_open: bool
    sent: int
    wanted: int
    refused: int
    is_run: bool
    act: str
    created_at: datetime
    took: float | None
    message: str

    @property
    def worked(self) -> int:
        return self.done - self.failed

    @property
    def is_live(self) -> bool:
        """Whether the gateways have all that it changed."""
        return self.sent >= self.wanted

    @property
    def goes_on(self) -> bool:
        """Whether its page has to ask again."""
        return self.is_open or not self.is_live


def find_task(caller: Caller, uuid: UUID) -> tuple[Task, BulkRun | Job] | None:
    """The tenant's run or job of this id; None for another tenant's as for none."""
    run = visible_runs(caller).filter(uuid=uuid).first()
    if run is not None:
        return _of_run(run), run
    job = visible(Job.objects.all(), caller).filter(uuid=uuid).first()
    return None if job is None else (_of_job(job), job)


def _of_run(run: BulkRun) -> Task:
    sums = run.jobs.aggregate(total=Sum("total"), done=Sum("done"), failed=Sum("failed"))
    return Task(
        uuid=run.uuid,
        title=run_title(run),
        by=run.actor_name or "vwg",
        total=run.total,
        done=run.done,
        failed=run.failed,
        is_open=run.finished_at is None,
        sent=sums["done"] or 0,
        wanted=sums["total"] or 0,
        refused=sums["failed"] or 0,
        is_run=True,
        act=_ACT_OF.get(run.action, ""),
        created_at=run.created_at,
        took=_took(run),
        message="",
    )


def _of_job(job: Job) -> Task:
    row = job_row(job, "", "", job.finished_at or job.created_at)
    return Task(
        uuid=job.uuid,
        title=row.title,
        by=row.by,
        total=job.total,
        done=job.done,
        failed=job.failed,
        is_open=job.finished_at is None,
        sent=0,
        wanted=0,
        refused=0,
        is_run=False,
        act="",
        created_at=job.created_at,
        took=_took(job),
        message=job.message,
    )


#: Acts whose failed entries can be chosen again, by the action of their run.
_ACT_OF: Final[dict[str, str]] = {
    BulkRun.Action.ENABLE: "enable",
    BulkRun.Action.DISABLE: "disable",
    BulkRun.Action.DELETE: "delete",
    BulkRun.Action.EXTEND: "extend",
    BulkRun.Action.TOP_UP: "top-up",
    BulkRun.Action.MOVE: "move",
}


def _took(row: BulkRun | Job) -> float | None:
    if row.finished_at is None:
        return None
    return max(0.0, (row.finished_at - row.created_at).total_seconds())


def run_title(run: BulkRun) -> str:
    """What a run does, in words."""
    titles = {
        BulkRun.Action.CREATE: ngettext("Create %s client", "Create %s clients", run.total),
        BulkRun.Action.UPDATE: ngettext("Change %s client", "Change %s clients", run.total),
        BulkRun.Action.ENABLE: ngettext("Switch on %s client", "Switch on %s clients", run.total),
        BulkRun.Action.DISABLE: ngettext(
            "Switch off %s client", "Switch off %s clients", run.total
        ),
        BulkRun.Action.DELETE: ngettext("Delete %s client", "Delete %s clients", run.total),
        BulkRun.Action.EXTEND: ngettext("Extend %s client", "Extend %s clients", run.total),
        BulkRun.Action.TOP_UP: ngettext("Top up %s client", "Top up %s clients", run.total),
        BulkRun.Action.MOVE: ngettext("Move %s client", "Move %s clients", run.total),
        BulkRun.Action.RESET: ngettext(
            "Begin the period of %s client anew", "Begin the period of %s clients anew", run.total
        ),
    }
    return titles[BulkRun.Action(run.action)] % formats.number(run.total)


def results(
    caller: Caller, row: BulkRun | Job, *, failed: bool, after: int = -1
) -> tuple[list[Result], int]:
    """A page of what became of each, from the one after; and the last one's place, -1 at the end.

    ``failed``: only of those that did not work.
    """
    if isinstance(row, BulkRun):
        return _run_results(caller, row, failed, after)
    items = items_of(row)
    if failed:
        items = items.filter(status=JobItem.Status.FAILED)
    found = list(items.filter(pk__gt=after)[: PAGE + 1])
    page = [_job_result(caller, item) for item in found[:PAGE]]
    return page, found[PAGE - 1].pk if len(found) > PAGE else -1


def _run_results(
    caller: Caller, run: BulkRun, failed: bool, after: int
) -> tuple[list[Result], int]:
    items = visible_items(caller, run).order_by("index")
    if failed:
        items = items.filter(outcome="failed")
    found = list(items.filter(index__gt=after)[: PAGE + 1])
    names = _names(caller, found)
    page = [_run_result(caller, item, names) for item in found[:PAGE]]
    return page, found[PAGE - 1].index if len(found) > PAGE else -1


def _names(caller: Caller, items: Sequence[BulkItem]) -> dict[str, str]:
    """Of those that failed the client is only named; its name, as long as it is the tenant's."""
    ids = [_uuid(item.ref) for item in items if item.client_id is None]
    rows = visible_clients(caller).filter(uuid__in=[one for one in ids if one is not None])
    return {str(uuid): name for uuid, name in rows.values_list("uuid", "name")}


def _run_result(caller: Caller, item: BulkItem, names: dict[str, str]) -> Result:
    client = own_client(caller, item.client)
    uuid = str(client.uuid) if client is not None else item.ref if item.ref in names else ""
    glyph, words = {
        "done": ("done", gettext("Done")),
        "failed": ("bad", gettext("Failed")),
        "skipped": ("off", gettext("Not done")),
    }.get(item.outcome, ("wait", gettext("Waits")))
    return Result(
        name=client.name if client is not None else names.get(item.ref, item.ref),
        url=f"/t/{caller.tenant.slug}/clients/{uuid}/" if uuid else "",
        glyph=glyph,
        words=words,
        reason=item.message,
    )


def _job_result(caller: Caller, item: JobItem) -> Result:
    peer = item.peer
    client = peer.client if peer is not None and peer.tenant_id == caller.tenant_id else None
    glyph, words = {
        JobItem.Status.DONE: ("done", gettext("Live")),
        JobItem.Status.FAILED: ("bad", gettext("Failed")),
    }.get(JobItem.Status(item.status), ("wait", gettext("Waits")))
    return Result(
        name=client.name if client is not None else item.public_key,
        url=f"/t/{caller.tenant.slug}/clients/{client.uuid}/" if client is not None else "",
        glyph=glyph,
        words=words,
        reason=item.message,
    )


@dataclass(frozen=True)
class RunRow:
    """A run in the list."""

    run: BulkRun
    title: str
    glyph: str
    words: str


def newest(caller: Caller, at: datetime) -> tuple[list[RunRow], list[JobRow]]:
    """The tenant's newest runs, and jobs that had something to bring to a gateway."""
    runs = [_run_row(run) for run in visible_runs(caller).order_by("-pk")[:LISTED]]
    worst = JobItem.objects.filter(job=OuterRef("pk"), status=JobItem.Status.FAILED)
    rows = visible(Job.objects.filter(total__gt=0), caller).order_by("-pk")
    rows = rows.annotate(worst=Subquery(worst.values("message")[:1]))
    return runs, [job_row(row, "", row.worst or "", at) for row in rows[:LISTED]]


def _run_row(run: BulkRun) -> RunRow:
    if run.finished_at is None:
        glyph, words = "wait", gettext("Running") if run.started_at else gettext("Waits")
    elif not run.failed:
        glyph, words = "done", gettext("Done")
    elif run.failed < run.done:
        glyph, words = "warn", gettext("Partly done")
    else:
        glyph, words = "bad", gettext("Failed")
    return RunRow(run, run_title(run), glyph, words)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
