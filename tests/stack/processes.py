"""A whole vwg of one test: its own Redis, database, web, workers and beat, and its own interface.

The processes are those of `make up` (the commands come from the same rendered configuration), but
nobody restarts them: a test that kills one decides what happens next. The interface lives in a
network namespace of its own; web and workers stay outside and talk over a free loopback port.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from deploy import environment, supervision
from tests.stack.console import Console
from tests.stack.databases import ROOT, Tenancy, fill_sqlite, fill_static, own_environment

_START_SECONDS = 60.0
#: The steps of `make up` that are not done already.
_PREPARE = """
import django
from django.core.management import call_command as call
call("migrate", verbosity=0, interactive=False)
call("createcachetable")
if django.conf.settings.VWG_WEB_DATABASE_URL:
    call("row_security")
call("setup")
call("link_up")
"""


class Stack:
    """A context manager. ``settings`` are environment variables on top, like ``LOG_LEVEL``."""

    def __init__(
        self, state: Path, *, cluster_url: str | None = None, settings: dict[str, str] | None = None
    ) -> None:
        tag = secrets.token_hex(3)
        self.state = state
        self.netns = f"vwd{tag}"
        self.interface = f"vwd{tag}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._cluster_url = cluster_url
        self._tenancy: Tenancy | None = None
        self._settings = settings or {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: dict[str, IO[bytes]] = {}
        self._console: Console | None = None
        self.env: dict[str, str] = {}
        self.commands: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        try:
            self._prepare()
            for name in self.commands:
                self.start(name)
            self.wait_until(self.is_ready, "the stack is ready", seconds=_START_SECONDS)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    # -- preparing and ending ---------------------------------------------------------------

    def _prepare(self) -> None:
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        environment.ensure_environment(self.state / "env")
        self.env = {
            **own_environment(),
            "VWG_ENV_FILE": str(self.state / "env"),
            "VWG_STATE_DIR": str(self.state),
            "VWG_BIND": f"127.0.0.1:{self.port}",
            "VWG_PUBLIC_URL": f"http://localhost:{self.port}",
            "VWG_ENDPOINT": "10.99.0.1",
            "VWG_NETNS": self.netns,
            "VWG_INTERFACE": self.interface,
            "VWG_ADMIN_PASSWORD": f"pw-{self.netns}-Xq7",
            **self._settings,
        }
        if self._cluster_url:
            self._tenancy = Tenancy(self._cluster_url, f"vwd_{self.netns[3:]}")
            self.env["DATABASE_URL"] = self._tenancy.url
            self.env["VWG_WEB_DATABASE_URL"] = self._tenancy.web_url
        else:
            fill_sqlite(self.state / "vwg.sqlite3")
        fill_static(self.state / "static")
        run("ip", "netns", "add", self.netns)
        run("ip", "-n", self.netns, "link", "set", "lo", "up")
        config = supervision.render(state=self.state, gateway="local", private_redis=True)
        supervision.write(config, state=self.state)
        self.commands = supervision.commands(config)
        self._logs["console"] = (self.state / "log" / "console.log").open("ab")
        self._console = Console(self.state / "console", self.env, self._logs["console"])
        self.manage("shell", "--no-imports", "-c", _PREPARE)

    def _end(self) -> None:
        """Leave nothing behind, at once: nothing of it is asked any more."""
        for name in list(self._processes):
            self.kill(name)
        if self._console:
            self._console.close()
        for log in self._logs.values():
            log.close()
        if self.netns in run("ip", "netns", "list"):
            self._clear_namespace()
        if self._tenancy:
            self._tenancy.drop()

    def _clear_namespace(self) -> None:
        """Delete its links, upon which their daemons end by themselves; then what is left."""
        for link in json.loads(run("ip", "-n", self.netns, "-json", "link"))[1:]:  # without "lo"
            run("ip", "-n", self.netns, "link", "delete", link["ifname"], check=False)
        deadline = time.monotonic() + 2.0
        while (pids := run("ip", "netns", "pids", self.netns).split()) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.02)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "delete", self.netns)

    # -- its processes ----------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start a program of `make up`: redis, web, control, gateway or beat."""
        if name not in self._logs:
            self._logs[name] = (self.state / "log" / f"{name}.log").open("ab")
        log = self._logs[name]
        self._processes[name] = subprocess.Popen(
            self.commands[name],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def pid(self, name: str) -> int:
        """The process id of a program; for a worker, its parent."""
        return self._processes[name].pid

    def signal_group(self, name: str, signal_number: signal.Signals) -> None:
        """Send a signal to a program and all of its children (SIGKILL, SIGSTOP, SIGCONT)."""
        os.killpg(self.pid(name), signal_number)

    def stop(self, name: str, *, seconds: float = 8.0) -> None:
        """End a program: SIGTERM, then SIGKILL for what is left of its group."""
        process = self._processes.pop(name)
        try:
            os.killpg(process.pid, signal.SIGCONT)
            process.terminate()
            process.wait(seconds)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        self._kill_group(process)

    def kill(self, name: str) -> None:
        """End a program and its children with SIGKILL."""
        self._kill_group(self._processes.pop(name))

    def _kill_group(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)

    def drop_connections(self) -> None:
        """What a restart of PostgreSQL does: every connection is gone. SQLite has none to lose."""
        if self._tenancy:
            self._tenancy.drop_connections()

    def log(self, name: str) -> str:
        """All that a program wrote."""
        return (self.state / "log" / f"{name}.log").read_text(errors="replace")

    # -- what tests ask ---------------------------------------------------------------------

    def manage(self, *words: str, check: bool = True) -> str:
        """Run `manage.py WORDS` with this stack's settings; its standard output."""
        assert self._console
        assert self._console.env == self.env  # a console knows what it began with
        ended = self._console.run(*words)
        if check and ended.status:
            raise AssertionError(f"manage.py {' '.join(words[:3])}: {ended}")
        return ended.output

    def token(self, *options: str) -> str:
        """A bearer token of the default tenant with every scope."""
        words = ("create_token", "--tenant", "default", "--name", secrets.token_hex(4))
        return self.manage(*words, "--scopes", "*", *options).strip().splitlines()[-1]

    def wg(self, *words: str) -> str:
        """`wg show INTERFACE WORDS` inside the namespace."""
        return run("ip", "netns", "exec", self.netns, "wg", "show", self.interface, *words)

    def is_ready(self) -> bool:
        """Whether /healthz/ready answers 200."""
        address = f"{self.url}/healthz/ready"
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310  http only
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def wait_until(
        self, condition: Callable[[], bool], what: str, *, seconds: float = 15.0
    ) -> float:
        """Wait for a condition; the seconds it took. Fails with the ends of all logs."""
        begin = time.monotonic()
        while not condition():
            if time.monotonic() - begin > seconds:
                ends = "\n".join(self._end_of(name) for name in self._logs)
                raise AssertionError(f"not within {seconds} s: {what}\n{ends}")
            time.sleep(0.05)
        return time.monotonic() - begin

    def _end_of(self, name: str) -> str:
        """The end of a program's log; more of it where the program has ended by itself."""
        process = self._processes.get(name)
        died = process is not None and process.poll() is not None
        state = f" (ended by itself: {process.returncode})" if died and process else ""
        return f"-- {name}{state}\n{self.log(name)[-8000 if died else -1500 :]}"


def free_port() -> int:
    """A loopback TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*argv: str, env: dict[str, str] | None = None, check: bool = True) -> str:
    """Run a command to its end and return what it printed; a failure shows its errors."""
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    if check and done.returncode:
        command = " ".join(argv[:4])
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
