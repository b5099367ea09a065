"""No secret where it can be read by others (I9): argv, environments, logs, Redis, answers, rows.

Every secret is random, so finding its text is finding a leak. That the net catches at all is shown
by things that must be there: public keys in argv, a task's name in Redis, a client's name in rows.
"""

from __future__ import annotations

import base64
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.invariants import assert_all
from tests.faults.world import Answer, Caller, World, make_preshared_key
from tests.make import make_key

pytestmark = [pytest.mark.stack, pytest.mark.wg]

SAMPLES_PER_S = 20
#: Files that hold secrets on purpose, 0600: the environment, and what wg-quick(8) reads.
KEEPERS = re.compile(r"env|interfaces/[^/]+\.conf")
#: A boot file that is being written: as well guarded, and there for a moment.
DRAFT = re.compile(r"interfaces/\.[^/]+\.conf\.\w+")


class Canaries:
    """The secrets, by what they are."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def add(self, name: str, text: str) -> str:
        assert len(text) >= 16
        self.known[f"{name} {len(self.known)}"] = text
        return text

    def found_in(self, data: bytes) -> list[str]:
        """The names of those that are in ``data``, as text or (keys) as 32 bytes."""
        return [name for name, text in self.known.items() if any(s in data for s in spell(text))]


def spell(text: str) -> Iterator[bytes]:
    yield text.encode()
    yield text.rstrip("=").encode()
    if re.fullmatch(r"[A-Za-z0-9+/]{43}=", text):
        yield base64.b64decode(text)
        yield base64.b64decode(text).hex().encode()


class Sampler:
    """What any user of the machine may read in /proc, at 20 Hz."""

    def __init__(self) -> None:
        self.lines: set[bytes] = set()
        self.environments: set[bytes] = set()
        self.rounds = 0
        self._end = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    def _run(self) -> None:
        while not self._end.wait(1 / SAMPLES_PER_S):
            self.rounds += 1
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    self._sample(process)

    def _sample(self, process: Path) -> None:
        try:
            line = (process / "cmdline").read_bytes()
            self.lines.add(line)
            if re.match(rb"([^\0]*/)?(wg|wireguard-go|ip|nft|sh)\0", line):
                self.environments.add((process / "environ").read_bytes())
        except OSError:
            return


@contextmanager
def monitor(world: World, into: Path) -> Iterator[None]:
    """`redis-cli MONITOR`: every command that any client sends."""
    with into.open("wb") as file:
        listener = subprocess.Popen(
            ["redis-cli", "-s", str(world.state / "redis.sock"), "MONITOR"],
            stdin=subprocess.DEVNULL,
            stdout=file,
        )
        try:
            world.wait_until(lambda: into.stat().st_size > 0, "MONITOR listens")
            yield
        finally:
            listener.terminate()
            listener.wait(5)


def installation_secrets(world: World, caller: Caller, canaries: Canaries) -> None:
    """What the installation itself keeps secret."""
    environment = dict(
        line.split("=", 1)
        for line in (world.state / "env").read_text().splitlines()
        if "=" in line and not line.startswith("#")
    )
    canaries.add("SECRET_KEY", environment["SECRET_KEY"])
    canaries.add("encryption key", environment["VWG_ENCRYPTION_KEYS"].partition(":")[2])
    canaries.add("interface key", world.wg("private-key").strip())
    canaries.add("token", caller.token)


def sell(caller: Caller, canaries: Canaries, number: int) -> None:
    """Clients with keys made by the portal, and their files; a peer with a key of the caller's."""
    name = f"Sara {number}"
    answer = caller.call("POST", "/api/v1/clients", {"name": name, "preshared_key": "generate"})
    assert answer.status == 201, answer.text
    (device,) = answer.body["devices"]
    file = caller.call("GET", f"/api/v1/peers/{device['id']}/config")
    for field in ("PrivateKey", "PresharedKey"):
        (text,) = re.findall(rf"{field} = (\S+)", file.text)
        canaries.add(f"client's {field}", text)
        assert text not in answer.text
    preshared = canaries.add("caller's preshared key", make_preshared_key())
    key, added = caller.add(preshared_key=preshared)
    changed = caller.add(key, preshared_key=canaries.add("changed psk", make_preshared_key()))[1]
    assert (added.status, changed.status) == (202, 202)
    body = {"enabled": False}
    assert caller.call("PATCH", f"/api/v1/clients/{answer.body['id']}", body).status == 200


def mistakes(caller: Caller, canaries: Canaries) -> list[Answer]:
    """A secret where it does not belong, or spelled wrong: what a customer pastes by mistake."""
    answers = []
    for _ in range(2):
        secret = canaries.add("pasted key", make_key()[0])
        for body in (
            {"public_key": f"{secret}x"},
            {"public_key": secret[:-2]},
            {"public_key": [secret]},
            {"public_key": make_key()[1], "preshared_key": f"{secret} "},
            {"public_key": make_key()[1], "preshared_key": {"key": secret}},
            {"public_key": make_key()[1], "allowed_ips": [secret]},
            {"public_key": make_key()[1], "endpoint": secret},
            {"public_key": make_key()[1], "persistent_keepalive": secret},
            {"public_key": make_key()[1], "interface": secret[:36]},
            {"public_key": make_key()[1], "name": f"a\n{secret}"},
            {"public_key": make_key()[1], "private_key": secret},
        ):
            answers.append(caller.call("POST", "/api/wg/add-peer", body))
        answers.append(caller.call("POST", "/api/v1/clients", {"name": "x", "routes": [secret]}))
        answers.append(caller.call("POST", "/api/v1/clients", {"name": "x", "tags": {"a": secret}}))
        answers.append(caller.call("POST", "/api/v1/clients", {"name": "x", "mtu": secret}))
        answers.append(caller.call("POST", "/api/wg/remove-peer", {"public_key": f"{secret}="}))
    return answers


def refusal_that_quotes(caller: Caller, canaries: Canaries) -> str:
    """`wg` quotes the line it stumbles on; here it has a preshared key in it. The peer's key."""
    shim = caller.world.shim
    preshared = canaries.add("psk in a refusal", make_preshared_key())
    shim.arm("addconf*", "fail", f"Line_unrecognized:_`PresharedKey={preshared}'")
    _, answer = caller.add(preshared_key=preshared)
    caller.world.wait_until(lambda: shim.struck, "the fault happened")
    caller.world.wait_until(lambda: caller.job(answer)["status"] == "failed", "the job failed")
    job = caller.job(answer)
    assert "Line unrecognized" in str(job)
    return str(job)


def files_with(canaries: Canaries, state: Path) -> list[str]:
    """Files of the state directory that hold a secret and should not."""
    return [
        f"{path.relative_to(state)}: {names}"
        for path in sorted(state.rglob("*"))
        if path.is_file() and not KEEPERS.fullmatch(str(path.relative_to(state)))
        if (names := canaries.found_in(path.read_bytes()))
    ]


def test_no_secret_is_seen_during_a_busy_run(caller: Caller, tmp_path: Path) -> None:
    world, canaries, sampler = caller.world, Canaries(), Sampler()
    installation_secrets(world, caller, canaries)
    (world.shim.directory / "log-environ").touch()
    wire = tmp_path / "monitor"

    with monitor(world, wire), sampler.at_work():
        plain, _ = caller.add()
        for number in range(8):
            sell(caller, canaries, number)
        caller.wait_until_live()
        wrong = mistakes(caller, canaries)
        job = refusal_that_quotes(caller, canaries)
        time.sleep(6)  # an observation and a boot file
    (world.shim.directory / "log-environ").unlink()

    argv = "\n".join(world.shim.calls()).encode()
    environments = (world.shim.directory / "environ").read_bytes()
    bodies = "\n".join(answer.text for answer in wrong)
    assert {answer.status for answer in wrong} <= {400, 404}
    assert sampler.rounds >= 20
    # The net catches.
    assert plain.encode() in argv
    assert b"control.apply" in wire.read_bytes()
    assert any(world.interface.encode() in line for line in sampler.lines)
    assert b"PATH=" in environments
    assert canaries.found_in(b"... " + caller.token.encode()) == ["token 3"]
    # And there is nothing in it.
    assert canaries.found_in(argv) == []
    assert canaries.found_in(b"\n".join(sampler.lines)) == []
    assert canaries.found_in(b"\n".join(sampler.environments) + environments) == []
    assert canaries.found_in(wire.read_bytes()) == []
    assert canaries.found_in(bodies.encode()) == []
    assert canaries.found_in(job.encode()) == []


def test_no_secret_lies_in_a_log_or_an_unsealed_row(caller: Caller) -> None:
    """The state directory holds the database, Redis' file and all logs, at LOG_LEVEL=DEBUG."""
    world, canaries = caller.world, Canaries()
    installation_secrets(world, caller, canaries)
    sell(caller, canaries, 100)
    mistakes(caller, canaries)
    caller.wait_until_live()

    found = files_with(canaries, world.state)
    assert [line for line in found if not DRAFT.match(line)] == []
    drafts = set((world.state / "interfaces").glob(".*"))
    world.wait_until(lambda: not any(one.exists() for one in drafts), "no draft stays")

    control = Canaries()  # the search finds what does lie there
    control.add("public key", next(iter(caller.added)))
    assert any(name.startswith("vwg.sqlite3") for name in files_with(control, world.state))
    for path in (world.state / "env", *(world.state / "interfaces").glob("*.conf")):
        assert path.stat().st_mode & 0o077 == 0
        assert canaries.found_in(path.read_bytes())


def test_the_refused_peer_did_not_hurt_the_others(caller: Caller) -> None:
    caller.add_some(2)
    assert_all(caller)
