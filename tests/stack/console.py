"""The commands of a stack without the start of Django for each: one process that is set up forks.

``python -m tests.stack.console SOCKET`` sets Django up, with the environment it was given, and then
runs `manage.py` as often as it is asked to, each time in a child of its own: what a command leaves
behind in memory, opens or locks ends with it, as with a process of its own. A start of Django costs
two seconds of a processor, a child a tenth of it.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import IO, NamedTuple

import django
from django.urls import get_resolver

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_COMMAND_SECONDS = 120.0


class Ended(NamedTuple):
    """How a command ended; -9 is one that was killed."""

    status: int
    output: str
    errors: str


class Console:
    """The process, seen from a test. Any number of threads may `run` commands."""

    def __init__(self, address: Path, env: dict[str, str], log: IO[bytes]) -> None:
        self._address = str(address)
        self.env = env
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stack.console", self._address],
            cwd=ROOT,
            env={"DJANGO_SETTINGS_MODULE": "vwg.settings", **env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def run(self, *words: str) -> Ended:
        """`manage.py WORDS` to its end."""
        with self._connect() as line, line.makefile("rb") as answer:
            line.sendall(json.dumps(words).encode() + b"\n")
            told = answer.readline()
        return Ended(*json.loads(told)) if told else Ended(-signal.SIGKILL, "", "it was killed")

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(_COMMAND_SECONDS)
            try:
                line.connect(self._address)
            except (FileNotFoundError, ConnectionRefusedError):
                line.close()
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return line

    def close(self) -> None:
        """End it, and what it still runs."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def serve(address: str) -> None:
    """Take commands until it is killed; a child for each."""
    django.setup()
    get_resolver().url_patterns  # noqa: B018  every view, once: each command's checks ask for them
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are nobody's zombies
    while True:
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(line)
        line.close()


def _answer(line: socket.socket) -> None:
    """In the child: one command, and how it ended."""
    words = json.loads(line.makefile("rb").readline())
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        status = _manage(words)
        sys.stdout.flush()
        sys.stderr.flush()
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    line.sendall(json.dumps([status, *texts]).encode() + b"\n")
    os._exit(0)


def _manage(words: list[str]) -> int:
    sys.argv = ["manage.py", *words]
    try:
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
