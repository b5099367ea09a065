"""What a tenant may have and use: clients, devices, interfaces, pools; and the sandbox."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import SYSTEM
from gateways.models import Interface
from peers.models import Client, Peer
from peers.queries import find_interface
from peers.services.clients import create_client
from rest.errors import Conflict
from tenants.models import Tenant
from tenants.scoping import Caller
from tests.conftest import bearer
from tests.make import make_client, make_interface, make_plan, make_simulated, make_tenant
from tests.make import make_token as token_of

URL = "/api/v1/clients"


def limit(tenant: Tenant, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(tenant, name, value)
    tenant.save()


def refused(answer: Any, status: int, code: str, field: str | None = None) -> None:
    assert answer.status_code == status, answer.content
    error = answer.json()["errors"][0]
    assert (error["code"], error["field"]) == (code, field)


def other_interface(**fields: Any) -> Interface:
    return make_interface(
        name="wg1", addresses=["10.9.0.1/24"], listen_port=51821, is_default=False, **fields
    )


# -- Clients and devices ----------------------------------------------------------------------


def test_a_tenant_has_as_many_clients_as_it_may(
    alice_api: APIClient, acme: Tenant, evil: Tenant, interface: Interface
) -> None:
    make_client(evil)
    limit(acme, max_clients=2)
    assert alice_api.post(URL, {"name": "1"}).status_code == 201
    assert alice_api.post(URL, {"name": "2"}).status_code == 201
    refused(alice_api.post(URL, {"name": "3"}), 409, "limit_clients")
    assert Client.objects.filter(tenant=acme).count() == 2
    gone = Client.objects.filter(tenant=acme).latest("pk")
    assert alice_api.delete(f"{URL}/{gone.uuid}").status_code == 204
    assert alice_api.post(URL, {"name": "3"}).status_code == 201  # a deleted one does not count


def test_the_founding_call_keeps_to_the_limit(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    limit(acme, max_clients=0)
    key = "A" * 42 + "E="
    answer = alice_api.post("/api/wg/add-peer", {"public_key": key})
    assert (answer.status_code, Peer.objects.count()) == (409, 0)


def test_a_client_has_no_device_where_none_is_allowed(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    limit(acme, max_devices_per_client=0)
    refused(alice_api.post(URL, {"name": "1"}), 409, "limit_devices")
    assert not Client.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_cannot_take_the_last_place_twice() -> None:
    """Without `lock_tenant` each sees four of five; on SQLite one transaction writes at a time."""
    interface, tenant = make_interface(), make_tenant("five", max_clients=5)
    answers: list[str] = []

    def create(number: int) -> None:
        try:
            fresh = Tenant.objects.get(pk=tenant.pk)
            caller = Caller(fresh, "", frozenset({"*"}), SYSTEM)
            create_client(caller=caller, name=f"{number}", at=timezone.now(), interface=interface)
            answers.append("created")
        except Conflict as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=create, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["created"] * 5 + ["limit_clients"] * 7
    assert Client.objects.filter(tenant=tenant).count() == 5


def test_a_plan_with_fewer_devices_is_refused_while_there_are_more(
    alice_api: APIClient, acme: Tenant, alice_peer: Peer, interface: Interface
) -> None:
    limit(acme, max_devices_per_client=0)
    plan = make_plan(acme)
    answer = alice_api.patch(f"{URL}/{alice_peer.client.uuid}", {"plan": str(plan.uuid)})
    refused(answer, 409, "limit_devices")


# -- Interfaces -------------------------------------------------------------------------------


def test_the_default_is_the_first_interface_that_the_tenant_may_use(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    second = other_interface()
    limit(acme, limits_interfaces=True)
    refused(alice_api.post(URL, {"name": "1"}), 404, "no_interface")
    acme.interfaces.add(second)
    body = alice_api.post(URL, {"name": "1"}).json()
    assert body["devices"][0]["interface"] == "wg1"


@pytest.mark.parametrize("by", ["name", "uuid"])
def test_an_interface_that_is_not_allowed_is_none(
    alice_api: APIClient, acme: Tenant, interface: Interface, by: str
) -> None:
    acme.interfaces.add(other_interface())
    limit(acme, limits_interfaces=True)
    named = alice_api.post(URL, {"name": "1", "interface": str(getattr(interface, by))})
    unknown = alice_api.post(URL, {"name": "1", "interface": "wg9"})
    refused(named, 400, "interface_unknown", "interface")
    assert named.content == unknown.content


def test_the_limits_bind_whoever_acts_for_the_tenant(
    operator_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    limit(acme, limits_interfaces=True)
    answer = operator_api.post(
        URL, {"name": "1", "interface": "wg0"}, headers={"X-VWG-Tenant": "acme"}
    )
    refused(answer, 400, "interface_unknown", "interface")
    assert operator_api.post(URL, {"name": "1", "interface": "wg0"}).status_code == 201


def test_a_sandbox_reaches_simulated_interfaces_alone_and_others_never_do(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    simulated = make_simulated()
    sandbox = make_tenant("acme-sandbox", sandbox_of=acme)
    sandbox_api = bearer(token_of(sandbox)[1])
    body = sandbox_api.post(URL, {"name": "1"}).json()
    assert body["devices"][0]["interface"] == "sim0"
    for api, name in ((sandbox_api, "wg0"), (alice_api, "sim0")):
        answer = api.post(URL, {"name": "1", "interface": name})
        refused(answer, 400, "interface_unknown", "interface")
    assert Peer.objects.get().interface == simulated


def test_names_are_told_apart_among_those_the_tenant_may_use(
    acme: Tenant, interface: Interface
) -> None:
    """Two gateways have a wg0; for a tenant that may use one of them the name is enough."""
    from_name = make_interface(
        gateway=make_simulated().gateway, addresses=["10.8.0.1/24"], is_default=False, name="wg0",
        listen_port=51900,
    )  # fmt: skip
    limit(acme, limits_interfaces=True)
    acme.interfaces.add(from_name)
    caller = Caller(acme, "", frozenset({"*"}), SYSTEM)
    assert find_interface("wg0", caller=caller) == from_name


# -- Pools ------------------------------------------------------------------------------------


def test_addresses_come_from_the_pools_that_the_tenant_may_use(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    limit(acme, limits_pools=True)
    refused(alice_api.post(URL, {"name": "1"}), 409, "pool_exhausted")
    acme.pools.add(interface.pools.get(family=6))
    body = alice_api.post(URL, {"name": "1"}).json()
    assert body["devices"][0]["addresses"] == ["fd52:7677:6721::2/128"]
    answer = alice_api.post(URL, {"name": "2", "addresses": ["10.252.0.9"]})
    refused(answer, 400, "address_outside_pool", "addresses")
    answer = alice_api.post(URL, {"name": "2", "addresses": ["fd52:7677:6721::9"]})
    assert answer.status_code == 201
