"""What this host's kernel was armed with, on disk: the table, and what was left when it was made.

A note of this host, like the one of a link's stamp: it is worth nothing after a reboot, and less
than what the kernel shows. Without it everything is armed anew.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from gateways.models import Interface
from wireguard.cutoff import Key, Quota, Way
from wireguard.host import boot_id, netns_id


@dataclass(frozen=True)
class Note:
    """``left``: billed bytes left of each limit at ``at`` (seconds since 1970); also of those that
    are not armed, where nobody can be.
    """

    table: Mapping[Key, Quota] = field(default_factory=dict)
    left: Mapping[Key, int] = field(default_factory=dict)
    #: The newest dump whose ledger is in it.
    number: int = 0
    #: +1 with every change.
    serial: int = 0
    at: float = 0.0


def read(interface: Interface) -> Note:
    """The note of this interface's table; an empty one if there is none of this boot."""
    try:
        content = json.loads(_path(interface).read_text())
        if content.pop("home") != _home(interface):
            return Note()
        return Note(
            table={
                Key(client, Way(way)): Quota(limit, tuple(networks))
                for client, way, limit, networks in content.pop("table")
            },
            left={Key(client, Way(way)): left for client, way, left in content.pop("left")},
            **content,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Note()


def write(interface: Interface, note: Note) -> Note:
    """Put the next note in the place of the last; returns it, with its serial number."""
    note = replace(note, serial=note.serial + 1)
    content: dict[str, Any] = {
        "home": _home(interface),
        "table": [[*key, quota.limit, quota.networks] for key, quota in note.table.items()],
        "left": [[*key, left] for key, left in note.left.items()],
        "number": note.number,
        "serial": note.serial,
        "at": note.at,
    }
    path = _path(interface)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)
        Path(name).replace(path)  # not synced: after a power cut it is of another boot
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return note


def _path(interface: Interface) -> Path:
    return Path(settings.VWG_STATE_DIR) / "cutoff" / f"{interface.name}.json"


def _home(interface: Interface) -> list[str | int]:
    return [str(interface.uuid), boot_id(), netns_id(interface.gateway.netns or None)]
