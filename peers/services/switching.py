"""On and off by the seller's hand: the manual hold, and no other."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from gateways.models import Job
from peers.models import Client, Peer
from peers.services.changes import Changed, locked_client, note_act, raise_version, told
from peers.services.entitlement import close_hold, open_hold
from quotas.policies import MANUAL
from rest.errors import Invalid
from tenants.scoping import Caller


def enable_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_version: int | None = None
) -> Changed:
    """Close the manual hold; the client may still be held for another reason."""
    return _turn(True, caller=caller, client_id=client_id, note="", at=at, if_version=if_version)


def disable_client(
    *, caller: Caller, client_id: UUID, at: datetime, note: str = "", if_version: int | None = None
) -> Changed:
    """Open the manual hold: the tunnel stays known, and no packet passes."""
    return _turn(False, caller=caller, client_id=client_id, note=note, at=at, if_version=if_version)


@transaction.atomic
def _turn(
    on: bool,
    *,
    caller: Caller,
    client_id: UUID,
    note: str,
    at: datetime,
    if_version: int | None,
) -> Changed:
    client = locked_client(caller, client_id, if_version)
    switched = switch(client, on, caller=caller, at=at, note=note)
    if switched is not None:
        raise_version(client)
        action = "client.enabled" if on else "client.disabled"
        after = {"note": note} if note else {}
        note_act(client=client, actor=caller.actor, action=action, after=after)
    kind = Job.Kind.ENABLE if on else Job.Kind.DISABLE
    return told(client, kind, caller, switched or [], at)


def switch(
    client: Client, on: Any, *, caller: Caller, at: datetime, note: str = ""
) -> list[Peer] | None:
    """Open or close the manual hold; None when nothing changed."""
    if on is None:
        return None
    if not isinstance(on, bool):
        raise Invalid("This is neither true nor false.", field="enabled")
    if on:
        return close_hold(client=client, reason=MANUAL, actor=caller.actor, at=at)
    return open_hold(client=client, reason=MANUAL, note=note, actor=caller.actor, at=at)
