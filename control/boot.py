"""Bringing an interface up from its boot file alone: at boot the database may not be there yet."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from django.conf import settings

from control import bootfile
from gateways.drivers import lock_dir, needs_sudo
from wireguard.errors import InvalidConfig
from wireguard.host import netns_id
from wireguard.link import Link
from wireguard.linkspec import LinkSpec
from wireguard.lock import HostLock
from wireguard.runner import LocalRunner


def boot(name: str) -> str:
    """Bring the link up with exactly the peers of the boot file; says what was done.

    A new link gets a new stamp, noted beside the boot file, by which the workers know it as ours.
    Raises OSError without a boot file, InvalidConfig, a DriverError.
    """
    note = bootfile.read_note(name)
    path = Path(str(note.get("boot_file") or bootfile.local_path(name)))
    device = bootfile.read(path)
    netns = str(note.get("netns") or "") or None
    link = Link(LocalRunner(), name, netns, needs_sudo(), settings.VWG_WG_COMMAND)
    with HostLock(lock_dir(), netns_id(netns), name, timeout_s=30.0):
        if not link.state().exists:
            note = {**note, "stamp": str(uuid.uuid4())}
            bootfile.put(bootfile.stamp_path(name), json.dumps(note))
        stamp = str(note.get("stamp") or "")
        if not stamp:
            raise InvalidConfig(f"{bootfile.stamp_path(name)} names no stamp")
        backend = note.get("backend")
        outcome = link.bring_up(
            LinkSpec(
                name=name,
                device=device,
                stamp=stamp,
                backend=backend if backend in ("kernel", "userspace") else "auto",
                forward=bool(note.get("forward", True)),
                nat=bool(note.get("nat", True)),
                command=settings.VWG_WG_COMMAND,
            )
        )
    return f"{name} {outcome} with {len(device.peers)} peers"
