"""The operator's commands, on the gateway in memory."""

from __future__ import annotations

import base64
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from control import bootfile, heartbeat
from control.preview import preview
from control.rotation import rotate
from gateways.models import AddressPool, Gateway, Interface, Job
from gateways.sealing import open_interface_key
from peers.models import Client, Peer, PeerKey
from peers.sealing import open_preshared_key, open_private_key
from peers.services.clients import delete_client, disable_client
from tenants.models import User
from tests.integration.control.conftest import Gateway as Station
from tests.make import make_public_key
from vault import rings
from wireguard.plan import PeerChange, Plan
from wireguard.types import Secret

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def state_dir(settings: Any, tmp_path: Path) -> Path:
    settings.VWG_STATE_DIR = tmp_path
    return tmp_path


def run(name: str, **options: Any) -> str:
    out = StringIO()
    call_command(name, stdout=out, **options)
    return out.getvalue()


class TestSetup:
    def test_a_first_start_makes_what_is_missing_and_a_second_nothing(self, settings: Any) -> None:
        settings.VWG_ADDRESS = []
        first = run("setup")
        assert "one-time password" in first
        interface = Interface.objects.get()
        assert interface.is_default
        assert interface.addresses[0] == "10.252.0.1/16"
        assert interface.addresses[1].startswith("fd")
        assert AddressPool.objects.count() == 2
        admin = User.objects.get()
        assert admin.operator == "full"
        assert admin.check_password(first.split()[-1])
        before = Interface.objects.values().get()
        assert run("setup") == ""
        assert Interface.objects.values().get() == before
        assert User.objects.get().password == admin.password

    def test_a_given_password_is_used_and_not_shown(self, settings: Any) -> None:
        settings.VWG_ADMIN_PASSWORD = "chosen-by-hand-1"
        assert "chosen" not in run("setup")
        assert User.objects.get().check_password("chosen-by-hand-1")

    def test_given_addresses_are_used_as_they_are(self, settings: Any) -> None:
        settings.VWG_ADDRESS = ["10.77.0.1/24"]
        run("setup")
        assert Interface.objects.get().addresses == ["10.77.0.1/24"]


class TestPlan:
    def test_it_names_what_would_change_and_changes_nothing(self, gateway: Station) -> None:
        kept, blocked, gone = gateway.add("kept"), gateway.add("off"), gateway.add("gone")
        gateway.apply()
        at = timezone.now()
        disable_client(caller=gateway.caller, client_id=blocked.client.uuid, note="", at=at)
        delete_client(caller=gateway.caller, client_id=gone.client.uuid, at=at)
        new = gateway.add("new")
        before = gateway.peers()
        text = run("plan", interface=gateway.interface.name)
        assert f"added      {new.peer.public_key}" in text
        assert f"blocked    {blocked.peer.public_key}" in text
        assert f"removed    {gone.peer.public_key}" in text
        assert kept.peer.public_key not in text
        assert "tier 1, nobody else is touched" in text
        assert gateway.peers() == before

    def test_nothing_to_do_is_said(self, gateway: Station) -> None:
        gateway.add()
        gateway.apply()
        assert "nothing to do" in run("plan", interface=gateway.interface.name)

    def test_a_dead_interface_means_a_restart(self, gateway: Station) -> None:
        gateway.link.bring_down()
        assert "tier 3" in run("plan", interface=gateway.interface.name)

    def test_drift_that_the_last_observation_missed_is_shown(self, gateway: Station) -> None:
        made = gateway.add()
        gateway.apply()
        gateway.driver.apply(Plan(removals=[made.peer.public_key]))
        assert "1 missing" in run("plan", interface=gateway.interface.name)

    def test_the_preview_for_pages_speaks_of_the_last_observation(self, gateway: Station) -> None:
        gateway.add()
        gateway.observe()
        gateway.interface.refresh_from_db()
        found = preview(gateway.interface)
        assert (found.tier, found.total, len(found.added)) == (1, 1, 1)
        assert found.observed_at == gateway.interface.observed_at


class TestAdopt:
    def foreign(self, gateway: Station) -> str:
        """A link that somebody made by hand, with one peer."""
        gateway.link.stamp_text = ""
        key = make_public_key()
        psk = Secret(base64.b64encode(os.urandom(32)).decode())
        gateway.driver.apply(
            Plan(
                changes=[
                    PeerChange(key, ("10.252.5.5/32", "192.168.7.0/24"), psk, 20, None, is_new=True)
                ]
            )
        )
        gateway.driver.set_interface(listen_port=51820)
        return key

    def test_a_foreign_interface_becomes_ours_with_its_peers(self, gateway: Station) -> None:
        key = self.foreign(gateway)
        before = gateway.driver.read()
        assert "1 peers" in run("adopt", interface=gateway.interface.name)
        peer = Peer.objects.get(public_key=key)
        assert [row.address for row in peer.addresses.all()] == ["10.252.5.5"]
        assert [row.network for row in peer.networks.all()] == ["192.168.7.0/24"]
        assert peer.tenant.slug == "default"
        assert open_preshared_key(peer.uuid, peer.preshared_key) == before.peers[key].preshared_key
        gateway.interface.refresh_from_db()
        assert gateway.interface.stamp == gateway.link.stamp_text
        assert gateway.observe() is not None
        gateway.apply()
        assert gateway.driver.read() == before
        assert not Job.objects.filter(kind="heal").exists()

    def test_an_address_that_is_taken_leaves_everything_as_it_was(self, gateway: Station) -> None:
        key = self.foreign(gateway)
        gateway.driver.apply(
            Plan(changes=[PeerChange(key, ("10.252.0.1/32",))])  # the server's own
        )
        with pytest.raises(CommandError):
            run("adopt", interface=gateway.interface.name)
        assert not Client.objects.exists()
        assert gateway.link.stamp_text == ""


class TestLink:
    def test_up_leaves_a_running_link_alone(self, gateway: Station) -> None:
        gateway.add()
        gateway.apply()
        assert "up already" in run("link_up", interface=gateway.interface.name)
        assert gateway.link.outages == 0

    def test_down_and_up_bring_exactly_the_entitled_back(self, gateway: Station) -> None:
        kept, blocked = gateway.add("kept"), gateway.add("off")
        gateway.apply()
        disable_client(
            caller=gateway.caller, client_id=blocked.client.uuid, note="", at=timezone.now()
        )
        run("link_down", interface=gateway.interface.name)
        assert not gateway.link.exists
        gateway.apply()
        assert not gateway.link.exists
        run("link_up", interface=gateway.interface.name)
        assert set(gateway.peers()) == {kept.peer.public_key}
        interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
        assert bootfile.path_of(interface).exists()
        assert interface.enabled

    def test_an_unknown_interface_is_named(self, gateway: Station) -> None:
        with pytest.raises(CommandError, match="wg7"):
            run("link_up", interface="wg7")


class TestRotateKeys:
    def rekey(self, settings: Any, *, keep_old: bool) -> None:
        fresh = f"n2:{base64.b64encode(os.urandom(32)).decode()}"
        old = settings.VWG_ENCRYPTION_KEYS if keep_old else []
        settings.VWG_ENCRYPTION_KEYS = [fresh, *old]
        rings.gateway_ring.cache_clear()
        rings.client_ring.cache_clear()

    @pytest.fixture(autouse=True)
    def own_rings(self) -> Any:
        yield
        rings.gateway_ring.cache_clear()
        rings.client_ring.cache_clear()

    def test_everything_opens_with_the_new_key_alone(self, gateway: Station, settings: Any) -> None:
        made = gateway.add()
        psk = open_preshared_key(made.peer.uuid, Peer.objects.get().preshared_key)
        self.rekey(settings, keep_old=True)
        assert rotate() == {
            "interface private keys": 1,
            "preshared keys": 1,
            "client private keys": 1,
            "bulk requests": 0,
        }
        settings.VWG_ENCRYPTION_KEYS = settings.VWG_ENCRYPTION_KEYS[:1]
        rings.gateway_ring.cache_clear()
        rings.client_ring.cache_clear()
        assert open_preshared_key(made.peer.uuid, Peer.objects.get().preshared_key) == psk
        open_private_key(made.peer.uuid, PeerKey.objects.get().private_key)
        interface = Interface.objects.get()
        open_interface_key(interface.uuid, interface.private_key)

    def test_a_second_run_does_nothing(self, gateway: Station, settings: Any) -> None:
        gateway.add()
        self.rekey(settings, keep_old=True)
        rotate()
        assert set(rotate().values()) == {0}

    def test_without_the_old_key_nothing_is_written(self, gateway: Station, settings: Any) -> None:
        gateway.add()
        before = Peer.objects.get().preshared_key
        self.rekey(settings, keep_old=False)
        with pytest.raises(CommandError, match="not in the ring"):
            run("rotate_keys")
        assert Peer.objects.get().preshared_key == before


def test_a_second_host_raises_an_alarm(
    gateway: Station, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = timezone.now()
    heartbeat.beat(queue="gateway.local", at=at)
    assert Gateway.objects.get(slug="local").host_id == heartbeat.host_id()
    monkeypatch.setattr(heartbeat, "host_id", lambda: "another")
    heartbeat.beat(queue="gateway.local", at=at)
    assert "second host" in Gateway.objects.get(slug="local").alarm
    assert "second host" in caplog.text
