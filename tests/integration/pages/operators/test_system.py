"""Settings with what they outdate; the host, its logs without secrets, and the support bundle."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from gateways.models import GlobalSetting, Interface
from peers.models import Peer
from portal.system.host import cleaned, tail
from tests.integration.pages.operators.test_gateways import sent
from tests.make import make_key

KEY = make_key()[0]
LINES = [
    "2026-11-28 01:00:00,000 INFO WireGuard: Successfully added 3 new peers to interface wg0",
    f"2026-11-28 01:00:01,000 ERROR vwg: key {KEY} refused",
    "Traceback (most recent call last):",
    "2026-11-28 01:00:02,000 WARNING vwg: token vwg_abcDEF123456 from /s/verysecret/config",
    "2026-11-28 01:00:03,000 INFO vwg: postgres://vwg:hunter2@db/vwg password=hunter3",
]


@pytest.fixture
def log(settings: Any, tmp_path: Path) -> str:
    settings.VWG_STATE_DIR = tmp_path
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "gateway.log").write_text("\n".join(LINES))
    return "gateway.log"


def test_what_a_setting_outdates_is_said_first(
    browser: Browser, interface: Interface, alice_peer: Peer
) -> None:
    Peer.objects.update(delivered_generation=1)
    data = sent(browser, "/settings/", dns_servers="9.9.9.9\n2620:fe::9")
    asked = browser.post("/settings/", data)
    assert "1 file that a customer has becomes outdated." in asked.content.decode()
    assert GlobalSetting.objects.get().dns_servers == []
    browser.post("/settings/", data | {"confirmed": "1"})
    assert GlobalSetting.objects.get().dns_servers == ["9.9.9.9", "2620:fe::9"]
    assert AuditEvent.objects.get().action == "settings.updated"


def test_a_wrong_setting_is_refused_at_its_field(browser: Browser) -> None:
    answer = browser.post("/settings/", sent(browser, "/settings/", dns_servers="not a server"))
    assert answer.status_code == 400
    assert answer.context["form"].errors["dns_servers"]
    assert "not a server" in answer.content.decode()


def test_settings_that_are_sent_back_change_nothing(browser: Browser) -> None:
    before = GlobalSetting.objects.values().get()
    browser.post("/settings/", sent(browser, "/settings/"))
    assert GlobalSetting.objects.values().get() == before


def test_a_read_only_operator_looks_at_the_settings(onlooker: Browser) -> None:
    page = onlooker.get("/settings/").content.decode()
    assert "disabled" in page
    assert onlooker.post("/settings/", {"mtu": "1300"}).status_code == 403


def test_the_log_is_shown_from_a_level_on(browser: Browser, log: str) -> None:
    page = browser.get("/system/").content.decode()
    assert "Successfully added 3 new peers" in page
    grave = browser.get("/system/?level=WARNING").content.decode()
    assert "Successfully added" not in grave
    assert "Traceback" in grave, "belongs to the line before"
    assert browser.get("/system/?log=../../etc/passwd&level=nonsense").status_code == 200


def test_no_secret_leaves_the_host(browser: Browser, log: str) -> None:
    shown = "\n".join(tail(log))
    for secret in (KEY, "vwg_abcDEF123456", "verysecret", "hunter2", "hunter3"):
        assert secret not in shown
        assert secret not in browser.get("/system/").content.decode()
    assert cleaned("Authorization: Bearer abc.def") == "Authorization: <secret>"


def test_the_bundle_tells_how_things_stand_and_no_secret(
    browser: Browser, log: str, interface: Interface, alice_peer: Peer, settings: Any
) -> None:
    answer = browser.get("/system/bundle/")
    archive = ZipFile(BytesIO(answer.content))
    names = set(archive.namelist())
    assert names == {
        "system.json", "gateways.json", "jobs.json", "schedule.json", "log/gateway.log"
    }  # fmt: skip
    everything = "".join(archive.read(name).decode() for name in names)
    secrets = (KEY, "hunter2", "verysecret", settings.SECRET_KEY, interface.private_key)
    assert not [secret for secret in secrets if secret in everything]
    assert json.loads(archive.read("system.json"))["counts"]["devices"] == 1
    assert AuditEvent.objects.get().action == "system.bundled"
