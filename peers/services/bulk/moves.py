"""Moving clients by the hundred: each by itself, as a single one is moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from gateways.models import Interface, Job
from peers.models import Client
from peers.queries import NO_CLIENT, lock_peers_of, visible_clients
from peers.sellable import find_interface
from peers.services.bulk.entries import Entry, Outcome
from peers.services.bulk.single import attempt, remembered
from peers.services.meters import hold_meters
from peers.services.moving import move_client
from rest.errors import Invalid, Missing
from tenants.scoping import Caller


def move_many(
    *, caller: Caller, entries: Sequence[Entry], at: datetime
) -> tuple[list[Outcome], list[Job]]:
    """Move the client of each entry, in the caller's transaction; and the jobs that do it.

    Where to is looked up once. What stands against one (no address left, its key in use there)
    is its own failure, and the others go.
    """
    find = remembered(partial(find_interface, caller=caller))
    _hold(caller, entries)
    outcomes: list[Outcome] = []
    jobs: list[Job] = []
    for entry in entries:
        outcome, job = attempt(entry, partial(_move, caller, find, entry, at))
        outcomes.append(outcome)
        jobs += [job] if job is not None else []
    return outcomes, jobs


def _hold(caller: Caller, entries: Sequence[Entry]) -> None:
    """All the rows that will move, in the order of everybody who locks them: clients, meters,
    devices.
    """
    ids = [entry.client for entry in entries if entry.client is not None]
    rows = visible_clients(caller).filter(uuid__in=ids).order_by("pk")
    held = rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True)
    clients = list(held)
    hold_meters(clients)
    lock_peers_of(clients)


def _move(
    caller: Caller, find: Callable[[str], Interface], entry: Entry, at: datetime
) -> tuple[Client, Job]:
    if entry.client is None:
        raise Missing(NO_CLIENT)
    if "interface" not in entry.values:
        raise Invalid("Say where to.", field="interface", code="required")
    moved = move_client(
        caller=caller,
        client_id=entry.client,
        interface=find(entry.values["interface"]),
        at=at,
        if_match=entry.if_match,
    )
    return moved.client, moved.job
