"""The ledger in the database under everything at once: to the byte, on both databases."""

from __future__ import annotations

import pytest

from tenants.models import Tenant
from tests.integration.control.conftest import Gateway
from tests.integration.ledger.storm import Storm
from tests.make import make_interface, make_tenant
from tests.repetition import few

pytestmark = pytest.mark.django_db


def storm(seed: int, gateway: Gateway, acme: Tenant) -> Storm:
    other = make_interface(
        name="wg1",
        addresses=["10.9.0.1/24"],
        listen_port=51821,
        is_default=False,
        stamp="0b8f7f4e-0000-4000-8000-000000000002",
    )
    return Storm(seed, [gateway, Gateway(other, gateway.caller)], [acme, make_tenant("other")])


@pytest.mark.parametrize("seed", few(range(12), (0, 1, 2, 3)))
def test_the_ledger_is_the_truth(seed: int, gateway: Gateway, acme: Tenant) -> None:
    world = storm(seed, gateway, acme)
    world.run(60)
    world.check()


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 600))
def test_the_ledger_is_the_truth_500_times(seed: int, gateway: Gateway, acme: Tenant) -> None:
    world = storm(seed, gateway, acme)
    world.run(60)
    world.check()
