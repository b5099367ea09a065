"""The host lock between threads and real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wireguard.errors import DriverForbidden, DriverUnavailable, InvalidConfig
from wireguard.host import boot_id, has_net_admin, netns_id
from wireguard.lock import HostLock, LockBusy

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from wireguard.lock import HostLock
lock = HostLock(Path(sys.argv[1]), 1, "wg0")
print(lock.acquire(5), flush=True)
time.sleep(60)
"""
Holder = subprocess.Popen[str]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[[], Holder]]:
    """Start processes that take the lock on wg0 and keep it."""
    started: list[Holder] = []

    def start() -> Holder:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_two_processes_never_hold_it_together(tmp_path: Path, hold: Callable[[], Holder]) -> None:
    hold()
    lock = HostLock(tmp_path, 1, "wg0")
    begin = time.monotonic()
    assert lock.acquire(0.2) is False
    assert 0.2 <= time.monotonic() - begin < 1.0
    assert lock.held is False
    assert lock.acquire(0) is False


def test_a_killed_holder_frees_it(tmp_path: Path, hold: Callable[[], Holder]) -> None:
    holder = hold()
    threading.Timer(0.1, holder.kill).start()
    lock = HostLock(tmp_path, 1, "wg0")
    assert lock.acquire(5) is True
    lock.release()


def test_a_stopped_holder_keeps_it(tmp_path: Path, hold: Callable[[], Holder]) -> None:
    holder = hold()
    holder.send_signal(signal.SIGSTOP)
    assert HostLock(tmp_path, 1, "wg0").acquire(0.2) is False


def test_a_command_started_inside_does_not_inherit_it(tmp_path: Path) -> None:
    lock = HostLock(tmp_path, 1, "wg0")
    with lock:
        sleeper = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        assert HostLock(tmp_path, 1, "wg0").acquire(0) is True
    finally:
        sleeper.kill()
        sleeper.wait()


def test_other_interfaces_and_namespaces_have_locks_of_their_own(tmp_path: Path) -> None:
    with HostLock(tmp_path, 1, "wg0"):
        for inode, name in ((1, "wg1"), (2, "wg0")):
            with HostLock(tmp_path, inode, name) as other:
                assert other.held


def test_it_holds_between_objects_of_one_process_and_says_who_waits(tmp_path: Path) -> None:
    with HostLock(tmp_path, 1, "wg0"), pytest.raises(LockBusy) as caught:
        HostLock(tmp_path, 1, "wg0", timeout_s=0.05).__enter__()
    assert isinstance(caught.value, DriverUnavailable)


def test_it_is_not_re_entrant_and_releases_once(tmp_path: Path) -> None:
    lock = HostLock(tmp_path, 1, "wg0")
    with lock:
        with pytest.raises(RuntimeError):
            lock.acquire(0)
        assert lock.held
    lock.release()
    assert lock.acquire(0)
    lock.release()


def test_its_file_is_private_and_stays(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / "locks", 1, "wg0")
    with lock:
        pass
    assert lock.path.stat().st_mode & 0o777 == 0o600
    assert lock.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    lock = HostLock(tmp_path, 1, "wg0")
    lock.path.symlink_to(victim)
    with pytest.raises(DriverUnavailable):
        lock.acquire(0)
    assert not victim.exists()


def test_no_descriptor_is_left_by_waiting_in_vain(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with HostLock(tmp_path, 1, "wg0"):
        for _ in range(20):
            HostLock(tmp_path, 1, "wg0").acquire(0)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("name", ["../x", "a/b", ""])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidConfig):
        HostLock(tmp_path, 1, name)


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((DriverForbidden, DriverUnavailable), match="lock"):
        HostLock(tmp_path / "file" / "locks", 1, "wg0").acquire(0)


def test_the_host_knows_its_boot_and_its_namespace() -> None:
    assert len(boot_id()) == 36
    assert netns_id() == os.stat("/proc/self/ns/net").st_ino
    assert has_net_admin() in (True, False)
    with pytest.raises(DriverUnavailable, match="not-there"):
        netns_id("not-there")
