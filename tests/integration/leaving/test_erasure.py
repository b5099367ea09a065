"""An erasure destroys what a tenant stored of people; what was done stays known, without names."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from rest_framework.test import APIClient

from audit.erasure import ERASED
from audit.events import SYSTEM, Actor
from audit.models import AuditEvent
from control import pruning, tasks
from gateways.models import Job
from peers.models import Client, Peer, PeerAddress, PeerKey
from peers.services.clients import create_client
from peers.services.links import create_link, reveal
from peers.services.removal import delete_client
from peers.services.switching import disable_client
from quotas.models import Hold, Meter, Plan, Session
from resellers.services import erasure
from resellers.services.erasure import erase_tenant, follow_erasures
from resellers.services.following import follow_tenants
from resellers.services.members import Person, add_member
from resellers.services.sandbox import ensure_sandbox
from resellers.services.suspension import close_tenant, resume_tenant
from resellers.services.tokens import TokenWish, issue_token
from rest.errors import Conflict, Forbidden, Invalid
from tenants.models import ApiToken, Membership, Tenant, User
from tenants.scoping import FULL, Caller
from tests.integration.control.conftest import Gateway
from tests.make import make_client, make_peer, make_token, make_user
from tests.tags import tag

pytestmark = pytest.mark.django_db
#: What a customer, a member or an integrator typed in.
PERSONAL = (
    "Sara", "sara@example.org", "@sara", "order-4711", "pays late", "blue door", "Gone", "alice",
    "log of", "Acme", "Gold", "contact@acme.example", "phone of Sara", "198.51.100.7",
    "203.0.113.9",
)  # fmt: skip


@pytest.fixture
def full(
    gateway: Gateway, acme: Tenant, evil: Tenant, alice: User, mallory: User, operator: User
) -> Gateway:
    """A tenant with everything, closed; and another one beside it."""
    by_alice = Actor("user", str(alice.uuid), "alice", "198.51.100.7")
    gateway.caller = Caller(acme, "", frozenset({"*"}), by_alice)
    Tenant.objects.filter(pk=acme.pk).update(contact_email="contact@acme.example")
    made = gateway.add(
        "Sara", email="sara@example.org", telegram_id="@sara", external_id="order-4711",
        note="pays late", metadata={"door": "blue door"}, tags=["x"], device_name="phone of Sara",
    )  # fmt: skip
    Client.objects.filter(pk=made.client.pk).update(
        plan=Plan.objects.create(tenant=acme, name="Gold")
    )
    visit_share_page(gateway.caller, made.peer, "203.0.113.9")
    disable_client(
        caller=gateway.caller, client_id=made.client.uuid, note="pays late", at=timezone.now()
    )
    gone = gateway.add("Gone")
    delete_client(caller=gateway.caller, client_id=gone.client.uuid, at=timezone.now())
    make_token(acme, name="key of alice", user=alice)
    twin = ensure_sandbox(tenant=acme, actor=SYSTEM, at=timezone.now())
    make_token(twin, name="alice of the sandbox")
    make_client(twin, name="Sara")
    make_peer(make_client(evil, name="Eve"), gateway.interface)
    for row in (
        acme,
        made.client,
        Plan.objects.get(),
        alice,
        ApiToken.objects.filter(tenant=acme).earliest("pk"),
    ):
        LogEntry.objects.create(
            user=operator,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=f"log of {row}",
            change_message="Changed Sara at Acme.",
            action_flag=CHANGE,
        )
    gateway.apply()
    close_tenant(tenant=acme, reason="Acme is gone", actor=SYSTEM, at=timezone.now())
    follow_tenants(at=timezone.now(), seconds=60)
    gateway.apply()
    return gateway


def visit_share_page(caller: Caller, peer: Peer, address: str) -> None:
    """A customer takes the file by a link."""
    at = timezone.now()
    made = create_link(caller=caller, peer_id=peer.uuid, at=at, expires_at=None)
    reveal(link=made.link, way="page", address=address, at=at)


def erase(tenant: Tenant) -> Job:
    tenant.refresh_from_db()
    return erase_tenant(tenant=tenant, slug=tenant.slug, actor=SYSTEM, at=timezone.now())


def bring_about(gateway: Gateway) -> None:
    while follow_erasures(at=timezone.now(), seconds=60):
        pass
    gateway.apply()
    pruning.purge(at=timezone.now(), seconds=60)


def stored() -> str:
    """Every row of every table, as text."""
    return "\n".join(
        json.dumps([model._meta.label, row], default=str, ensure_ascii=False)
        for model in apps.get_models()
        if model._meta.managed and model._meta.app_label != "contenttypes"
        for row in model._default_manager.values()
    )


def test_nothing_of_people_is_left_in_any_table(full: Gateway, acme: Tenant) -> None:
    assert [word for word in PERSONAL if word not in stored()] == []
    erase(acme)
    bring_about(full)
    assert [word for word in PERSONAL if word in stored()] == []


def test_what_is_another_tenants_stays(full: Gateway, acme: Tenant, evil: Tenant) -> None:
    erase(acme)
    bring_about(full)
    assert list(Client.objects.values_list("name", flat=True)) == ["Eve"]
    assert Membership.objects.filter(tenant=evil).count() == 1
    assert AuditEvent.objects.filter(tenant=evil, target_name="erased").count() == 0
    assert PeerAddress.objects.filter(peer__client__tenant=evil).count() == 2


def test_devices_leave_and_rows_addresses_and_keys_go(full: Gateway, acme: Tenant) -> None:
    job = erase(acme)
    bring_about(full)
    assert full.peers() == {}
    assert not Peer.objects.filter(tenant=acme).exists()
    assert not PeerKey.objects.exists()
    assert not Hold.objects.exists()
    assert not PeerAddress.objects.filter(tenant=acme, peer__isnull=False).exists()
    assert not ApiToken.objects.filter(tenant=acme).exists()
    assert not ApiToken.objects.filter(tenant__sandbox_of=acme).exists()
    job.refresh_from_db()
    assert (job.status, job.total, job.failed) == ("succeeded", 1, 0)
    acme.refresh_from_db()
    assert (acme.slug, acme.name, acme.status) == (f"erased-{acme.pk}", "erased", "closed")


def test_people_go_with_their_last_tenant(
    full: Gateway, acme: Tenant, evil: Tenant, operator: User
) -> None:
    both = make_user("both", tenant=acme)
    Membership.objects.create(tenant=evil, user=both, role="viewer")
    Membership.objects.create(tenant=acme, user=operator, role="viewer")
    erase(acme)
    bring_about(full)
    assert set(User.objects.values_list("username", flat=True)) == {"both", "mallory", "oscar"}
    assert not Membership.objects.filter(tenant=acme).exists()


def test_events_stay_in_their_order_without_names(full: Gateway, acme: Tenant) -> None:
    rows = AuditEvent.objects.filter(tenant=acme).order_by("pk")
    kept = ("pk", "uuid", "action", "target_id", "actor_id", "created_at", "result")
    before = list(rows.values_list(*kept))
    assert len(before) > 4
    erase(acme)
    bring_about(full)
    assert list(rows.values_list(*kept)) == before
    assert set(rows.values_list("target_name", flat=True)) == {"erased"}
    updated = rows.filter(action="client.disabled").get()
    assert (updated.actor_name, updated.address) == ("erased", None)
    assert updated.after == {"note": None}, "which fields a change touched stays known"
    told = AuditEvent.objects.get(action="tenant.erased")
    assert (told.tenant, told.target_id) == (None, str(acme.uuid))
    assert not AuditEvent.objects.filter(action="client.purged").exists(), "it is one act"


def test_it_goes_on_where_it_was_cut_short(
    full: Gateway, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "BATCH", 1)
    monkeypatch.setattr(erasure, "PAUSE_S", 0)
    erase(acme)
    rounds = 0
    while follow_erasures(at=timezone.now(), seconds=0.05):
        rounds += 1
        assert rounds < 200
    bring_about(full)
    assert [word for word in PERSONAL if word in stored()] == []
    assert not follow_erasures(at=timezone.now(), seconds=9)


def test_the_schedule_carries_it_out(full: Gateway, acme: Tenant) -> None:
    erase(acme)
    tasks.follow_tenants()
    assert not Client.objects.filter(tenant=acme, deleted_at=None).exists()


def test_what_is_refused(gateway: Gateway, acme: Tenant) -> None:
    at = timezone.now()
    with pytest.raises(Conflict, match="Only a closed tenant"):
        erase(acme)
    twin = ensure_sandbox(tenant=acme, actor=SYSTEM, at=at)
    close_tenant(tenant=acme, reason="", actor=SYSTEM, at=at)
    with pytest.raises(Invalid, match="slug"):
        erase_tenant(tenant=acme, slug="evil", actor=SYSTEM, at=at)
    with pytest.raises(Conflict, match="sandbox"):
        erase(twin)
    with pytest.raises(Conflict, match="sandbox"):
        resume_tenant(tenant=twin, reason="", actor=SYSTEM, at=at)
    erase(acme)
    with pytest.raises(Conflict, match="erased"):
        erase(acme)
    with pytest.raises(Conflict, match="erased"):
        resume_tenant(tenant=acme, reason="", actor=SYSTEM, at=at)
    default = Tenant.objects.get(slug="default")
    with pytest.raises(Conflict, match="default"):
        close_tenant(tenant=default, reason="", actor=SYSTEM, at=at)


def test_the_api(
    full: Gateway,
    acme: Tenant,
    operator_api: APIClient,
    alice_api: APIClient,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    auditor: User,
) -> None:
    url = f"/api/v1/tenants/{acme.uuid}/erase"
    browser = APIClient()
    browser.force_login(auditor)
    sure: Any = {"slug": "acme"}
    assert browser.post(url, sure, format="json").status_code == 403
    assert alice_api.post(url, sure).status_code == 403
    assert mallory_api.post(url, sure).status_code == 403
    assert anonymous_api.post(url, sure).status_code == 401
    for bad in ({}, {"slug": "evil"}, {"slug": None}, {"slug": "acme", "x": 1}):
        assert operator_api.post(url, bad).status_code == 400, bad
    assert operator_api.post(url, sure, HTTP_IF_MATCH=tag(acme, 99)).status_code == 412
    answer = operator_api.post(url, sure)
    assert answer.status_code == 202
    assert answer.json()["slug"] == f"erased-{acme.pk}"
    bring_about(full)
    assert operator_api.get(answer.json()["job"]["href"]).json()["status"] == "succeeded"
    again = operator_api.post(url, {"slug": f"erased-{acme.pk}"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-erased")
    assert operator_api.post(f"/api/v1/tenants/{acme.uuid}/resume").status_code == 409


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clients", {"name": "Sara"}),
        ("clients/bulk", {"clients": [{"name": "Sara"}]}),
        ("tokens", {"name": "key", "scopes": ["clients:read"]}),
        ("members", {"email": "sara@example.org", "role": "viewer"}),
        ("plans", {"name": "Gold"}),
    ],
)
def test_nobody_fills_an_erased_tenant_again(
    full: Gateway, acme: Tenant, operator_api: APIClient, path: str, body: dict[str, Any]
) -> None:
    erase(acme)
    slug = Tenant.objects.get(pk=acme.pk).slug
    answer = operator_api.post(f"/api/v1/{path}", body, headers={"X-VWG-Tenant": slug})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/tenant-erased")
    read = operator_api.get("/api/v1/clients", headers={"X-VWG-Tenant": slug})
    assert read.status_code == 200


def test_nobody_fills_it_by_another_way(
    full: Gateway, acme: Tenant, operator_api: APIClient
) -> None:
    erase(acme)
    tenant = Tenant.objects.get(pk=acme.pk)
    answer = operator_api.patch(f"/api/v1/tenants/{tenant.uuid}", {"name": "Acme"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/tenant-erased")
    by = Actor("user", "", "op", None, True)
    caller, at = Caller(tenant, FULL, frozenset({"*"}), by), timezone.now()
    wish = TokenWish("key", ["clients:read"])
    for act in (
        lambda: create_client(caller=caller, name="Sara", at=at, interface=full.interface),
        lambda: add_member(caller=caller, person=Person("s@example.org"), role="viewer", at=at),
        lambda: issue_token(caller=caller, wish=wish, at=at),
        lambda: ensure_sandbox(tenant=tenant, actor=by, at=at),
    ):
        with pytest.raises(Forbidden, match="erased"):
            act()


def test_what_was_used_stays_without_names(full: Gateway, acme: Tenant) -> None:
    sara = Client.objects.get(tenant=acme, external_id="order-4711")
    peer = Peer.objects.get(client=sara)
    of_acme = {"tenant": acme, "interface": full.interface}
    used = Meter.objects.create(
        **of_acme, peer=peer, client=sara, client_uuid=sara.uuid, client_name="Sara",
        external_id="order-4711", raw_up=5,
    )  # fmt: skip
    Meter.objects.create(
        **of_acme, client_uuid=uuid4(), client_name="Gone", external_id="order-1", raw_up=7
    )
    Session.objects.create(
        peer=peer, tenant=acme, began_at=timezone.now(), endpoint="203.0.113.9:4711"
    )
    erase_tenant(tenant=acme, slug="acme", actor=SYSTEM, at=timezone.now())
    while follow_erasures(at=timezone.now(), seconds=0):
        pass
    assert not Session.objects.exists()
    full.apply()
    pruning.purge(at=timezone.now(), seconds=5)
    assert not Client.objects.filter(tenant=acme).exists()
    names = set(Meter.objects.values_list("client_name", "external_id"))
    assert names <= {("", None), (ERASED, None)}
    assert sorted(Meter.objects.values_list("raw_up", flat=True)) == [5, 7]
    used.refresh_from_db()
    assert used.client is None
