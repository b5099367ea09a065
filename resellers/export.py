"""Everything that is stored of a tenant, as lines of JSON: one thing a line, its kind first.

The rows are read 500 at a time by their keys, so memory and transactions stay small whatever the
number of clients. The last line counts the others: a file without it was cut short.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from audit.models import AuditEvent
from peers.models import (
    Client,
    CustomerAccess,
    Peer,
    PeerAddress,
    PeerKey,
    PeerNetwork,
    ShareLink,
)
from peers.sealing import open_preshared_key, open_private_key
from peers.usage_queries import usages_of
from quotas.models import Hold, Meter, Plan, Session, Usage
from resellers.statements import months_counted, statement, tenant_usage
from tenants.models import ApiToken, Membership, Tenant

FORMAT: Final = 1
_CHUNK: Final = 500
M = TypeVar("M", bound=Model)

#: Columns that are secrets, digests of secrets, or the database's own business.
_INTERNAL: Final = frozenset(
    {
        "id", "tenant", "client", "peer", "private_key", "preshared_key", "digest", "plan",
        "interface", "user", "sandbox_of", "quarantine_reason", "next_plan", "run", "peer_uuid",
        "client_uuid",
    }
)  # fmt: skip
_APPLIED: Final = "applied_"


def lines(
    tenant: Tenant, *, at: datetime, with_secrets: bool = False, for_operator: bool = False
) -> Iterator[str]:
    """The export, line by line, each with its newline.

    Unless it is for an operator, what the API tells operators alone is not in it: their tokens,
    where they acted from, and the user name of who has an e-mail address.
    """
    counts: Counter[str] = Counter()
    head = {"format": FORMAT, "at": at, "slug": tenant.slug, "with_secrets": with_secrets}
    yield _line("export", head)
    things = _things(tenant, at=at, with_secrets=with_secrets, for_operator=for_operator)
    for kind, body in things:
        counts[kind] += 1
        yield _line(kind, body)
    yield _line("end", {"counts": dict(counts)})


def _things(
    tenant: Tenant, *, at: datetime, with_secrets: bool, for_operator: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "tenant", _columns(tenant)
    members = Membership.objects.filter(tenant=tenant).select_related("user")
    for member in _in_chunks(members):
        person = member.user
        known = for_operator or not person.email
        names = {"username": person.get_username() if known else None, "email": person.email}
        yield "member", {**names, "role": member.role, "created_at": member.created_at}
    tokens = ApiToken.objects.filter(tenant=tenant)
    for token in _in_chunks(tokens if for_operator else tokens.filter(operator=False)):
        yield "token", _columns(token)
    for plan in _in_chunks(Plan.objects.filter(tenant=tenant)):
        yield "plan", _columns(plan)
    clients = Client.objects.filter(tenant=tenant).select_related("plan", "next_plan")
    for chunk in _chunks(clients):
        yield from (("client", body) for body in _clients(chunk, with_secrets=with_secrets))
    yield from _used(tenant, at)
    for event in _in_chunks(AuditEvent.objects.filter(tenant=tenant)):
        if event.by_operator and not for_operator:
            event.address = None
        yield "event", _columns(event)


def _clients(chunk: Sequence[Client], *, with_secrets: bool) -> Iterator[dict[str, Any]]:
    """Clients with their holds and devices, in a constant number of queries a chunk."""
    holds = _by(Hold.objects.filter(client__in=chunk), "client_id")
    usages = usages_of([client.pk for client in chunk])
    logins = CustomerAccess.objects.filter(client__in=chunk).select_related("user")
    people = _by(logins, "client_id")
    peers = list(
        Peer.objects.filter(client__in=chunk)
        .select_related("interface__gateway", "meter")
        .order_by("pk")
    )
    devices = _devices(peers, with_secrets=with_secrets)
    for client in chunk:
        yield {
            **_columns(client),
            "plan": client.plan and str(client.plan.uuid),
            "next_plan": client.next_plan and str(client.next_plan.uuid),
            "usage": _columns(usages.get(client.pk) or Usage(client=client)),
            "holds": [_columns(hold) for hold in holds[client.pk]],
            "logins": [{**_columns(row), "email": row.user.email} for row in people[client.pk]],
            "devices": devices[client.pk],
        }


def _used(tenant: Tenant, at: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was used: in all, by each device that ever was, in sessions, and month by month as the
    tenant's statements say it. What was topped up is in the events.
    """
    yield "usage", _columns(tenant_usage(tenant))
    for meter in _in_chunks(Meter.objects.filter(tenant=tenant)):
        yield "meter", {**_columns(meter), "device": meter.peer_uuid, "client": meter.client_uuid}
    sessions = Session.objects.filter(tenant=tenant).select_related("peer")
    for session in _in_chunks(sessions):
        yield "session", {**_columns(session), "device": session.peer.uuid}
    for since, until in months_counted(tenant, at=at):
        for line in statement(tenant, since, until).lines:
            body = {**asdict(line), "used": line.used._asdict()}
            del body["kind"]
            yield "statement", {"line": line.kind, "begins_at": since, "ends_at": until, **body}


def _devices(peers: Sequence[Peer], *, with_secrets: bool) -> Mapping[int, list[dict[str, Any]]]:
    addresses = _by(PeerAddress.objects.filter(peer__in=peers), "peer_id")
    networks = _by(PeerNetwork.objects.filter(peer__in=peers), "peer_id")
    links = _by(ShareLink.objects.filter(peer__in=peers), "peer_id")
    keys = _by(PeerKey.objects.filter(peer__in=peers if with_secrets else []), "peer_id")
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for peer in peers:
        body = {
            **{k: v for k, v in _columns(peer).items() if not k.startswith(_APPLIED)},
            "rx_bytes": peer.upload_bytes,
            "tx_bytes": peer.download_bytes,
            "interface": peer.interface.name,
            "gateway": peer.interface.gateway.slug,
            "addresses": [row.address for row in addresses[peer.pk]],
            "networks": [row.network for row in networks[peer.pk]],
            "share_links": [_columns(row) for row in links[peer.pk]],
        }
        if with_secrets:
            body |= _secrets(peer, keys[peer.pk])
        found[peer.client_id].append(body)
    return found


def _secrets(peer: Peer, keys: Iterable[PeerKey]) -> dict[str, Any]:
    shared = open_preshared_key(peer.uuid, peer.preshared_key)
    own = next((open_private_key(peer.uuid, key.private_key) for key in keys), None)
    return {
        "preshared_key": shared and shared.reveal(),
        "private_key": own and own.reveal(),
    }


def _columns(row: Model) -> dict[str, Any]:
    """The row's own columns; links are named by whoever knows what they lead to."""
    return {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in _INTERNAL
    }


def _by(rows: QuerySet[M], column: str) -> Mapping[int, list[M]]:
    found: defaultdict[int, list[M]] = defaultdict(list)
    for row in rows.order_by("pk"):
        found[getattr(row, column)].append(row)
    return found


def _in_chunks(rows: QuerySet[M]) -> Iterator[M]:
    for chunk in _chunks(rows):
        yield from chunk


def _chunks(rows: QuerySet[M]) -> Iterator[list[M]]:
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        yield chunk
        last = chunk[-1].pk


def _line(kind: str, body: Mapping[str, Any]) -> str:
    text = json.dumps({"kind": kind, **body}, default=_as_json, ensure_ascii=False)
    return f"{text}\n"


def _as_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return b64encode(bytes(value)).decode()
    raise TypeError(f"a {type(value).__name__} has no place in an export")
