"""One customer of Alice's, and the paths of its pages."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from gateways.models import GlobalSetting
from peers.models import Peer
from tenants.models import User


@pytest.fixture(autouse=True)
def endpoint(db: None) -> None:
    GlobalSetting.objects.update_or_create(pk=1, defaults={"endpoint_address": "vpn.example.net"})


@pytest.fixture
def path(alice_peer: Peer) -> str:
    """Of the page of the client of ``alice_peer``."""
    return f"/t/acme/clients/{alice_peer.client.uuid}/"


@pytest.fixture
def looker(viewer: User) -> Browser:
    """A member who may only look."""
    browser = Browser()
    browser.force_login(viewer)
    return browser


@pytest.fixture
def stranger(mallory: User) -> Browser:
    """The owner of another tenant."""
    browser = Browser()
    browser.force_login(mallory)
    return browser
