"""The boot file: who may connect, on disk, in the form of wg-quick(8).

It holds entitled peers only, so that a reboot never revives an expired client nor forgets a new
one. It is written beside its place, synced and renamed, 0600: old or new, never cut. Next to it
lies a note of the link's stamp, by which a worker knows its own link when the database is older.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from control.desired import device, load_all
from gateways.models import GlobalSetting, Interface
from wireguard.config import parse, render_quick
from wireguard.errors import InvalidConfig
from wireguard.types import DeviceConfig, PeerConfig

logger = logging.getLogger("WireGuard")


def path_of(interface: Interface) -> Path:
    """Where the boot file lies: the global setting's path for the default interface, or ours."""
    if interface.is_default:
        chosen = GlobalSetting.objects.values_list("config_file_path", flat=True).get(pk=1)
        if chosen:
            return Path(chosen)
    return local_path(interface.name)


def local_path(name: str) -> Path:
    """The boot file's place in the state directory; needs no database."""
    return settings.VWG_STATE_DIR / "interfaces" / f"{name}.conf"


def stamp_path(name: str) -> Path:
    """The note of the link's stamp and of how to bring it up."""
    return settings.VWG_STATE_DIR / "interfaces" / f"{name}.json"


def write(interface: Interface) -> int:
    """Write the boot file from the rows; returns the number of peers in it.

    Peers that run without a record (see the guard) stay in it until an operator decides.
    """
    dirty = Interface.objects.filter(pk=interface.pk)
    dirty.update(boot_dirty_since=None)  # before the rows are read: a later change marks it anew
    try:
        return _write(interface)
    except BaseException:
        dirty.update(boot_dirty_since=timezone.now())
        raise


def _write(interface: Interface) -> int:
    peers = entitled(interface)
    peers += _guarded(interface, {peer.public_key for peer in peers})
    put(path_of(interface), render_quick(device(interface, peers)))
    put_note(interface)
    return len(peers)


def put_note(interface: Interface) -> None:
    """Write the note beside the boot file."""
    put(stamp_path(interface.name), json.dumps(link_note(interface)))


def link_note(interface: Interface) -> dict[str, object]:
    """What a bring-up without the database must know beside the boot file."""
    return {
        "stamp": interface.stamp,
        "gateway": interface.gateway.slug,
        "netns": interface.gateway.netns,
        "backend": interface.backend,
        "forward": interface.forward,
        "nat": interface.nat,
        "written_at": timezone.now().isoformat(),
    }


def read_note(name: str) -> dict[str, object]:
    """The note beside the boot file; empty when there is none."""
    try:
        note = json.loads(stamp_path(name).read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def entitled(interface: Interface) -> list[PeerConfig]:
    """Who may connect: live, not blocked, not quarantined."""
    loaded = load_all(interface)
    return [
        row.config._replace(endpoint=row.config.endpoint or None)
        for row in loaded.rows
        if row.live
        and not row.quarantined
        and row.id not in loaded.problems
        and row.config.allowed_ips
        and row.config.public_key != interface.public_key
    ]


def _guarded(interface: Interface, known: set[str]) -> list[PeerConfig]:
    wanted = set(interface.guard_keys) - known
    if not wanted:
        return []
    return [peer for peer in read(path_of(interface)).peers if peer.public_key in wanted]


def read(path: Path) -> DeviceConfig:
    """The boot file on disk. Raises OSError or InvalidConfig."""
    return parse(path.read_text())


def recorded_keys(interface: Interface) -> frozenset[str]:
    """The keys that the last boot file names: peers that vwg once applied on this host."""
    try:
        return frozenset(peer.public_key for peer in read(path_of(interface)).peers)
    except (OSError, InvalidConfig):
        return frozenset()


def put(path: Path, text: str) -> None:
    """Replace a file by ``text``: temporary file, fsync, rename, fsync of the directory; 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
