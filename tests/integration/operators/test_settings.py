"""/api/v1/settings: the defaults that interfaces and devices inherit."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import GlobalSetting, Interface, Job
from peers.models import Peer
from tests.integration.operators.conftest import acts

SETTINGS = "/api/v1/settings"


@pytest.fixture(autouse=True)
def _row(db: None) -> None:
    """The one row is made by a migration."""


def row() -> GlobalSetting:
    return GlobalSetting.objects.get(pk=1)


def test_settings_are_read_and_changed(operator_api: APIClient) -> None:
    read = operator_api.get(SETTINGS)
    assert read["ETag"] == '"only-1"'
    assert read.json()["mtu"] == 1420
    changed = operator_api.patch(
        SETTINGS,
        {"mtu": 1380, "dns_servers": ["1.1.1.1", "2606:4700:4700::1111"], "language": "fa",
         "timezone": "Asia/Tehran", "undelete_seconds": 3600},
    )  # fmt: skip
    assert changed.status_code == 200, changed.content
    assert changed["ETag"] == '"only-2"'
    assert changed.json()["job"] is None
    assert operator_api.get(SETTINGS).json()["dns_servers"] == ["1.1.1.1", "2606:4700:4700::1111"]
    event = AuditEvent.objects.get(action="settings.updated")
    assert (event.action, event.before["mtu"], event.after["mtu"]) == (
        "settings.updated", 1420, 1380,
    )  # fmt: skip


def test_who_may(alice_api: APIClient, anonymous_api: APIClient, auditor_api: APIClient) -> None:
    assert anonymous_api.get(SETTINGS).status_code == 401
    assert alice_api.get(SETTINGS).status_code == 403
    assert alice_api.patch(SETTINGS, {"mtu": 1400}).status_code == 403
    assert auditor_api.get(SETTINGS).status_code == 200
    assert auditor_api.patch(SETTINGS, {"mtu": 1400}).status_code == 403
    assert row().version == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("mtu", bad) for bad in (0, 575, 65536, "1420abc", "1420", 1420.5, True, None)],
        *[("persistent_keepalive", bad) for bad in (-1, 65536, "off", 1e3, True, None)],
        *[
            ("dns_servers", bad)
            for bad in (
                ["1.1.1.1"] * 50, ["a\nb"], ["1.1.1.1 PostUp=x"], "1.1.1.1", [1], [""], None,
                ["fe80::1%eth0"], ["010.0.0.1"], ["$(id)"],
            )
        ],
        *[
            ("default_routes", bad)
            for bad in (
                ["10.66.0.5/24"], ["10.6"], ["::ffff:10.66.0.1/128"], ["0.0.0.0/0", "0.0.0.0/0"],
                [f"10.{n}.0.0/24" for n in range(101)], ["fe80::1%eth0"], "0.0.0.0/0",
            )
        ],
        *[("endpoint_address", bad) for bad in ("host:99999", "http://h", "a\nb", "[::1")],
        *[("firewall_mark", bad) for bad in (-1, 2**32, "0x1", True, 1.0)],
        *[("table", bad) for bad in ("", "a b", "-x", "a;b", 7, None)],
        *[
            ("config_file_path", bad)
            for bad in ("etc/wg0.conf", "/etc/passwd", "/etc/../x.conf", "/a\n.conf", 7)
        ],
        ("timezone", "Mars/Olympus"),
        ("timezone", "../etc/passwd"),
        ("language", "xx"),
        ("address_hold_seconds", -1),
        ("address_hold_seconds", 2**63),
        ("undelete_seconds", 10**400),
        ("undelete_seconds", "10"),
        ("version", 7),
        ("surprise", 1),
    ],
)  # fmt: skip
def test_bad_values_are_refused(field: str, value: Any, operator_api: APIClient) -> None:
    before = operator_api.get(SETTINGS).json()
    answer = operator_api.patch(SETTINGS, {"relay_endpoint": "relay.example", field: value})
    assert answer.status_code == 400, answer.content
    assert operator_api.get(SETTINGS).json() == before
    assert acts() == []


def test_ipv6_needs_1280_bytes(operator_api: APIClient, interface: Interface) -> None:
    assert operator_api.patch(SETTINGS, {"mtu": 1279}).status_code == 400
    Interface.objects.update(mtu=1400)  # with one of its own it inherits none
    assert operator_api.patch(SETTINGS, {"mtu": 1279}).status_code == 200


def test_what_was_read_can_be_sent_back(operator_api: APIClient) -> None:
    answer = operator_api.patch(SETTINGS, operator_api.get(SETTINGS).json())
    assert (answer.status_code, answer["ETag"]) == (200, '"only-1"')
    assert acts() == []


def test_a_stale_version_is_refused(operator_api: APIClient) -> None:
    operator_api.patch(SETTINGS, {"mtu": 1400})
    old = {"If-Match": '"only-1"'}
    assert operator_api.patch(SETTINGS, {"mtu": 1380}, headers=old).status_code == 412
    assert row().mtu == 1400


@pytest.mark.parametrize(
    ("change", "outdates"),
    [
        ({"persistent_keepalive": 15}, True),
        ({"default_routes": ["10.0.0.0/8"]}, True),
        ({"endpoint_address": "vpn.example.com"}, True),
        ({"timezone": "Asia/Tehran"}, False),
        ({"undelete_seconds": 60}, False),
    ],
)
def test_what_files_are_made_of_outdates_them(
    change: dict[str, Any], outdates: bool, operator_api: APIClient, alice_peer: Peer
) -> None:
    Peer.objects.update(delivered_generation=3)
    dry = operator_api.patch(f"{SETTINGS}?dry_run=true", change)
    assert dry.json()["preview"]["files_outdated"] == int(outdates)
    assert (row().version, row().config_generation) == (1, 1)
    done = operator_api.patch(SETTINGS, change)
    assert done.json()["preview"] == dry.json()["preview"]
    assert row().config_generation == 1 + outdates


def test_a_mark_reaches_the_links_that_inherit_it(
    operator_api: APIClient, interface: Interface
) -> None:
    answer = operator_api.patch(SETTINGS, {"firewall_mark": 51820})
    assert answer.json()["preview"]["live"] == ["firewall_mark"]
    job = Job.objects.get(uuid=answer.json()["job"]["id"])
    assert (job.kind, job.items.get().interface_id) == ("link", interface.pk)


@pytest.mark.parametrize("text", ["1", "yes", "True", ""])
def test_a_dry_run_is_true_or_false(text: str, operator_api: APIClient) -> None:
    assert operator_api.patch(f"{SETTINGS}?dry_run={text}", {"mtu": 1400}).status_code == 400
    assert row().mtu == 1420
