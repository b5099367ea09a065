"""Sealing every secret anew with the primary key of its ring. Resumable: done rows are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

from django.db.models import Model, QuerySet

from gateways.models import Interface
from gateways.sealing import open_interface_key, seal_interface_key
from peers.models import BulkRun, Peer, PeerKey
from peers.sealing import (
    open_preshared_key,
    open_private_key,
    open_request,
    seal_preshared_key,
    seal_private_key,
    seal_request,
)
from vault.ring import Ring
from vault.rings import client_ring, gateway_ring

BATCH = 500


def rotate() -> dict[str, int]:
    """Re-seal what an older key sealed; returns the number of rows by field.

    Each row is replaced only if it still holds the value that was read, so it may run beside
    everything else, be killed, and be run again. Raises RingError at a value that does not open.
    """
    return {
        "interface private keys": _rotate(
            Interface.objects.values_list("pk", "uuid", "private_key"),
            Interface,
            "private_key",
            gateway_ring(),
            lambda uuid, value: seal_interface_key(uuid, open_interface_key(uuid, value)),
        ),
        "preshared keys": _rotate(
            Peer.objects.exclude(preshared_key="").values_list("pk", "uuid", "preshared_key"),
            Peer,
            "preshared_key",
            gateway_ring(),
            _reseal_preshared_key,
        ),
        "client private keys": _rotate(
            PeerKey.objects.values_list("pk", "peer__uuid", "private_key"),
            PeerKey,
            "private_key",
            client_ring(),
            lambda uuid, value: seal_private_key(uuid, open_private_key(uuid, value)),
        ),
        "bulk requests": _rotate(
            BulkRun.objects.exclude(request="").values_list("pk", "uuid", "request"),
            BulkRun,
            "request",
            client_ring(),
            lambda uuid, value: seal_request(uuid, open_request(uuid, value)),
        ),
    }


def _reseal_preshared_key(uuid: UUID, value: str) -> str:
    key = open_preshared_key(uuid, value)
    return "" if key is None else seal_preshared_key(uuid, key)


def _rotate(
    rows: QuerySet[Model, tuple[int, UUID, str]],
    model: type[Model],
    field: str,
    ring: Ring,
    reseal: Callable[[UUID, str], str],
) -> int:
    done = 0
    for pk, uuid, value in _in_batches(rows):
        if ring.is_current(value):
            continue
        done += model._default_manager.filter(pk=pk, **{field: value}).update(
            **{field: reseal(uuid, value)}
        )
    return done


def _in_batches(
    rows: QuerySet[Model, tuple[int, UUID, str]],
) -> Iterator[tuple[int, UUID, str]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield from batch
        last = batch[-1][0]
