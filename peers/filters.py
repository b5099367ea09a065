"""Conditions on lists of clients."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_interface
from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from gateways.models import Gateway
from peers.conditions import (
    connected,
    devices_of_client,
    ends_within,
    held,
    in_state,
    used_over,
)
from peers.freshness import has_outdated_file
from peers.models import Peer, PeerAddress
from peers.queries import ONLINE_WITHIN, with_status
from peers.sold import MAX_DAYS
from quotas.policies import STATE_OF_HOLD
from rest.filters import Filter, Identifier, Moment

_KEY: Final = re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII)
STATUSES: Final = ("pending", "applied", "verified", "failed", "quarantined")
STATES: Final = ("active", "pending", "failed", *dict.fromkeys(STATE_OF_HOLD.values()))


class HasElement(Func):
    """Whether a JSON list holds a text. Django's ``contains`` does not exist on SQLite."""

    output_field = BooleanField()
    arity = 2

    def as_sqlite(
        self, compiler: SQLCompiler, connection: Any, **extra: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self._as(compiler, "EXISTS(SELECT 1 FROM json_each({0}) WHERE value = {1})")

    def as_postgresql(
        self, compiler: SQLCompiler, connection: Any, **extra: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self._as(compiler, "({0} @> jsonb_build_array({1}::text))")

    def _as(self, compiler: SQLCompiler, template: str) -> tuple[str, tuple[Any, ...]]:
        parts = [compiler.compile(part) for part in self.get_source_expressions() if part]
        sql = template.format(*(text for text, _ in parts))
        return sql, tuple(value for _, values in parts for value in values)


def has_tag(tag: str) -> Q:
    """Clients that carry this tag."""
    return Q(HasElement(F("tags"), Value(tag)))


def matches(text: str) -> Q:
    """Clients whose name, note, e-mail, ids, tag, key or address is, or contains, this text.

    What cannot be a key or an address is not looked for there; and what can is looked up once,
    not for each client.
    """
    found = (
        Q(name__icontains=text)
        | Q(external_id__icontains=text)
        | Q(email__icontains=text)
        | Q(telegram_id__iexact=text)
        | Q(note__icontains=text)
        | has_tag(text)
    )
    if _KEY.fullmatch(text):
        found |= Q(pk__in=_shown_peers().filter(public_key=text).values("client"))
    if address := _address(text):
        found |= Q(pk__in=_shown_peers().filter(addresses__in=_held(address)).values("client"))
    return found


def _held(address: str) -> QuerySet[PeerAddress]:
    """The address on every gateway where a device has it; so the index finds it."""
    return PeerAddress.objects.filter(
        gateway__in=Gateway.objects.all(), address=address, peer__isnull=False
    )


def _address(text: str) -> str | None:
    """The canonical address, of "10.252.0.9" as of "10.252.0.9/32"; None for another text."""
    try:
        return str(ip_interface(text).ip)
    except ValueError:
        return None


def on_interface(name: str) -> Q:
    """Clients with a device on an interface of this name, or of this id."""
    try:
        named = Q(interface__uuid=UUID(name))
    except ValueError:
        named = Q(interface__name=name)
    return Q(Exists(devices_of_client().filter(named)))


def online(at: datetime) -> Q:
    """Clients with a device that is on the interface, not blocked, and shook hands lately."""
    return Q(
        Exists(
            devices_of_client().filter(
                observed_present=True,
                blocked=False,
                last_handshake_at__gte=at - ONLINE_WITHIN,
            )
        )
    )


def _shown_peers() -> QuerySet[Peer]:
    """Of a deleted client those that went with it."""
    return Peer.objects.filter(Q(deleted_at__isnull=True) | Q(deleted_at=F("client__deleted_at")))


@dataclass(frozen=True)
class Condition:
    """A filter of `rest.filters` made of a function, optionally with a set of words."""

    make: Callable[[str], Q]
    choices: tuple[str, ...] = ()

    def __call__(self, value: str) -> Q:
        if self.choices and value not in self.choices:
            raise ValueError(f"This must be one of: {', '.join(sorted(self.choices))}.")
        return self.make(value)

    def schema(self) -> dict[str, Any]:
        """The parameter as OpenAPI describes it."""
        if self.choices:
            return {"type": "string", "enum": sorted(self.choices)}
        return {"type": "string", "maxLength": 255}


@dataclass(frozen=True)
class Numbered:
    """A filter made of a function that takes a whole number of a range."""

    make: Callable[[str], Q]
    least: int
    most: int

    def __call__(self, value: str) -> Q:
        return self.make(value)

    def schema(self) -> dict[str, Any]:
        """The parameter as OpenAPI describes it."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


def file_outdated(value: str) -> Q:
    """``true`` or ``false``: whether a customer has a file that is not the right one any more."""
    return has_outdated_file() if value == "true" else ~has_outdated_file()


def online_now(value: str) -> Q:
    """``true`` or ``false`` against the clock of this request."""
    condition = online(timezone.now())
    return condition if value == "true" else ~condition


def peer_online_now(value: str) -> Q:
    """`online_now`, of a device."""
    since = timezone.now() - ONLINE_WITHIN
    condition = Q(observed_present=True, blocked=False, last_handshake_at__gte=since)
    return condition if value == "true" else ~condition


def peer_matches(text: str) -> Q:
    """Devices whose key or address is this text, or whose name contains it."""
    found = Q(name__icontains=text)
    if _KEY.fullmatch(text):
        found |= Q(public_key=text)
    if address := _address(text):
        found |= Q(pk__in=_held(address).values("peer"))
    return found


def peer_in_status(word: str) -> Q:
    """Devices whose latest change has come this far."""
    same = with_status(Peer.objects.filter(pk=OuterRef("pk")))
    return Q(Exists(same.filter(Q(status_word__in=[word]))))


#: What narrows a set of living clients down. Bulk requests choose by these too, so each must be
#: a condition; what only says which set a list is of belongs to the list's view.
CLIENT_FILTERS: Final[Mapping[str, Filter]] = {
    "search": Condition(matches),
    "external_id": Condition(lambda value: Q(external_id=value)),
    "state": Condition(in_state, STATES),
    "tag": Condition(has_tag),
    "interface": Condition(on_interface),
    "online": Condition(online_now, ("true", "false")),
    "file_outdated": Condition(file_outdated, ("true", "false")),
    "off": Condition(held, ("true", "false")),
    "connected": Condition(connected, ("true", "false")),
    "used_over": Numbered(used_over, 1, 100),
    "plan": Identifier("plan__uuid"),
    "ends_within": Numbered(ends_within, 1, MAX_DAYS),
    "expires_before": Moment("expires_at__lt"),
    "expires_after": Moment("expires_at__gt"),
    "created_before": Moment("created_at__lt"),
    "created_after": Moment("created_at__gt"),
}

PEER_FILTERS: Final[Mapping[str, Filter]] = {
    "search": Condition(peer_matches),
    "client": Identifier("client__uuid"),
    "client_external_id": Condition(lambda value: Q(client__external_id=value)),
    "interface": Condition(lambda value: Q(interface__name=value)),
    "status": Condition(peer_in_status, STATUSES),
    "online": Condition(peer_online_now, ("true", "false")),
}
