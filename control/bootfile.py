"""The boot file: who may connect, on disk, in the form of wg-quick(8).

It holds entitled peers only, so that a reboot never revives an expired client nor forgets a new
one; and those of the last file of which no row speaks any more (an emptied table, a restored
backup): they wait there as they do on the interface, until an operator decides. It is written
beside its place, synced and renamed, 0600: old or new, never cut. Next to it lies a note of the
link's stamp, by which a worker knows its own link when the database is older.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from control import sections
from control.desired import device
from control.guard import split
from gateways.models import GlobalSetting, Interface
from peers.models import Peer
from wireguard.config import parse, render_peers, render_quick
from wireguard.errors import InvalidConfig
from wireguard.types import DeviceConfig, PeerConfig

logger = logging.getLogger("WireGuard")

_PUBLIC_KEYS = re.compile(r"^PublicKey = (\S+)$", re.MULTILINE)


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
    with _writing(interface.name):
        return _write_marked(interface)


def _write_marked(interface: Interface) -> int:
    dirty = Interface.objects.filter(pk=interface.pk)
    dirty.update(boot_dirty_since=None)  # before the rows are read: a later change marks it anew
    try:
        return _write(interface)
    except BaseException:
        dirty.update(boot_dirty_since=timezone.now())
        raise


def _write(interface: Interface) -> int:
    peers = sections.entitled(interface)
    peers += [render_peers([peer]) for peer in _unrecorded(interface)]
    put(path_of(interface), "\n".join([render_quick(device(interface, ())), *peers]))
    put_note(interface)
    return len(peers)


def put_note(interface: Interface) -> None:
    """Write the note beside the boot file."""
    put(stamp_path(interface.name), json.dumps(link_note(interface)))


def link_note(interface: Interface) -> dict[str, object]:
    """What a bring-up without the database must know beside the boot file."""
    return {
        "stamp": interface.stamp,
        "boot_file": str(path_of(interface)),
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


def _unrecorded(interface: Interface) -> list[PeerConfig]:
    """Peers of the last file that no row speaks of, and that the guard keeps: those that an
    observation has put under it, and those that it is about to, by the same rule.
    """
    try:
        text = path_of(interface).read_text()
    except OSError:
        return []
    last = set(_PUBLIC_KEYS.findall(text))
    rows = Peer.objects.filter(interface=interface)
    spoken = {key for pair in rows.values_list("public_key", "applied_key") for key in pair}
    lost = last - spoken
    if not lost:  # as nearly always, and then the file is not taken apart: 10,000 peers take long
        return []
    live = rows.filter(deleted_at=None).count()
    _, guarded = split(lost, running=len(last), live_rows=live, recorded=lost)
    kept = lost & {*guarded, *interface.guard_keys}
    try:
        return [peer for peer in parse(text).peers if peer.public_key in kept]
    except InvalidConfig:
        return []


def forget(interface: Interface, keys: Collection[str]) -> None:
    """Take these peers out of the file: an operator decided that they shall go."""
    path = path_of(interface)
    with _writing(interface.name):
        try:
            last = read(path)
        except (OSError, InvalidConfig):
            return
        kept = tuple(peer for peer in last.peers if peer.public_key not in keys)
        put(path, render_quick(last._replace(peers=kept)))


@contextmanager
def _writing(name: str) -> Iterator[None]:
    """One writer of a boot file at a time, from reading the rows to the new file in its place."""
    path = settings.VWG_STATE_DIR / "interfaces" / f"{name}.conf.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
