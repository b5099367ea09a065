"""Running a command on the gateway's host: no shell, a deadline, and nothing left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from wireguard.errors import CommandMissing, DriverForbidden, DriverRejected, DriverUnavailable

REAP_S: Final = 1.0
"""How long a killed command may take to die before it is given up (seconds)."""


class Completed(NamedTuple):
    """How a command ended, and all it wrote."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Runner(Protocol):
    """Runs one command to its end.

    ``stdin`` is all the command may read (empty: /dev/null). ``pass_fds`` are descriptors it
    inherits under the same numbers. ``timeout`` is in seconds. Raises `DriverUnavailable` on a
    time-out, `CommandMissing` when the program is not installed,
    `DriverRejected` when the arguments do not fit into one call. A command that fails raises
    nothing: that is for the caller to judge.
    """

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 5.0,
        pass_fds: Sequence[int] = (),
    ) -> Completed: ...


class LocalRunner:
    """Runs commands on this host, each behind ``prefix`` (``("sudo", "-n")``, say).

    Each gets a session of its own, so that a time-out can kill all of it and sudo finds no
    terminal to stop on. (Measured: a session costs no more than a process group, 1.1 ms a spawn;
    ``preexec_fn`` would cost 20 ms, because it rules out vfork.)
    """

    def __init__(self, prefix: tuple[str, ...] = ()) -> None:
        self.prefix = prefix

    def __repr__(self) -> str:
        return f"LocalRunner({self.prefix!r})"

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 5.0,
        pass_fds: Sequence[int] = (),
    ) -> Completed:
        """Run ``argv``; see `Runner`. Output is read whole, whatever its size."""
        process = self._start([*self.prefix, *argv], bool(stdin), pass_fds)
        try:
            stdout, stderr = process.communicate(stdin or None, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise DriverUnavailable(
                f"{Path(argv[0]).name} did not answer within {timeout:g} s"
            ) from None
        finally:
            if process.poll() is None:  # a time-out, or an exception such as a soft time limit
                _kill(process)
        return Completed(process.returncode, stdout, stderr)

    def _start(
        self, words: list[str], wants_stdin: bool, pass_fds: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                words,
                stdin=subprocess.PIPE if wants_stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
                pass_fds=pass_fds,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise CommandMissing(f"the command {words[0]} is not installed") from None
        except PermissionError:
            raise DriverForbidden(f"the command {words[0]} may not be run by this user") from None
        except OSError as error:
            if error.errno == errno.E2BIG:  # retrying is in vain, fewer words at once are not
                raise DriverRejected("too many arguments at once", explained=True) from None
            # No memory, no process or descriptor left: all pass.
            raise DriverUnavailable(f"{words[0]} could not be started: {error.strerror}") from None


def _environment() -> dict[str, str]:
    """The least a command needs. PATH is read at each call; LD_*, BASH_ENV and secrets stay."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C",
    }


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole session and reap its leader; give up after `REAP_S` seconds.

    sudo's processes belong to root and may refuse the signal: then closed pipes are all we can
    do, and the caller is still told in time.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=REAP_S)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
