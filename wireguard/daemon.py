"""WireGuard in user space: the process behind a link on a kernel that has none of its own."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Final, NamedTuple

from wireguard.errors import DriverUnavailable
from wireguard.host import netns_id
from wireguard.steps import Steps

STARTED_WITHIN_S: Final = 5.0
ENDED_WITHIN_S: Final = 2.0
_PAUSE_S: Final = 0.005


class Flavour(NamedTuple):
    """What one command-line tool goes with: the kernel's link kind, the daemon, its sockets."""

    kind: str
    program: str
    sockets: Path


FLAVOURS: Final = {
    "wg": Flavour("wireguard", "wireguard-go", Path("/var/run/wireguard")),
    "awg": Flavour("amneziawg", "amneziawg-go", Path("/var/run/amneziawg")),
}


class Daemon:
    """The user-space daemon of one interface.

    Its socket lies in the file system, which network namespaces share: two interfaces of one
    host can only both be in user space if their names differ.
    """

    def __init__(self, steps: Steps, flavour: Flavour, name: str, netns: str | None) -> None:
        self._steps = steps
        self._program = flavour.program
        self._name = name
        self._netns = netns
        self.socket_path = flavour.sockets / f"{name}.sock"

    def start(self, outside: Steps) -> None:
        """Start the daemon so that it outlives whoever asks, and wait until it answers.

        ``outside`` runs commands without any prefix: the session is made before sudo or the
        namespace, the working directory is / (it would pin a mount for years), and the daemon
        gives its standard descriptors up itself. Under systemd the asking unit still needs
        KillMode=process, for nothing leaves a control group by itself.
        """
        outside.run(
            "create",
            [
                *("setsid", "--wait", "env", "--chdir=/"),
                *(*self._steps.prefix, self._program, self._name),
            ],
            timeout=STARTED_WITHIN_S,
        )
        deadline = time.monotonic() + STARTED_WITHIN_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise DriverUnavailable(f"create: {self._program} has no socket yet")
            time.sleep(_PAUSE_S)

    def _answers(self) -> bool:
        """Whether somebody listens. A user who may not connect only sees that it is there."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(0.5)
            try:
                probe.connect(str(self.socket_path))
            except PermissionError:
                return True
            except OSError:
                return False
        return True

    def end(self) -> None:
        """Wait until the daemon of a deleted link is gone; one that hangs is killed.

        A healthy daemon ends by itself when its link is deleted. Raises `DriverUnavailable` if
        even a killed one does not go.
        """
        if not self._gone_within(ENDED_WITHIN_S):
            for pid in self.pids():
                self._steps.attempt("end", ["kill", "-KILL", str(pid)])
            if not self._gone_within(ENDED_WITHIN_S):
                raise DriverUnavailable(f"end: {self._program} {self._name} does not end")
        if self.socket_path.exists():  # a killed daemon leaves its socket
            self._steps.attempt("end", ["rm", "-f", str(self.socket_path)])

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pids() or self._answers():
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_S)
        return True

    def pids(self) -> list[int]:
        """The processes that are this interface's daemon, in its own namespace (not others')."""
        wanted = [self._program, self._name]
        inode = netns_id(self._netns)
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _command(entry) == wanted and _is_in(entry, inode)
        ]


def _command(process: Path) -> list[str]:
    """Program name and arguments; [] for a zombie, a kernel thread or one that has gone."""
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []
    return [Path(words[0]).name, *words[1:]] if words else []


def _is_in(process: Path, inode: int) -> bool:
    """Whether a process lives in a namespace. Another user's is not readable: taken for ours."""
    try:
        return (process / "ns" / "net").stat().st_ino == inode
    except PermissionError:
        return True
    except OSError:
        return False
