"""A verdict while somebody holds the client (PostgreSQL alone)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from gateways.models import Interface
from peers.models import Client
from tenants.models import Tenant
from tests.beside import start
from tests.integration.terms.conftest import held
from tests.integration.terms.test_races import Ring

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_counts_bytes_waits_for_no_request_and_the_next_look_judges(
    acme: Tenant, interface: Interface
) -> None:
    """He holds the client's usage already: to wait for the client would be against the order."""
    ring, found = Ring(acme, interface), list[Any]()
    with transaction.atomic():
        Client.objects.select_for_update(no_key=True).get(pk=ring.client.pk)
        thread = start(ring.count, found)
        thread.join(10)
        assert not thread.is_alive()
        assert found == [None]
        assert held(ring.client) == set(), "whoever holds it may be about to make it good"
    ring.sweep()
    assert held(ring.client) == {"quota"}
    ring.check("sweep")
