"""Nothing that can happen is without words on the status page."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.utils import timezone

from gateways.models import Interface, Job
from peers.models import Peer
from quotas.models import Hold
from tenants.models import Tenant
from tests.make import make_job


@pytest.mark.parametrize("language", ["en", "fa"])
def test_every_kind_of_job_has_its_words(
    language: str, browser: Browser, interface: Interface, acme: Tenant
) -> None:
    for kind in Job.Kind.values:
        make_job(acme, interface=interface, items=1, kind=kind)
    answer = browser.get("/status/", headers={"Accept-Language": language})
    assert answer.status_code == 200


@pytest.mark.parametrize("reason", Hold.Reason.values)
def test_every_hold_has_its_words(reason: str, browser: Browser, alice_peer: Peer) -> None:
    Peer.objects.update(blocked=True)
    Hold.objects.create(
        tenant=alice_peer.tenant, client=alice_peer.client, reason=reason,
        opened_at=timezone.now(), opened_by="x",
    )  # fmt: skip
    page = browser.get("/status/").content.decode()
    assert "Off: " in page or "Off by hand" in page or "Off for a moment" in page
