"""A sandbox's clients live as others do, and never reach an interface."""

from __future__ import annotations

import re
from typing import Any

import pytest
from celery import current_app
from django.test import Client as Browser
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import SYSTEM
from audit.models import AuditEvent
from control import tasks
from control.apply import apply_interface
from control.observe import observe_interface
from gateways import drivers
from gateways.hints import publisher
from gateways.models import Gateway, Interface, Job, JobItem
from gateways.queries import expected_queues
from peers.models import Client, Peer
from peers.queries import view_client
from peers.services.clients import create_client, delete_client, disable_client, update_client
from peers.services.founding import apply_open
from resellers.services.following import follow_tenants
from resellers.services.sandbox import ensure_sandbox
from resellers.services.suspension import suspend_tenant
from rest.errors import Conflict
from tenants.models import Tenant, User
from tenants.scoping import Caller

pytestmark = pytest.mark.django_db
TEXT = "Sandbox: nothing reaches an interface."


@pytest.fixture
def twin(acme: Tenant) -> Tenant:
    return ensure_sandbox(tenant=acme, actor=SYSTEM, at=timezone.now())


@pytest.fixture
def caller(twin: Tenant) -> Caller:
    return Caller(twin, "", frozenset({"*"}), SYSTEM)


@pytest.fixture
def simulated(twin: Tenant) -> Interface:
    return twin.interfaces.select_related("gateway").get()


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody rings, nobody sends a task, nobody takes a means of reaching an interface."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"it left the database: {args} {kwargs}")

    monkeypatch.setattr(publisher, "ring", fail)
    monkeypatch.setattr(current_app, "send_task", fail)
    monkeypatch.setattr(drivers, "memory_station", fail)


def make(caller: Caller, simulated: Interface, **details: Any) -> Any:
    return create_client(
        caller=caller, name="Ida", interface=simulated, at=timezone.now(), **details
    )


def test_the_twin_is_made_once(acme: Tenant, twin: Tenant, simulated: Interface) -> None:
    assert ensure_sandbox(tenant=acme, actor=SYSTEM, at=timezone.now()) == twin
    assert (twin.sandbox_of, twin.slug, twin.limits_interfaces) == (acme, "acme-sandbox", True)
    assert list(twin.interfaces.all()) == [simulated]
    assert (simulated.simulated, simulated.enabled, simulated.pools.count()) == (True, False, 2)
    assert AuditEvent.objects.filter(action="tenant.sandbox_made").count() == 1
    with pytest.raises(Conflict):
        ensure_sandbox(tenant=twin, actor=SYSTEM, at=timezone.now())


def test_two_sandboxes_know_nothing_of_each_other(twin: Tenant, evil: Tenant) -> None:
    other = ensure_sandbox(tenant=evil, actor=SYSTEM, at=timezone.now())
    mine, theirs = twin.interfaces.get(), other.interfaces.get()
    assert mine.gateway_id != theirs.gateway_id
    key = make(Caller(twin, "", frozenset({"*"}), SYSTEM), mine).peer.public_key
    made = make(Caller(other, "", frozenset({"*"}), SYSTEM), theirs, public_key=key)
    assert made.job.status == "succeeded"


def test_a_slug_that_is_taken_is_no_hindrance(acme: Tenant) -> None:
    Tenant.objects.create(slug="acme-sandbox", name="Somebody else")
    twin = ensure_sandbox(tenant=acme, actor=SYSTEM, at=timezone.now())
    assert re.fullmatch("acme-sandbox-[0-9a-f]{8}", twin.slug)


def test_a_slug_taken_out_of_sight_is_no_hindrance(
    acme: Tenant, alice_api: APIClient, interface: Interface
) -> None:
    """Behind row-level security no other tenant's slug is seen, and it is unique all the same."""
    Tenant.objects.create(slug="acme-sandbox", name="Somebody else")
    wish = {"scopes": ["clients:read"], "sandbox": True}
    for name in ("shop", "till"):
        answer = alice_api.post("/api/v1/tokens", {"name": name, **wish})
        assert (answer.status_code, answer.json()["sandbox"]) == (201, True)
    twin = Tenant.objects.get(sandbox_of=acme)
    assert re.fullmatch("acme-sandbox-[0-9a-f]{8}", twin.slug)


def test_its_gateway_is_not_called_by_a_counter(simulated: Interface) -> None:
    assert re.fullmatch("sandbox-[0-9a-f]{12}", simulated.gateway.slug)


def test_a_change_is_settled_with_itself(
    caller: Caller, simulated: Interface, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        made = make(caller, simulated)
        assert (made.job.status, made.job.done, made.job.message) == ("succeeded", 1, TEXT)
        assert view_client(made.client).state == "active"
        assert view_client(made.client).devices[0].status == "verified"
        changed = update_client(
            caller=caller,
            client_id=made.client.uuid,
            changes={"persistent_keepalive": 25},
            at=timezone.now(),
        )
        off = disable_client(caller=caller, client_id=made.client.uuid, at=timezone.now())
        checked = apply_open(caller=caller, interface=simulated, at=timezone.now())
        gone = delete_client(caller=caller, client_id=made.client.uuid, at=timezone.now())
    for job in (changed.job, off.job, checked, gone.job):
        assert (job.status, job.message) == ("succeeded", TEXT)
    peer = Peer.objects.get(pk=made.peer.pk)
    assert peer.verified_generation == peer.applied_generation == peer.generation == 4
    assert (peer.applied_key, peer.observed_present) == ("", False)
    assert not JobItem.objects.filter(status="open").exists()
    simulated.refresh_from_db()
    assert simulated.boot_dirty_since is None


def test_no_task_of_the_loop_knows_it(
    caller: Caller, simulated: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(caller, simulated)
    Interface.objects.update(boot_dirty_since=timezone.now())
    tasks.sweep()
    tasks.observe_all()
    assert expected_queues() == ["control"]
    with pytest.raises(Interface.DoesNotExist):
        apply_interface(interface_id=simulated.pk)
    with pytest.raises(Interface.DoesNotExist):
        observe_interface(interface_id=simulated.pk)
    with pytest.raises(Interface.DoesNotExist):
        tasks.write_boot_file(interface_id=simulated.pk)


def test_a_suspension_of_a_sandbox_settles_itself(
    acme: Tenant, caller: Caller, simulated: Interface
) -> None:
    made = make(caller, simulated)
    job = suspend_tenant(tenant=acme, reason="unpaid", actor=SYSTEM, at=timezone.now())
    follow_tenants(at=timezone.now(), seconds=60)
    assert Peer.objects.get(pk=made.peer.pk).blocked
    job.refresh_from_db()
    assert (job.status, job.total, job.done, job.message) == ("succeeded", 1, 1, TEXT)
    assert view_client(made.client).state == "suspended"


def test_the_operators_pages_show_what_runs(
    caller: Caller, simulated: Interface, interface: Interface, operator: User, client: Browser
) -> None:
    make(caller, simulated)
    client.force_login(operator)
    page = client.get("/status/").content.decode()
    assert "wg0" in page
    assert "Ida" not in page
    assert "sandbox" not in page
    assert client.get(f"/apply/?interface={simulated.uuid}").status_code == 404


def test_its_rows_are_rows_like_others(caller: Caller, simulated: Interface) -> None:
    made = make(caller, simulated)
    assert Client.objects.get(pk=made.client.pk).tenant == caller.tenant
    assert made.view.devices[0].addresses[0].startswith("100.64.")
    assert Gateway.objects.get(pk=simulated.gateway_id).endpoint_address == "192.0.2.1"
    assert Job.objects.get(pk=made.job.pk).tenant == caller.tenant
