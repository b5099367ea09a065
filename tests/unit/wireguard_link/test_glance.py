"""A glance at a link: one command, and as much as an apply must know."""

from __future__ import annotations

import json

import pytest

from tests.unit.wireguard_link.recording import Recording
from wireguard.errors import DriverUnavailable
from wireguard.link import Link
from wireguard.runner import Completed

SHOWN = {"ifindex": 7, "ifname": "wg0", "flags": ["NOARP", "UP"], "mtu": 1420}


def answering(*, stdout: bytes = b"", stderr: bytes = b"") -> Recording:
    return Recording(lambda _: Completed(1 if stderr else 0, stdout, stderr))


def test_a_glance_into_a_namespace_is_one_command_without_a_mount_namespace() -> None:
    runner = answering(stdout=json.dumps([{**SHOWN, "ifalias": "vwg:abc"}]).encode())
    state = Link(runner, "wg0", netns="blue").glance()
    assert (state.exists, state.up, state.stamp) == (True, True, "abc")
    assert runner.calls == [["ip", "-n", "blue", "-json", "link", "show", "dev", "wg0"]]


def test_a_glance_tells_an_unfinished_and_a_foreign_link_from_ours() -> None:
    for alias in ("vwg~abc", "someone's", ""):
        runner = answering(stdout=json.dumps([{**SHOWN, "ifalias": alias}]).encode())
        assert Link(runner, "wg0").glance().stamp is None


def test_no_link_is_an_answer_and_no_namespace_an_error() -> None:
    gone = answering(stderr=b'Device "wg0" does not exist.')
    assert not Link(gone, "wg0").glance().exists
    lost = answering(stderr=b'Cannot open network namespace "blue": No such file or directory')
    with pytest.raises(DriverUnavailable):
        Link(lost, "wg0", netns="blue").glance()
