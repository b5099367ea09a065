"""Deleting clients."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from gateways.models import Job
from peers.queries import live_peers
from peers.services.changes import Changed, locked_client, note_act, raise_version, told
from peers.services.devices import remove_devices
from tenants.scoping import Caller


@transaction.atomic
def delete_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_version: int | None = None
) -> Changed:
    """Delete a client with all its devices; the rows stay as tombstones until they are applied."""
    client = locked_client(caller, client_id, if_version)
    peers = live_peers(client)
    remove_devices(peers, at=at)
    client.deleted_at = at
    raise_version(client, "deleted_at")
    before = {"public_keys": [peer.public_key for peer in peers]}
    note_act(client=client, actor=caller.actor, action="client.deleted", before=before)
    return told(client, Job.Kind.DELETE, caller, peers, at)
