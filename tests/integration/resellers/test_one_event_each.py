"""Every write of the API writes one event: the operations come from the description, and one that
has no row here fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Gateway, GlobalSetting, Interface
from tenants.models import Tenant, User
from tests.integration.resellers.test_tenants import PNG
from tests.make import (
    make_interface,
    make_job,
    make_plan,
    make_pool,
    make_public_key,
    make_tenant,
    make_token,
    make_user,
    make_wake_host,
)
from vwg.description import operations

V1 = "/api/v1"
ONE = f"{V1}/clients/{{client_id}}"
SAME = f"{V1}/clients/by-external-id/{{external_id}}"
HEADERS = {"X-VWG-Tenant": "acme"}


class World:
    """Things to act on, by the name that a path or a body has for them."""

    def __init__(self, api: APIClient, tenant: Tenant, interface: Interface) -> None:
        self.api, self.tenant, self.interface = api, tenant, interface
        self.client = self.made(f"{V1}/clients", {"name": "Sara", "external_id": "o-1"})
        self.peer = self.client["devices"][0]
        self.other = make_interface(
            name="wg1", listen_port=51821, addresses=["10.9.0.1/24"], is_default=False
        )
        self.member = make_user("bob", tenant=tenant, role="viewer")
        self.plan = make_plan(tenant, name="Basic")
        self.token = make_token(tenant, name="old")[0]

    def made(self, path: str, body: Any) -> Any:
        answer = self.api.post(path, body, headers=HEADERS)
        assert answer.status_code in (200, 201, 202), answer.content
        return answer.json()

    def of_path(self, name: str) -> str:
        """What stands for a parameter of a path."""
        found: dict[str, Callable[[], Any]] = {
            "client_id": lambda: self.client["id"],
            "external_id": lambda: "o-1",
            "peer_id": lambda: self.peer["id"],
            "link_id": lambda: self.made(f"{V1}/peers/{self.peer['id']}/share-links", {})["id"],
            "login_id": self.login,
            "gateway_id": lambda: Gateway.objects.create(slug="spare").uuid,
            "interface_id": lambda: self.other.uuid,
            "host_id": lambda: make_wake_host().uuid,
            "pool_id": lambda: self.other.pools.order_by("pk")[0].uuid,
            "job_id": self.failed_job,
            "user_id": lambda: self.member.uuid,
            "plan_id": lambda: self.plan.uuid,
            "token_id": lambda: self.token.uuid,
            "tenant_id": lambda: self.tenant.uuid,
        }
        return str(found[name]())

    def let_in(self) -> None:
        Tenant.objects.filter(pk=self.tenant.pk).update(customers_sign_in=True)

    def login(self) -> Any:
        self.let_in()
        path = f"{V1}/clients/{self.client['id']}/logins"
        return self.made(path, {"email": "mina@example.org"})["id"]

    def failed_job(self) -> Any:
        job = make_job(self.tenant, interface=self.other, items=1)
        job.items.update(status="failed", settled_at=job.created_at)
        type(job).objects.update(status="failed", done=1, failed=1, finished_at=job.created_at)
        return job.uuid


Prepare = Callable[[World], Any]


def body(value: Any) -> Prepare:
    return lambda world: value


def after(path: str, value: Any = None, then: Any = None) -> Prepare:
    """A body for a call that another one must go before."""

    def prepare(world: World) -> Any:
        world.made(path.format(client_id=world.client["id"], tenant_id=world.tenant.uuid), value)
        return then

    return prepare


def deleted(world: World) -> None:
    answer = world.api.delete(ONE.format(client_id=world.client["id"]), headers=HEADERS)
    assert answer.status_code == 204


def elsewhere(world: World) -> Any:
    make_tenant("elsewhere")
    return {"tenant": "elsewhere"}


def sold(world: World) -> Any:
    where = f"{V1}/clients/{world.client['id']}"
    answer = world.api.patch(where, {"quota_bytes": 5, "duration_days": 7}, headers=HEADERS)
    assert answer.status_code == 200, answer.content
    return {"days": 3, "bytes": 7}


def key_of(world: World) -> Any:
    return {"public_key": world.peer["public_key"]}


def logo(world: World) -> None:
    answer = world.api.put(f"{V1}/tenant/logo", PNG, content_type="image/png", headers=HEADERS)
    assert answer.status_code == 204


def closed(world: World) -> Any:
    world.made(f"{V1}/tenants/{world.tenant.uuid}/close", {})
    return {"slug": "acme"}


def switched_off(world: World) -> None:
    Interface.objects.filter(pk=world.other.pk).update(enabled=False, state="down")


def another_pool(world: World) -> None:
    make_pool(world.other, "fd11::1/64")


def invited(world: World) -> dict[str, str]:
    world.let_in()
    return {"email": "mina@example.org"}


CLIENT_ACTS: dict[str, Prepare] = {
    "change-plan": lambda world: {"plan": str(world.plan.uuid)},
    "disable": body({}),
    "extend": sold,
    "enable": after(f"{ONE}/disable", {}, {}),
    "kick": body({}),
    "logins": invited,
    "move": body({"interface": "wg1"}),
    "peers": body({"name": "tablet"}),
    "reset-usage": body({}),
    "restore": deleted,
    "rotate-keys": body({}),
    "share-links": body({}),
    "suspend": body({}),
    "terminate": body({}),
    "top-up": sold,
    "transfer": elsewhere,
    "unsuspend": after(f"{ONE}/suspend", {}, {}),
}
ROWS: dict[str, Prepare] = {
    f"POST {V1}/clients": body({"name": "Ida"}),
    **{f"POST {way}/{act}": row for way in (ONE, SAME) for act, row in CLIENT_ACTS.items()},
    **{f"PATCH {way}": body({"note": "x"}) for way in (ONE, SAME)},
    **{f"DELETE {way}": body(None) for way in (ONE, SAME)},
    f"POST {V1}/clients/bulk": body({"action": "create", "items": [{"name": "Bulk"}]}),
    f"POST {V1}/clients/configs": body({"external_ids": ["o-1"]}),
    f"PATCH {V1}/peers/{{peer_id}}": body({"mtu": 1300}),
    f"DELETE {V1}/peers/{{peer_id}}": body(None),
    f"POST {V1}/peers/{{peer_id}}/move": body({"interface": "wg1"}),
    f"POST {V1}/peers/{{peer_id}}/rotate-keys": body({}),
    f"POST {V1}/peers/{{peer_id}}/share-links": body({}),
    f"DELETE {V1}/share-links/{{link_id}}": body(None),
    f"DELETE {V1}/logins/{{login_id}}": body(None),
    "POST /api/wg/add-peer": lambda world: {
        "public_key": make_public_key(),
        "allowed_ips": ["10.252.7.7/32"],
    },
    "POST /api/wg/remove-peer": key_of,
    "POST /api/apply-wg-config": body({}),
    f"POST {V1}/gateways": body({"slug": "frankfurt"}),
    f"PATCH {V1}/gateways/{{gateway_id}}": body({"location": "Frankfurt"}),
    f"DELETE {V1}/gateways/{{gateway_id}}": body(None),
    f"POST {V1}/wake-hosts": body({"gateway": "local", "name": "nas", "mac": "02:00:00:00:00:01"}),
    f"PATCH {V1}/wake-hosts/{{host_id}}": body({"name": "other"}),
    f"DELETE {V1}/wake-hosts/{{host_id}}": body(None),
    f"POST {V1}/wake-hosts/{{host_id}}/wake": body(None),
    f"POST {V1}/interfaces": lambda world: {
        "gateway": "local",
        "name": "wg7",
        "listen_port": 51900,
        "addresses": ["10.77.0.1/24"],
    },
    f"PATCH {V1}/interfaces/{{interface_id}}": body({"label": "Gaming"}),
    f"DELETE {V1}/interfaces/{{interface_id}}": switched_off,
    f"POST {V1}/interfaces/{{interface_id}}/rotate-key": body({}),
    f"POST {V1}/jobs/{{job_id}}/retry": body({}),
    f"POST {V1}/pools": lambda world: {
        "interface_id": str(world.other.uuid),
        "network": "10.10.0.0/24",
    },
    f"PATCH {V1}/pools/{{pool_id}}": body({"name": "Main"}),
    f"DELETE {V1}/pools/{{pool_id}}": another_pool,
    f"PATCH {V1}/settings": body({"mtu": 1400}),
    f"POST {V1}/members": body({"email": "new@acme.example", "role": "viewer"}),
    f"PATCH {V1}/members/{{user_id}}": body({"role": "manager"}),
    f"DELETE {V1}/members/{{user_id}}": body(None),
    f"POST {V1}/plans": body({"name": "Gold"}),
    f"PATCH {V1}/plans/{{plan_id}}": body({"description": "x"}),
    f"DELETE {V1}/plans/{{plan_id}}": body(None),
    f"POST {V1}/tokens": body({"name": "new", "scopes": ["jobs:read"]}),
    f"PATCH {V1}/tokens/{{token_id}}": body({"name": "newer"}),
    f"DELETE {V1}/tokens/{{token_id}}": body(None),
    f"PATCH {V1}/tenant": body({"brand_name": "ACME"}),
    f"PUT {V1}/tenant/logo": body(PNG),
    f"DELETE {V1}/tenant/logo": logo,
    f"POST {V1}/tenant/export": body({}),
    f"POST {V1}/tenants": body({"name": "New", "owner": {"email": "boss@new.example"}}),
    f"PATCH {V1}/tenants/{{tenant_id}}": body({"max_clients": 5}),
    f"POST {V1}/tenants/{{tenant_id}}/suspend": body({}),
    f"POST {V1}/tenants/{{tenant_id}}/resume": after(f"{V1}/tenants/{{tenant_id}}/suspend", {}, {}),
    f"POST {V1}/tenants/{{tenant_id}}/close": body({}),
    f"POST {V1}/tenants/{{tenant_id}}/erase": closed,
    f"POST {V1}/tenants/{{tenant_id}}/export": body({}),
}


def writes() -> list[str]:
    generator: Any = SchemaGenerator
    found = generator().get_schema(public=True)
    return [f"{method.upper()} {path}" for path, method, _ in operations(found) if method != "get"]


def test_every_write_of_the_description_has_its_row_and_no_other() -> None:
    assert set(ROWS) == set(writes())


@pytest.fixture
def world(operator_api: APIClient, acme: Tenant, alice: User, interface: Interface) -> World:
    GlobalSetting.objects.get_or_create(pk=1)
    return World(operator_api, acme, interface)


@pytest.mark.parametrize("operation", ROWS)
def test_a_write_writes_one_event(world: World, operation: str) -> None:
    method, _, path = operation.partition(" ")
    content = ROWS[operation](world)
    while "{" in path:
        name = path.partition("{")[2].partition("}")[0]
        path = path.replace(f"{{{name}}}", world.of_path(name))
    last = AuditEvent.objects.latest("pk").pk
    kind = {"content_type": "image/png"} if content is PNG else {}
    answer = getattr(world.api, method.lower())(path, content, headers=HEADERS, **kind)
    if answer.streaming:  # an archive is a file, which is closed when it was read
        assert b"".join(answer)
    assert answer.status_code in (200, 201, 202, 204), answer.content
    events = list(AuditEvent.objects.filter(pk__gt=last))
    assert [event.action for event in events] == [events[0].action if events else "one"]
    assert events[0].by_operator
    assert (events[0].actor_kind, events[0].address) == ("token", "127.0.0.1")
