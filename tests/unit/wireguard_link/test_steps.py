"""What a failed command means, told from what the real commands write."""

from __future__ import annotations

import pytest

from tests.unit.wireguard_link.recording import Recording
from wireguard.errors import (
    CommandMissing,
    DriverError,
    DriverForbidden,
    DriverRejected,
    DriverUnavailable,
    InterfaceMissing,
)
from wireguard.runner import Completed
from wireguard.steps import Steps, failure

KEY = "oIvRVixK/PRmuTCfWI1SbG/B03h00VvYGFe12l6AInM="


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("RTNETLINK answers: Operation not permitted", DriverForbidden),
        ("Operation not permitted (you must be root)", DriverForbidden),
        ('sysctl: permission denied on key "net.ipv4.ip_forward"', DriverForbidden),
        ("sudo: a password is required", DriverForbidden),
        ("unshare: unshare failed: Operation not permitted", DriverForbidden),
        ('Device "wg0" does not exist.', InterfaceMissing),
        ('Cannot find device "wg0"', InterfaceMissing),
        ("Unable to modify interface: No such device", InterfaceMissing),
        ('Cannot open network namespace "x": No such file or directory', DriverUnavailable),
        ('exec of "wireguard-go" failed: No such file or directory', CommandMissing),
        ("sudo: wg: command not found", CommandMissing),
        ("setsid: failed to execute env: No such file or directory", CommandMissing),
        ("env: 'wireguard-go': No such file or directory", CommandMissing),
        ("Error: Unknown device type.", DriverRejected),
        ("", DriverRejected),
    ],
)
def test_a_failure_is_named_by_its_cause(written: str, kind: type[DriverError]) -> None:
    error = failure("load", "wg", Completed(1, b"", written.encode()))
    assert type(error) is kind
    assert str(error).startswith("load: ")


def test_no_key_stays_in_an_error() -> None:
    error = failure("load", "wg", Completed(1, b"", f"Key is not correct: `{KEY}'".encode()))
    assert KEY not in str(error)
    assert "(key)" in str(error)


@pytest.mark.parametrize("kind", [DriverUnavailable, CommandMissing, DriverForbidden])
def test_a_runner_s_error_keeps_its_kind_and_gains_the_step(kind: type[DriverError]) -> None:
    runner = Recording(raises=kind("no answer"))
    with pytest.raises(kind, match=r"^mtu: no answer$") as caught:
        Steps(runner).run("mtu", ["ip", "link"])
    assert type(caught.value) is kind


def test_the_prefix_comes_before_every_command() -> None:
    runner = Recording()
    Steps(runner, ("sudo", "-n", "ip", "netns", "exec", "g")).run("up", ["wg", "show"])
    assert runner.calls == [["sudo", "-n", "ip", "netns", "exec", "g", "wg", "show"]]
