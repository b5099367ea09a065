"""A `wg` that fails on request, put first in the PATH of the gateway's workers alone.

The product runs unchanged: the shim is a script that does what the file `fault` beside it says and
otherwise becomes the real `wg`. One fault is one line, ``PATTERN ACTION ARGUMENT``; PATTERN is a
shell pattern over the words of the call. Whoever claims the file has the fault; it happens once,
or, in the file `always`, every time.

==============  ==================================================================================
kill_before     kill -9 of the worker; nothing is sent
kill_after      the change is made, then kill -9 of the worker, which never hears of it
kill_soon       the change is made and answered; kill -9 of the worker some milliseconds later
hang            say so in the file `hanging`, wait until `release` is there, then do it
fail            refuse with rc 1; ARGUMENT is the text (underscores for blanks)
lie             rc 0, and nothing is done
eio             the change is made, and reported as failed
trunc           the last ARGUMENT bytes of the output are missing, rc 0
==============  ==================================================================================

ARGUMENT of a kill is `all` (the worker with all its children) or `child` (the process of the pool
that made the call; Celery starts another); that of `kill_soon` goes on with `:SECONDS`.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

_SCRIPT = r"""#!/bin/sh
here={here}
real={real}
printf '%s\n' "$*" >>"$here/argv"
[ ! -e "$here/log-environ" ] || tr '\0' '\n' </proc/$$/environ >>"$here/environ"
for file in "$here/fault" "$here/always"; do
    [ -e "$file" ] || continue
    read -r pattern action argument <"$file" || continue
    # shellcheck disable=SC2254
    case "$*" in $pattern) ;; *) continue ;; esac
    [ "$file" = "$here/always" ] || mv "$file" "$here/claimed" 2>/dev/null || continue
    worker=$(ps -o pgid= -p $PPID | tr -d ' ')
    # Never a signal to anything but a worker: -1 would be every process.
    [ "$PPID" -gt 1 ] && [ "${{worker:-0}}" -gt 1 ] || exit 99
    grep -q celery "/proc/$worker/cmdline" || exit 99
    case $argument in child*) victim=$PPID ;; *) victim=-$worker ;; esac
    echo "$worker $PPID" >"$here/caller"
    case $action in
    kill_before) /bin/kill -KILL -- "$victim"; exit 137 ;;
    kill_after) "$real" "$@"; /bin/kill -KILL -- "$victim"; exit 137 ;;
    kill_soon)
        (sleep "${{argument#*:}}"; /bin/kill -KILL -- "$victim") >/dev/null 2>&1 </dev/null &
        exec "$real" "$@" ;;
    hang)
        echo "$worker $PPID" >"$here/hanging.new"; mv "$here/hanging.new" "$here/hanging"
        while [ ! -e "$here/release" ]; do sleep 0.02; done
        exec "$real" "$@" ;;
    fail) echo "$argument" | tr _ ' ' >&2; exit 1 ;;
    lie) exit 0 ;;
    eio) "$real" "$@"; echo 'Unable to modify interface: Input/output error' >&2; exit 1 ;;
    trunc) "$real" "$@" | head -c "-$argument"; exit 0 ;;
    esac
done
exec "$real" "$@"
"""


class Shim:
    """The script and its files in one directory, which goes first into a PATH."""

    def __init__(self, directory: Path) -> None:
        real = shutil.which("wg")
        assert real, "wg is not installed"
        directory.mkdir(mode=0o700)
        self.directory = directory
        script = directory / "wg"
        script.write_text(_SCRIPT.format(here=directory, real=real))
        script.chmod(0o755)

    @property
    def path(self) -> str:
        """The PATH for a worker."""
        return f"{self.directory}:{os.environ['PATH']}"

    def arm(self, pattern: str, action: str, argument: str = "-", *, always: bool = False) -> None:
        """Set a fault for the next call (or every call) whose words match; no blanks in a word."""
        self._unlink("claimed", "caller", "hanging", "release")
        new = self.directory / "new"
        new.write_text(f"{pattern} {action} {argument}\n")
        new.replace(self.directory / ("always" if always else "fault"))

    def disarm(self) -> None:
        """No fault any more; whoever hangs is let go."""
        self._unlink("fault", "always")
        (self.directory / "release").touch()

    def release(self) -> None:
        """Let the call that hangs go on."""
        (self.directory / "release").touch()

    @property
    def struck(self) -> bool:
        """Whether the fault has happened."""
        return (self.directory / "claimed").exists()

    def hanging_worker(self, *, seconds: float = 15.0) -> tuple[int, int]:
        """Wait until a call hangs; who waits for it: the worker's parent, and the child."""
        file = self.directory / "hanging"
        deadline = time.monotonic() + seconds
        while not file.exists():
            assert time.monotonic() < deadline, f"no call hung within {seconds} s"
            time.sleep(0.01)
        parent, child = file.read_text().split()
        return int(parent), int(child)

    def caller(self) -> int:
        """The process of the pool that made the call which met the fault; 0 before."""
        file = self.directory / "caller"
        words = file.read_text().split() if self.struck and file.exists() else []
        return int(words[1]) if len(words) == 2 else 0  # the shell has made it, and not written it

    def calls(self) -> list[str]:
        """The words of every call so far."""
        file = self.directory / "argv"
        return file.read_text().splitlines() if file.exists() else []

    def _unlink(self, *names: str) -> None:
        for name in names:
            (self.directory / name).unlink(missing_ok=True)
