"""What a bulk request does to clients that exist: decided and written as single acts are.

The clients of a batch are locked and read at once, each is decided on by itself, and what was
decided is written by a few statements.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from django.db import DataError, IntegrityError, transaction

from gateways.models import Job
from peers.models import BulkRun, Client
from peers.queries import NO_CLIENT, lock_peers_of, visible_clients
from peers.services.bulk.entries import Entry, Failure, Outcome
from peers.services.bulk.single import NOT_OURS, attempt, decide, remembered
from peers.services.changes import locked_client, tell_of
from peers.services.clients import ALONE, DEVICE_FIELDS, update_step
from peers.services.entitlement import Standing, standings
from peers.services.extension import More, extension, top_up, usage_reset
from peers.services.removal import deletion, undelete_time
from peers.services.sales import count_sales
from peers.services.settling import TOUCHING
from peers.services.steps import Step, carry_out, write_steps
from peers.services.switching import DISABLE, ENABLE, switch_step
from quotas.models import Usage
from quotas.queries import find_sold_plan
from quotas.services import lock_usages
from rest.errors import Missing, Refusal
from rest.versions import check_version
from tenants.scoping import Caller

logger = logging.getLogger("vwg.bulk")

NOT_FOUND: Final = Failure("not_found", NO_CLIENT)
Found = tuple[list[Outcome], list[Job]]


class Act(Protocol):
    """Decides what is done to a client. Raises `Refusal`."""

    def __call__(self, standing: Standing, values: Mapping[str, Any], /) -> Step: ...


def act_on_many(*, caller: Caller, action: str, entries: Sequence[Entry], at: datetime) -> Found:
    """Do ``action`` to the client of each entry, in the caller's transaction.

    Entries whose values other rows have a say in go the way of a single one. So do all when what
    was decided cannot be written: then one of them is to blame, and the others are not.
    """
    act = _ACTS[action](caller, at)
    clients, usages = _locked(caller, entries, _touches_usage(action, entries))
    together = [entry for entry in entries if not ALONE & entry.values.keys()]
    alone = [entry for entry in entries if ALONE & entry.values.keys()]
    try:
        with transaction.atomic():
            outcomes, jobs = _together(caller, act, clients, usages, together, at)
    except NOT_OURS:
        raise
    except Exception as error:  # whoever is to blame is found, and named, alone
        if not isinstance(error, (IntegrityError, DataError, Refusal)):
            logger.exception("bulk batch")
        outcomes, jobs, alone = [], [], list(entries)
    for entry in alone:
        outcome, job = attempt(entry, partial(_do_one, caller, act, entry, at))
        outcomes.append(outcome)
        jobs += [job] if job is not None else []
    return outcomes, jobs


def _touches_usage(action: str, entries: Sequence[Entry]) -> bool:
    """Whether something may follow for what was used: then it is locked, before any device."""
    if action != BulkRun.Action.UPDATE:
        return action in _ON_USAGE
    return any(TOUCHING & entry.values.keys() for entry in entries)


def _locked(
    caller: Caller, entries: Sequence[Entry], with_usages: bool
) -> tuple[dict[UUID, Client], dict[int, Usage] | None]:
    """All the clients, held with their devices in one order, so that two requests wait instead of
    dead-locking; and with their usages, if asked.
    """
    ids = [entry.client for entry in entries if entry.client is not None]
    rows = visible_clients(caller).filter(uuid__in=ids).order_by("pk")
    found = {client.uuid: client for client in rows.select_for_update(of=("self",), no_key=True)}
    for client in found.values():
        client.tenant = caller.tenant
    owners = {client.pk: client.tenant_id for client in found.values()}
    usages = lock_usages(owners) if with_usages else None
    lock_peers_of(list(owners))
    return found, usages


def _together(
    caller: Caller,
    act: Act,
    clients: Mapping[UUID, Client],
    usages: Mapping[int, Usage] | None,
    entries: Sequence[Entry],
    at: datetime,
) -> Found:
    """Decide on each, and write all that was decided; one job tells of it."""
    wanted = {entry.client for entry in entries}
    named = [client for uuid, client in clients.items() if uuid in wanted]
    addresses = any(DEVICE_FIELDS & entry.values.keys() for entry in entries)
    found = standings(named, addresses=addresses, usages=usages)
    known = {one.client.uuid: one for one in found}
    outcomes: list[Outcome] = []
    steps: list[Step] = []
    for entry in entries:
        standing = None if entry.client is None else known.get(entry.client)
        if standing is None:
            outcomes.append(Outcome(entry, failure=NOT_FOUND))
            continue
        step, failure = decide(entry, partial(_step, act, standing, entry))
        outcomes.append(Outcome(entry, standing.client if step else None, failure))
        steps += [step] if step else []
    write_steps(steps, actor=caller.actor, at=at)
    peers, jobs = [peer for step in steps for peer in step.peers], []
    if peers:
        kind, tenant_id = Job.Kind.BULK, caller.tenant_id
        jobs = [tell_of(tenant_id=tenant_id, kind=kind, actor=caller.actor, peers=peers, at=at)]
    count_sales(steps, refuses=True)
    return outcomes, jobs


def _step(act: Act, standing: Standing, entry: Entry) -> Step:
    check_version(standing.client, entry.if_match)
    return act(standing, entry.values)


def _do_one(caller: Caller, act: Act, entry: Entry, at: datetime) -> tuple[Client, Job]:
    if entry.client is None:
        raise Missing(NO_CLIENT)
    standing = Standing(locked_client(caller, entry.client, entry.if_match))
    step = act(standing, entry.values)
    changed = carry_out(step, kind=Job.Kind.BULK, caller=caller, at=at)
    return changed.client, changed.job


# -- The acts -----------------------------------------------------------------------------------


def _update(caller: Caller, at: datetime) -> Act:
    find_plan = remembered(partial(find_sold_plan, caller))

    def act(standing: Standing, values: Mapping[str, Any]) -> Step:
        changes = _merged(standing.client, values)
        return update_step(standing, changes, caller=caller, at=at, find_plan=find_plan)

    return act


def _merged(client: Client, values: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, with what is said relative to the present put in absolute terms."""
    changes = dict(values)
    add, remove = changes.pop("add_tags", []), changes.pop("remove_tags", [])
    if add or remove:
        tags = changes.get("tags", client.tags)
        changes["tags"] = [tag for tag in dict.fromkeys([*tags, *add]) if tag not in remove]
    merge = changes.pop("merge_metadata", None)
    if merge is not None:
        metadata = {**changes.get("metadata", client.metadata), **merge}
        changes["metadata"] = {key: value for key, value in metadata.items() if value is not None}
    return changes


def _enable(caller: Caller, at: datetime) -> Act:
    return lambda standing, _: switch_step(ENABLE, standing, caller=caller, at=at)


def _disable(caller: Caller, at: datetime) -> Act:
    return lambda standing, values: switch_step(
        DISABLE, standing, caller=caller, at=at, note=values.get("note", "")
    )


def _delete(_: Caller, at: datetime) -> Act:
    keeps = undelete_time()
    return lambda standing, _: deletion(standing, keeps=keeps, at=at)


def _more(act: More) -> Callable[[Caller, datetime], Act]:
    """An extension or a top-up, of what the entry says."""
    return lambda caller, at: (
        lambda standing, values: act(
            standing,
            days=values.get("days"),
            number=values.get("bytes"),
            actor=caller.actor,
            at=at,
        )
    )


def _reset(caller: Caller, at: datetime) -> Act:
    return lambda standing, _: usage_reset(standing, actor=caller.actor, at=at)


#: Acts that change what was used in the period, or what may be.
_ON_USAGE: Final = frozenset({BulkRun.Action.EXTEND, BulkRun.Action.TOP_UP, BulkRun.Action.RESET})
_ACTS: Final[Mapping[str, Callable[[Caller, datetime], Act]]] = {
    BulkRun.Action.UPDATE: _update,
    BulkRun.Action.ENABLE: _enable,
    BulkRun.Action.DISABLE: _disable,
    BulkRun.Action.DELETE: _delete,
    BulkRun.Action.EXTEND: _more(extension),
    BulkRun.Action.TOP_UP: _more(top_up),
    BulkRun.Action.RESET: _reset,
}
