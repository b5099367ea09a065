"""What a bulk request asks of one client, how that is kept until it is done, what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.events import Actor
from peers.models import Client
from peers.sealing import open_request, seal_request
from rest.errors import Refusal
from rest.versions import Version
from tenants.models import Tenant
from tenants.scoping import Caller


@dataclass(frozen=True)
class Failure:
    """Why an entry was not done: as an error of a single request names it."""

    code: str
    message: str
    field: str | None = None

    @classmethod
    def of(cls, refusal: Refusal) -> Failure:
        return cls(refusal.code, refusal.message, refusal.field)


@dataclass(frozen=True)
class Entry:
    """One entry of a request. ``client`` is whom it means; ``failure`` what was found already."""

    index: int
    ref: str = ""
    client: UUID | None = None
    version: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None

    @property
    def if_match(self) -> Version | None:
        """The version that was read of this very client, where the request names it."""
        if self.client is None or self.version is None:
            return None
        return Version.of(self.client, self.version)


@dataclass(frozen=True)
class Outcome:
    """What became of an entry: done, failed, or skipped because another one failed."""

    entry: Entry
    client: Client | None = None
    failure: Failure | None = None

    @property
    def word(self) -> str:
        if self.failure is None:
            return "done"
        return "skipped" if self.failure.code == ROLLED_BACK.code else "failed"


ROLLED_BACK = Failure("rolled_back", "Nothing was changed, because another item failed.")


# -- Until it is done: sealed, since values may hold preshared keys ---------------------------


def seal(run: UUID, caller: Caller, entries: Iterable[Entry]) -> str:
    """The request as it is stored."""
    text = json.dumps(
        {
            "operator": caller.operator,
            "role": caller.role,
            "scopes": sorted(caller.scopes),
            "actor": asdict(caller.actor),
            "entries": [_written(entry) for entry in entries],
        }
    )
    return seal_request(run, text)


def unseal(run: UUID, tenant: Tenant, sealed: str) -> tuple[Caller, list[Entry]]:
    """Who asked, and for what. Raises `vault.ring.RingError`."""
    found = json.loads(open_request(run, sealed))
    caller = Caller(
        tenant=tenant,
        operator=found["operator"],
        scopes=frozenset(found["scopes"]),
        actor=Actor(**found["actor"]),
        role=found["role"],
    )
    return caller, [_read(entry) for entry in found["entries"]]


def _written(entry: Entry) -> dict[str, Any]:
    return {
        "index": entry.index,
        "ref": entry.ref,
        "client": None if entry.client is None else str(entry.client),
        "version": entry.version,
        "values": {name: _tagged(value) for name, value in entry.values.items()},
        "failure": None if entry.failure is None else asdict(entry.failure),
    }


def _read(found: dict[str, Any]) -> Entry:
    return Entry(
        index=found["index"],
        ref=found["ref"],
        client=None if found["client"] is None else UUID(found["client"]),
        version=found["version"],
        values={name: _untagged(*value) for name, value in found["values"].items()},
        failure=None if found["failure"] is None else Failure(**found["failure"]),
    )


def _tagged(value: Any) -> list[Any]:
    """A value with its kind: JSON knows neither times nor UUIDs."""
    if isinstance(value, datetime):
        return ["time", value.isoformat()]
    if isinstance(value, UUID):
        return ["uuid", str(value)]
    return ["", value]


def _untagged(kind: str, value: Any) -> Any:
    if kind == "time":
        return datetime.fromisoformat(value)
    return UUID(value) if kind == "uuid" else value
