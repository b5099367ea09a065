"""What a bulk request does to clients that exist: each as its single act does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from gateways.models import Job
from peers.models import BulkRun, Client
from peers.queries import NO_CLIENT, find_client, visible_clients
from peers.services.bulk.entries import Entry, Failure, Outcome
from peers.services.bulk.single import attempt
from peers.services.changes import Changed, locked_client, note_act, raise_version
from peers.services.clients import delete_client, disable_client, enable_client, update_client
from peers.values import CLIENT_CHECKS
from rest.errors import Conflict, Invalid
from tenants.scoping import Caller

Act = Callable[[Caller, UUID, int | None, Mapping[str, Any], datetime], tuple[Client, Job | None]]

NOT_FOUND: Final = Failure("not_found", NO_CLIENT)
#: What an extension changes, and the argument it comes from.
_EXTENDED: Final = {"expires_at": "days", "duration_days": "days", "quota_bytes": "bytes"}


def act_on_many(
    *, caller: Caller, action: str, entries: Sequence[Entry], at: datetime
) -> tuple[list[Outcome], list[Job]]:
    """Do ``action`` to the client of each entry, in the caller's transaction."""
    act = _ACTS[action]
    outcomes: list[Outcome] = []
    jobs: list[Job] = []
    _lock(caller, entries)
    for entry in entries:
        if entry.client is None:
            outcomes.append(Outcome(entry, failure=NOT_FOUND))
            continue
        change = partial(act, caller, entry.client, entry.version, entry.values, at)
        outcome, job = attempt(entry, change)
        outcomes.append(outcome)
        jobs += [job] if job is not None else []
    return outcomes, jobs


def _lock(caller: Caller, entries: Sequence[Entry]) -> None:
    """Hold all the clients, in one order, so that two requests wait instead of dead-locking."""
    ids = [entry.client for entry in entries if entry.client is not None]
    list(
        visible_clients(caller).filter(uuid__in=ids).order_by("pk").select_for_update(of=("self",))
    )


def _update(
    caller: Caller, client_id: UUID, version: int | None, values: Mapping[str, Any], at: datetime
) -> tuple[Client, Job | None]:
    client = find_client(caller, client_id, lock=True)
    changes = _merged(client, values)
    return _both(
        update_client(
            caller=caller, client_id=client_id, changes=changes, at=at, if_version=version
        )
    )


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


def _enable(
    caller: Caller, client_id: UUID, version: int | None, values: Mapping[str, Any], at: datetime
) -> tuple[Client, Job | None]:
    return _both(enable_client(caller=caller, client_id=client_id, at=at, if_version=version))


def _disable(
    caller: Caller, client_id: UUID, version: int | None, values: Mapping[str, Any], at: datetime
) -> tuple[Client, Job | None]:
    return _both(
        disable_client(
            caller=caller,
            client_id=client_id,
            at=at,
            note=values.get("note", ""),
            if_version=version,
        )
    )


def _delete(
    caller: Caller, client_id: UUID, version: int | None, values: Mapping[str, Any], at: datetime
) -> tuple[Client, Job | None]:
    return _both(delete_client(caller=caller, client_id=client_id, at=at, if_version=version))


def _extend(
    caller: Caller, client_id: UUID, version: int | None, values: Mapping[str, Any], at: datetime
) -> tuple[Client, Job | None]:
    """More days from the end (from now, where that is past), and more bytes.

    What comes of it must be what a client may have.
    """
    client = locked_client(caller, client_id, version)
    former = {name: getattr(client, name) for name in _EXTENDED}
    if values.get("days"):
        _add_days(client, values["days"], at)
    if values.get("bytes"):
        _add_bytes(client, values["bytes"])
    changed = [name for name in _EXTENDED if getattr(client, name) != former[name]]
    for name in changed:
        _check(name, getattr(client, name))
    raise_version(client, *changed)
    note_act(
        client=client,
        actor=caller.actor,
        action="client.extended",
        before={name: former[name] for name in changed},
        after={name: getattr(client, name) for name in changed},
    )
    return client, None


def _check(name: str, value: object) -> None:
    """Raise `Invalid`, in the name of the argument, for what no client may have."""
    try:
        CLIENT_CHECKS[name](value, name)
    except Invalid as refusal:
        text = f"The new {name} is not possible. {refusal.message}"
        raise Invalid(text, field=_EXTENDED[name], code=refusal.code) from None


def _add_days(client: Client, days: int, at: datetime) -> None:
    if client.expires_at is not None:
        try:
            client.expires_at = max(client.expires_at, at) + timedelta(days=days)
        except OverflowError:
            raise Invalid("This leads beyond the calendar.", field="days") from None
    elif client.duration_days is not None:  # counts from a first handshake that is to come
        client.duration_days += days
    else:
        raise Conflict("This client does not expire.", field="days", code="not_limited")


def _add_bytes(client: Client, number: int) -> None:
    if client.quota_bytes is None:
        raise Conflict("This client has no quota.", field="bytes", code="not_limited")
    client.quota_bytes += number


def _both(changed: Changed) -> tuple[Client, Job]:
    return changed.client, changed.job


_ACTS: Final[Mapping[str, Act]] = {
    BulkRun.Action.UPDATE: _update,
    BulkRun.Action.ENABLE: _enable,
    BulkRun.Action.DISABLE: _disable,
    BulkRun.Action.DELETE: _delete,
    BulkRun.Action.EXTEND: _extend,
}
