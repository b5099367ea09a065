"""Many files at once: a zip with one file per device, and a manifest that says what is missing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.utils import timezone

from peers.delivery import Delivery, deliver_many, unique_names
from peers.models import Client, Peer
from peers.queries import NO_CLIENT, for_delivery
from peers.selection import MAX_SELECTED
from peers.services.reveals import note_reveals
from rest.errors import Invalid, Refusal
from tenants.scoping import Caller

MANIFEST: Final = "manifest.json"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": 'attachment; filename="configs.zip"',
}


def archive_of(
    caller: Caller, clients: list[Client], missing: Sequence[str], *, at: datetime
) -> StreamingHttpResponse:
    """The files of these clients, which are written down as handed out; ``missing`` are names
    that led to no client. Raises `Invalid` (``too_many``).
    """
    if len(clients) > MAX_SELECTED:
        text = f"At most {MAX_SELECTED} clients at a time."
        raise Invalid(text, field="filter", code="too_many")
    peers = _devices(clients)
    files = deliver_many(peers)
    made = [file for file in files if isinstance(file, Delivery)]
    note_reveals(made, way="zip", actor=caller.actor, at=at)
    names = dict(
        zip(
            (file.peer.pk for file in made),
            unique_names(f.file_name for f in made),
            strict=True,
        )
    )
    entries = [_entry(*both, names) for both in zip(peers, files, strict=True)]
    entries += [_without_device(one) for one in _deviceless(clients, peers)]
    entries += [_unknown(name) for name in missing]
    members = [(names[file.peer.pk], file.text) for file in made]
    manifest = json.dumps({"results": entries}, ensure_ascii=False, indent=1)
    return StreamingHttpResponse(
        _zipped([*members, (MANIFEST, manifest)]),
        content_type="application/zip",
        headers=_HEADERS,
    )


def _devices(clients: list[Client]) -> list[Peer]:
    """The devices of these clients, in the clients' order."""
    order = {client.pk: place for place, client in enumerate(clients)}
    rows = for_delivery().filter(client__in=clients, deleted_at__isnull=True)
    return sorted(rows, key=lambda peer: (order[peer.client_id], peer.pk))


def _deviceless(clients: list[Client], peers: list[Peer]) -> list[Client]:
    have = {peer.client_id for peer in peers}
    return [client for client in clients if client.pk not in have]


def _entry(peer: Peer, file: Delivery | Refusal, names: dict[int, str]) -> dict[str, Any]:
    told: dict[str, Any] = {"client": str(peer.client.uuid), "external_id": peer.client.external_id}
    told |= {"device": str(peer.uuid), "file": names.get(peer.pk), "error": None}
    if isinstance(file, Refusal):
        told["error"] = {"code": file.code, "detail": file.message}
    return told


def _without_device(client: Client) -> dict[str, Any]:
    error = {"code": "no_device", "detail": "This client has no device."}
    return _nothing(str(client.uuid), client.external_id, error)


def _unknown(name: str) -> dict[str, Any]:
    return {**_nothing(None, None, {"code": "not_found", "detail": NO_CLIENT}), "named": name}


def _nothing(client: str | None, external_id: str | None, error: dict[str, str]) -> dict[str, Any]:
    nothing = {"device": None, "file": None, "error": error}
    return {"client": client, "external_id": external_id, **nothing}


class _Pipe(io.RawIOBase):
    """What is written comes out of `take`; it cannot be wound back, so the zip is streamed."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        out, self._waiting = b"".join(self._waiting), []
        return out


def _zipped(members: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            info = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(info, text)
            yield pipe.take()
    yield pipe.take()
