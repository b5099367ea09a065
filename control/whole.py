"""Tier 2: the whole of an interface stated in one text, without a restart."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from control import meters
from control.applied import Notes
from control.desired import Loaded, device, load_all
from control.guard import split
from control.harvest import read_all, read_off
from control.work import Row
from gateways.drivers import Station
from gateways.models import Interface
from peers.models import Peer
from wireguard.types import PeerConfig, PeerStatus


def synchronise(interface: Interface, post: Station) -> None:
    """Tier 2: `wg syncconf` of a text that states everything, blocked peers included.

    Whoever is not in the text is removed, frozen and read before. So a peer that runs stays in it
    as it is, unless its row can be sent, or says that it shall go.
    """
    interface.refresh_from_db()
    loaded = load_all(interface)
    running = read_all(interface, post, loaded.rows).dump.peers
    rows = [row for row in loaded.rows if _may_run(interface, loaded, row)]
    present = [row for row in rows if row.config.allowed_ips or row.applied_key]
    texts = [row.config for row in present]
    texts += _kept(interface, loaded, running, {config.public_key for config in texts})
    # What is gone begins at 0 when the text adds it.
    meters.close(row.id for row in present if row.counted_key not in running)
    here = {config.public_key for config in texts}
    frozen = [PeerConfig(key) for key in running if key not in here]
    post.driver.sync(device(interface, [*texts, *frozen]))
    read_off(interface, post, loaded.rows)
    if frozen:
        post.driver.sync(device(interface, texts))
    _note(interface, loaded, {row.id for row in present})


def _kept(
    interface: Interface, loaded: Loaded, running: Mapping[str, PeerStatus], named: set[str]
) -> list[PeerConfig]:
    """Peers that stay as they run: their row cannot be sent, or they have none (the guard)."""
    held = {row.applied_key for row in loaded.rows if row.live} - named
    spoken = set(Peer.objects.filter(interface=interface).values_list("public_key", flat=True))
    spoken |= {row.applied_key for row in loaded.rows}
    _, guarded = split(
        [key for key in running if key not in spoken],
        running=len(running),
        live_rows=sum(row.live for row in loaded.rows),
        recorded=running,
    )
    rotated = {row.applied_key for row in loaded.rows if row.applied_key != row.config.public_key}
    keys = ((held - rotated) | set(guarded) | set(interface.guard_keys)) - named
    return [
        PeerConfig(key, status.allowed_ips, status.preshared_key, status.persistent_keepalive)
        for key in sorted(keys)
        if (status := running.get(key)) is not None
    ]


def _may_run(interface: Interface, loaded: Loaded, row: Row) -> bool:
    return (
        row.live
        and not row.quarantined
        and row.id not in loaded.problems
        and row.config.public_key != interface.public_key
    )


def _note(interface: Interface, loaded: Loaded, up: set[int]) -> None:
    notes = Notes(seq=interface.apply_seq + 1, at=timezone.now())
    for row in loaded.rows:
        if row.id in up:
            notes.present(row, row.config)
            if row.counted_key != row.config.public_key:
                notes.closed.append(row.id)
        elif row.applied_key and row.deleted:
            notes.absent(row, row.applied_key)
            notes.reached(row)
    with transaction.atomic():
        Interface.objects.filter(pk=interface.pk).update(apply_seq=notes.seq)
        interface.apply_seq = notes.seq
        notes.write()
