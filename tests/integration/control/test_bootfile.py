"""The boot file holds who may connect, and nobody else; it is never cut."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from control import bootfile
from gateways.models import Interface
from peers.services.clients import delete_client, disable_client
from tests.integration.control.conftest import Gateway
from tests.make import make_public_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def state_dir(settings: Any, tmp_path: Path) -> Path:
    settings.VWG_STATE_DIR = tmp_path
    return tmp_path


def written(gateway: Gateway) -> Path:
    interface = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
    bootfile.write(interface)
    return bootfile.path_of(interface)


def test_only_entitled_peers_are_in_it(gateway: Gateway) -> None:
    kept, blocked, deleted = gateway.add("kept"), gateway.add("off"), gateway.add("gone")
    at = timezone.now()
    disable_client(caller=gateway.caller, client_id=blocked.client.uuid, note="", at=at)
    delete_client(caller=gateway.caller, client_id=deleted.client.uuid, at=at)
    peers = bootfile.read(written(gateway)).peers
    assert [peer.public_key for peer in peers] == [kept.peer.public_key]
    assert peers[0].preshared_key is not None


def test_no_name_is_in_it_and_nobody_else_may_read_it(gateway: Gateway) -> None:
    gateway.add("Very Own Name", note="Very much so")
    path = written(gateway)
    assert "Very" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file_and_the_mark(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.add()
    path = written(gateway)
    before = path.read_text()
    gateway.add("second")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        written(gateway)
    assert path.read_text() == before
    assert [entry.name for entry in path.parent.iterdir() if entry.name.startswith(".")] == []
    assert Interface.objects.get(pk=gateway.interface.pk).boot_dirty_since is not None


def test_a_change_marks_the_file_as_behind_and_writing_unmarks_it(gateway: Gateway) -> None:
    gateway.add()
    assert Interface.objects.get(pk=gateway.interface.pk).boot_dirty_since is not None
    written(gateway)
    assert Interface.objects.get(pk=gateway.interface.pk).boot_dirty_since is None


def test_a_guarded_peer_stays_in_it(gateway: Gateway) -> None:
    made = gateway.add(public_key=make_public_key())
    written(gateway)
    Interface.objects.filter(pk=gateway.interface.pk).update(guard_keys=[made.peer.public_key])
    made.peer.addresses.all().delete()
    made.peer.delete()
    peers = bootfile.read(written(gateway)).peers
    assert [peer.public_key for peer in peers] == [made.peer.public_key]
