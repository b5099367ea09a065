"""/api/v1/interfaces and /api/v1/locations as a shop sees them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import AddressPool, Gateway, Interface
from peers.models import PeerAddress
from tenants.models import Tenant
from tests.conftest import bearer
from tests.make import (
    make_client,
    make_gateway,
    make_interface,
    make_peer,
    make_simulated,
    make_tenant,
    make_token,
)

INTERFACES, LOCATIONS = "/api/v1/interfaces", "/api/v1/locations"


def results(api: APIClient, url: str) -> list[dict[str, Any]]:
    answer = api.get(url)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def small(interface: Interface, *, size: int, offset: int) -> None:
    interface.pools.update(size=size, next_offset=offset)


def test_whether_addresses_are_left(
    alice_api: APIClient, acme: Tenant, evil: Tenant, interface: Interface
) -> None:
    def left() -> bool:
        (one,) = results(alice_api, INTERFACES)
        return bool(one["addresses_left"])

    assert left() is True
    theirs = make_peer(make_client(evil), interface)
    small(interface, size=1, offset=1)
    assert left() is False
    at = timezone.now()
    PeerAddress.objects.filter(peer=theirs).update(peer=None, free_at=at + timedelta(hours=1))
    assert left() is False
    PeerAddress.objects.update(free_at=at - timedelta(hours=1))
    assert left() is True  # whoever had them: released is released
    AddressPool.objects.filter(family=4).update(size=9, next_offset=0)
    PeerAddress.objects.all().delete()
    assert left() is False  # one of each pool is needed
    acme.limits_pools = True
    acme.save()
    acme.pools.add(interface.pools.get(family=4))
    assert left() is True


def test_an_interface_that_is_off_is_not_for_sale(
    alice_api: APIClient, operator_api: APIClient, interface: Interface
) -> None:
    Interface.objects.update(enabled=False)
    assert results(alice_api, INTERFACES) == []
    assert results(alice_api, LOCATIONS) == []
    assert alice_api.get(f"{INTERFACES}/{interface.uuid}").status_code == 404
    assert len(results(operator_api, INTERFACES)) == 1


def test_a_sandbox_sees_its_own_places(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    simulated = make_simulated()
    sandbox = bearer(make_token(make_tenant("acme-sandbox", sandbox_of=acme))[1])
    (one,) = results(sandbox, INTERFACES)
    assert (one["id"], one["up"], one["addresses_left"]) == (str(simulated.uuid), True, True)
    assert [place["gateway"] for place in results(sandbox, LOCATIONS)] == ["sandbox"]
    assert [place["gateway"] for place in results(alice_api, LOCATIONS)] == ["local"]


def test_locations(alice_api: APIClient, acme: Tenant, interface: Interface) -> None:
    Gateway.objects.update(location="Frankfurt", country="DE")
    interface.label = "Gaming"
    interface.state = Interface.State.UP
    interface.save()
    far = make_gateway("far", location="Tehran", country="IR")
    other = make_interface(gateway=far, addresses=["10.9.0.1/24"], is_default=False)
    near, distant = results(alice_api, LOCATIONS)
    assert near == {
        "id": str(interface.gateway.uuid),
        "gateway": "local",
        "location": "Frankfurt",
        "country": "DE",
        "available": True,
        "interfaces": [
            {
                "id": str(interface.uuid),
                "name": "wg0",
                "label": "Gaming",
                "up": True,
                "addresses_left": True,
            }
        ],
    }
    assert (distant["gateway"], distant["available"]) == ("far", False)
    assert [one["gateway"] for one in results(alice_api, f"{LOCATIONS}?country=IR")] == ["far"]
    assert [one["gateway"] for one in results(alice_api, f"{LOCATIONS}?location=Frankfurt")] == [
        "local"
    ]
    acme.limits_interfaces = True
    acme.save()
    assert results(alice_api, LOCATIONS) == []
    acme.interfaces.add(other)
    assert [one["gateway"] for one in results(alice_api, LOCATIONS)] == ["far"]


@pytest.mark.parametrize("url", [INTERFACES, LOCATIONS])
def test_many_cost_the_same(
    alice_api: APIClient, acme: Tenant, interface: Interface, url: str
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            results(alice_api, url)
        return len(captured)

    cost()  # the first use of a token is noted
    one = cost()
    for number in range(9):
        make_interface(
            gateway=make_gateway(f"g{number}"),
            addresses=[f"10.{number}.0.1/24"],
            is_default=False,
        )
    assert cost() == one


def test_who_may(
    alice_api: APIClient, anonymous_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    blind = bearer(make_token(acme, scopes=["clients:read"])[1])
    for url in (INTERFACES, LOCATIONS):
        assert anonymous_api.get(url).status_code == 401
        assert blind.get(url).status_code == 403
        assert alice_api.get(f"{url}?x=1").status_code == 400
        assert alice_api.get(f"{url}?ordering=private_key").status_code == 400
