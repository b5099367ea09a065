"""Conditions on lists of clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from peers.freshness import has_outdated_file
from peers.models import Peer, PeerAddress
from peers.queries import ONLINE_WITHIN, with_status
from quotas.models import Hold
from quotas.policies import STATE_OF_HOLD
from rest.filters import Identifier

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
    """Clients whose name, e-mail, ids, key or address is, or contains, this text."""
    peers = _shown_peers()
    return (
        Q(name__icontains=text)
        | Q(external_id__icontains=text)
        | Q(email__icontains=text)
        | Q(telegram_id__iexact=text)
        | Exists(peers.filter(public_key=text))
        | Exists(PeerAddress.objects.filter(peer__client=OuterRef("pk"), address=text))
    )


def on_interface(name: str) -> Q:
    """Clients with a device on an interface of this name."""
    return Q(Exists(_peers().filter(interface__name=name)))


def online(at: datetime) -> Q:
    """Clients with a device that is on the interface, not blocked, and shook hands lately."""
    return Q(
        Exists(
            _peers().filter(
                observed_present=True,
                blocked=False,
                last_handshake_at__gte=at - ONLINE_WITHIN,
            )
        )
    )


def in_state(state: str) -> Q:
    """Clients whose `ClientView.state` is this one."""
    held = Exists(_open_holds())
    failed = Exists(_in_status("failed", "quarantined"))
    pending = Exists(_in_status("pending"))
    if state == "active":
        return ~Q(held) & ~Q(failed) & ~Q(pending)
    if state == "failed":
        return ~Q(held) & Q(failed)
    if state == "pending":
        return ~Q(held) & ~Q(failed) & Q(pending)
    return _held_state(state)


def _held_state(state: str) -> Q:
    """The strongest open hold decides, as in `quotas.policies.held_state`."""
    found, stronger = Q(pk__in=[]), list[str]()
    for reason, meaning in STATE_OF_HOLD.items():
        if meaning == state:
            one = Q(Exists(_open_holds().filter(reason=reason)))
            found |= one & ~Q(Exists(_open_holds().filter(reason__in=stronger)))
        stronger.append(reason)
    return found


def _peers() -> QuerySet[Peer]:
    return Peer.objects.filter(client=OuterRef("pk"), deleted_at__isnull=True)


def _shown_peers() -> QuerySet[Peer]:
    """Of a deleted client those that went with it."""
    return Peer.objects.filter(
        Q(deleted_at__isnull=True) | Q(deleted_at=OuterRef("deleted_at")), client=OuterRef("pk")
    )


def _in_status(*words: str) -> QuerySet[Peer]:
    return with_status(_peers()).filter(Q(status_word__in=words))


def _open_holds() -> QuerySet[Hold]:
    return Hold.objects.filter(client=OuterRef("pk"), closed_at__isnull=True)


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
    return (
        Q(public_key=text)
        | Q(name__icontains=text)
        | Q(Exists(PeerAddress.objects.filter(peer=OuterRef("pk"), address=text)))
    )


def peer_in_status(word: str) -> Q:
    """Devices whose latest change has come this far."""
    same = with_status(Peer.objects.filter(pk=OuterRef("pk")))
    return Q(Exists(same.filter(Q(status_word__in=[word]))))


CLIENT_FILTERS: Final = {
    # Which of the two sets the list is of, its view decides.
    "deleted": Condition(lambda _: Q(), ("true", "false")),
    "search": Condition(matches),
    "external_id": Condition(lambda value: Q(external_id=value)),
    "state": Condition(in_state, STATES),
    "tag": Condition(has_tag),
    "interface": Condition(on_interface),
    "online": Condition(online_now, ("true", "false")),
    "file_outdated": Condition(file_outdated, ("true", "false")),
}

PEER_FILTERS: Final = {
    "search": Condition(peer_matches),
    "client": Identifier("client__uuid"),
    "client_external_id": Condition(lambda value: Q(client__external_id=value)),
    "interface": Condition(lambda value: Q(interface__name=value)),
    "status": Condition(peer_in_status, STATUSES),
    "online": Condition(peer_online_now, ("true", "false")),
}
