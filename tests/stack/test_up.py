"""`make up` and `make down` as an operator meets them, from the point where packages are there."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deploy import ownership
from tests.stack.conftest import short_path
from tests.stack.databases import ROOT, fill_sqlite, own_environment
from tests.stack.processes import free_port, run

pytestmark = [pytest.mark.stack, pytest.mark.wg]
_PROGRAMS = {"redis", "web", "control", "gateway", "beat"}


class Box:
    """A machine's vwg: a state directory, a namespace, and `make up` in a terminal of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.name = f"vwd{os.urandom(3).hex()}"
        self.port = free_port()
        self.output = state.parent / "output"
        self.env = {
            **own_environment(),
            "VWG_ENV_FILE": str(state.parent / "env"),
            "VWG_STATE_DIR": str(state),
            "VWG_BIND": f"127.0.0.1:{self.port}",
            "VWG_PUBLIC_URL": f"http://localhost:{self.port}",
            "VWG_ENDPOINT": "10.99.0.1",
            "VWG_INTERFACE": self.name,
            "VWG_NETNS": self.name,
        }
        self._up: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it and wait until it answers; what it printed so far."""
        with self.output.open("wb") as output:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "deploy.up"],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.wait_until(lambda: "vwg is ready" in self.printed(), 60)
        return self.printed()

    def printed(self) -> str:
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def press_ctrl_c(self) -> float:
        """SIGINT to the whole foreground group, as a terminal does; seconds until all is gone."""
        assert self._up
        begin = time.monotonic()
        os.killpg(self._up.pid, signal.SIGINT)
        self._up.wait(20)
        return time.monotonic() - begin

    def call(self, *words: str, bare: bool = False) -> "subprocess.CompletedProcess[str]":
        """Another command of the operator's, in another terminal; ``bare``: without the knobs."""
        argv = [sys.executable, *words]
        few = {**own_environment(), "VWG_STATE_DIR": self.env["VWG_STATE_DIR"]}
        env = few if bare else self.env
        return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)

    def programs(self) -> dict[str, int]:
        """Program name -> process id, as the supervisor last spawned them."""
        log = (self.state / "log" / "supervisord.log").read_text()
        return {name: int(pid) for name, pid in re.findall(r"spawned: '(\w+)' with pid (\d+)", log)}

    def answers(self, path: str = "/healthz/ready") -> bool:
        address = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def link(self) -> str:
        """Index, name, alias and flags of the interface; empty when there is none."""
        with suppress(AssertionError):
            return run("ip", "-n", self.name, "-d", "link", "show", self.name)
        return ""

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.05)

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._up and self._up.poll() is None:
            self._up.terminate()
            self._up.wait(20)
        if self.link():
            self.call("-m", "deploy.down")
        run("ip", "netns", "delete", self.name)


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A machine on which vwg has never run."""
    with placed(short_path(tmp_path_factory)) as box:
        yield box


@pytest.fixture
def prepared(fresh: Box) -> Box:
    """The same, whose database is migrated already."""
    fresh.state.mkdir(mode=0o700)
    fill_sqlite(fresh.state / "vwg.sqlite3")
    return fresh


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A vwg that was started and answers."""
    with placed(short_path(tmp_path_factory)) as box:
        box.state.mkdir(mode=0o700)
        fill_sqlite(box.state / "vwg.sqlite3")
        box.start()
        box.wait_until(box.answers, 30)
        yield box


@contextmanager
def placed(state: Path) -> Iterator[Box]:
    """A machine with an empty namespace; nothing of it stays."""
    box = Box(state)
    run("ip", "netns", "add", box.name)
    run("ip", "-n", box.name, "link", "set", "lo", "up")
    try:
        yield box
    finally:
        box.end()


def files(box: Box) -> dict[str, str]:
    """What a start must leave alone: secrets, and keys, clients and users in the database."""
    dump = box.call(
        "manage.py", "dumpdata", "gateways.gateway", "gateways.addresspool", "tenants", "peers"
    )
    keys = box.call(
        "manage.py", "shell", "--no-imports", "-c",
        "from gateways.models import Interface as I; print(list(I.objects.values_list("
        "'private_key', 'public_key', 'listen_port', 'addresses', 'stamp')))",
    )  # fmt: skip
    assert dump.returncode == keys.returncode == 0, dump.stderr + keys.stderr
    rows = re.sub(r'"last_seen_at": [^,]+,', "", dump.stdout)
    return {"env": Path(box.env["VWG_ENV_FILE"]).read_text(), "rows": rows, "keys": keys.stdout}


@pytest.mark.alone  # it measures two times
def test_ctrl_c_and_a_second_start_change_nothing(fresh: Box) -> None:
    box = fresh
    first = box.start()
    # What the worker has seen of its host by its first look is there for good, too.
    box.wait_until(lambda: '"host_id": ""' not in files(box)["rows"], 20)
    before, link = files(box), box.link()
    daemon = run("pgrep", "-f", f"wireguard-go {box.name}").split()
    programs = box.programs()

    stopping = box.press_ctrl_c()

    assert stopping <= 10
    assert {pid for pid in programs.values() if Path(f"/proc/{pid}").exists()} == set()
    assert box.link() == link
    assert "one-time password" in first

    begin = time.monotonic()
    second = box.start()

    assert time.monotonic() - begin < 30  # 6 s on two idle cores; these may be busy
    assert "password" not in second
    assert files(box) == before
    assert box.link() == link
    assert run("pgrep", "-f", f"wireguard-go {box.name}").split() == daemon


def test_a_start_beside_a_running_one_is_refused_and_harmless(running: Box) -> None:
    box = running
    programs = box.programs()

    refused = box.call("-m", "deploy.up")

    assert refused.returncode == 1
    assert "already running" in refused.stderr
    assert box.programs() == programs
    assert box.answers("/healthz/live")


def test_whatever_dies_comes_back(running: Box) -> None:
    box = running
    before = box.programs()
    assert set(before) == _PROGRAMS

    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    box.wait_until(lambda: all(box.programs()[name] != before[name] for name in _PROGRAMS), 15)
    box.wait_until(box.answers, 45)


def test_down_stops_the_stack_and_takes_the_interface_down(running: Box) -> None:
    """From a shell that was not told what `make up` was: that is noted beside the database."""
    box = running
    assert box.link()
    doctor = box.call("manage.py", "doctor", bare=True)
    assert f"{box.name}: is up and vwg's own" in doctor.stdout, doctor.stdout + doctor.stderr

    down = box.call("-m", "deploy.down", bare=True)

    assert down.returncode == 0, down.stderr
    assert box.link() == ""
    assert ownership.holder(box.state) is None


def test_a_taken_port_is_said_and_nothing_is_started(prepared: Box) -> None:
    box = prepared
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(box.port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as other:
        address = f"http://127.0.0.1:{box.port}/"

        def listens() -> bool:
            with suppress(OSError), urllib.request.urlopen(address):
                return True
            return False

        box.wait_until(listens, 10)
        refused = box.call("-m", "deploy.up")
        other.terminate()

    assert refused.returncode == 1
    assert "cannot listen on" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (box.state / "supervisord.pid").exists()
