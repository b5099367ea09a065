"""The admin site as a whole: every model is there, nothing secret is, and it stays quick.

What is read is asked of every list that the site registers: a new one is in these tests at once.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from gateways.models import Heartbeat, Interface, Job
from peers.models import BulkRun, Peer, PeerKey, ShareLink
from quotas.models import (
    CounterRun,
    Hold,
    LedgerSegment,
    Session,
    Shape,
    TenantUsage,
    Usage,
    UsageBucket,
)
from tenants.models import Tenant, User
from tests.make import (
    make_client,
    make_job,
    make_meter,
    make_peer,
    make_plan,
    make_tenant,
    make_token,
    make_user,
    make_wake_host,
)

pytestmark = pytest.mark.django_db
SECRET: Final = "ciphertext-that-nobody-sees"
#: Models without a list of their own, and why.
ELSEWHERE: Final = {
    "admin.LogEntry": "what was done here is in the events",
    "auth.Permission": "rights are an operator's level",
    "contenttypes.ContentType": "Django's own list of models",
    "sessions.Session": "holds what opens a session; people's sessions are listed instead",
    "account.EmailAddress": "a person's e-mail is edited at the person",
    "account.EmailConfirmation": "holds what confirms an address",
    "socialaccount.SocialApp": "comes from the environment, with a secret",
    "socialaccount.SocialAccount": "what another service tells of a person",
    "socialaccount.SocialToken": "opens somebody's account elsewhere",
    "audit.Erasure": "lets the events of an erased tenant be deleted, and goes with them",
    "tenants.Membership": "rows of a tenant's page",
    "rest.IdempotentRequest": "answers kept for a day, with what they showed",
    "peers.CustomerAccess": "a customer's login is given and taken on the client's page",
    "peers.BulkItem": "the rows of a bulk run are paged through in the portal",
    "portal.SavedView": "people's own views of their lists",
}


@pytest.fixture
def browser(operator: User) -> Browser:
    found = Browser()
    found.force_login(operator)
    return found


def more(count: int) -> None:
    """Rows of every kind, each of its own tenant, client, device and job."""
    now = timezone.now()
    interface = Interface.objects.order_by("pk")[0]
    for _ in range(count):
        tenant = make_tenant()
        client = make_client(tenant)
        peer = make_peer(client, interface, preshared_key=SECRET)
        PeerKey.objects.create(peer=peer, private_key=SECRET)
        _books(peer, now)
        make_token(tenant, name="t")
        make_plan(tenant, name="p")
        job = make_job(tenant, interface=interface, items=1)
        number = Job.objects.count()
        make_wake_host(interface.gateway, mac=f"02:00:00:00:01:{number:02x}", job=job)
        ShareLink.objects.create(tenant=tenant, peer=peer, digest=f"{SECRET}{number}"[-64:])
        BulkRun.objects.create(tenant=tenant, action="disable", request=SECRET)
        AuditEvent.objects.create(tenant=tenant, actor_kind="user", actor_name="x", action="y")
        Heartbeat.objects.create(queue=f"q{number}", seen_at=now)
        make_user(f"user-{number}", tenant=tenant)


def _books(peer: Peer, now: Any) -> None:
    tenant, client, interface = peer.tenant, peer.client, peer.interface
    meter = make_meter(peer)
    Hold.objects.create(tenant=tenant, client=client, reason="manual", opened_at=now, opened_by="x")
    Usage.objects.update_or_create(client=client, defaults={"tenant": tenant})
    TenantUsage.objects.update_or_create(tenant=tenant)
    LedgerSegment.objects.create(
        meter=meter, tenant=tenant, interface=interface, incarnation=1, quarter=now,
        sampled_at=now, from_rx=0, to_rx=1, from_tx=0, to_tx=1, billed_up=1, billed_down=1,
    )  # fmt: skip
    UsageBucket.objects.create(
        meter=meter, tenant=tenant, interface=interface, begins_at=now, seconds=900
    )
    Session.objects.create(peer=peer, tenant=tenant, began_at=now)
    Shape.objects.create(
        peer=peer, tenant=tenant, interface=interface, minor=15 + peer.pk, applied_at=now
    )
    CounterRun.objects.create(interface=interface, boot_id="b", stamp=str(peer.pk), began_at=now)


def lists() -> list[type[Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


def page_of(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_every_model_has_a_list_or_a_reason_why_not() -> None:
    absent = {m._meta.label for m in apps.get_models() if not admin.site.is_registered(m)}
    assert absent == set(ELSEWHERE)


def test_a_list_says_something_can_be_searched_and_narrowed() -> None:
    few = {"gateways.GlobalSetting", "gateways.Heartbeat", "auth.Group", "peers.PeerKey"}
    for model in lists():
        site = admin.site._registry[model]
        if model._meta.label not in few:
            assert len(site.list_display) > 2, model
            assert site.search_fields, model


def test_no_list_asks_once_for_each_row(browser: Browser, interface: Interface) -> None:
    def count() -> dict[str, int]:
        found = {}
        for model in lists():
            path = page_of(model, "changelist")
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(path).status_code == 200, path
            found[model._meta.label] = len(queries)
        return found

    more(2)
    count()
    few = count()
    more(7)
    many = count()
    assert {k: (few[k], many[k]) for k in few if many[k] > few[k]} == {}


def test_no_page_shows_a_secret(browser: Browser, interface: Interface) -> None:
    more(1)
    digest = make_token(Tenant.objects.order_by("-pk")[0], name="other")[0].digest
    secrets = [SECRET, digest, interface.private_key, User.objects.order_by("-pk")[0].password]
    for model in lists():
        rows = model._default_manager.order_by("-pk")[:3]
        paths = [page_of(model, "change", row.pk) for row in rows]
        for path in [page_of(model, "changelist"), *paths]:
            text = browser.get(path).content.decode()
            assert not [one for one in secrets if one and one in text], path


def test_who_may_only_look_acts_on_nothing(auditor: User, interface: Interface) -> None:
    auditor.is_staff = True
    auditor.save()
    more(1)
    reader = Browser()
    reader.force_login(auditor)
    before = AuditEvent.objects.count()
    for model in lists():
        row = model._default_manager.order_by("-pk").first()
        for act in ("suspend", "resume", "retry", "revoke", "wake", "disable", "delete_selected"):
            body = {"action": act, "_selected_action": [str(row.pk)] if row else []}
            answer = reader.post(page_of(model, "changelist"), body)
            assert answer.status_code in (200, 302, 403)
    assert AuditEvent.objects.count() == before


def act(browser: Browser, model: type[Model], action: str, *rows: Model) -> Any:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return browser.post(page_of(model, "changelist"), body, follow=True)


def test_tenants_are_suspended_and_resumed_by_the_service(
    browser: Browser, acme: Tenant, alice_peer: Peer
) -> None:
    act(browser, Tenant, "suspend", acme)
    acme.refresh_from_db()
    assert acme.status == Tenant.Status.SUSPENDED
    act(browser, Tenant, "resume", acme)
    acme.refresh_from_db()
    assert acme.status == Tenant.Status.ACTIVE
    told = AuditEvent.objects.filter(target_type="tenant").order_by("pk")
    assert [one.action for one in told] == ["tenant.suspended", "tenant.resumed"]


def test_a_device_is_let_out_of_quarantine(browser: Browser, alice_peer: Peer) -> None:
    Peer.objects.update(quarantine_reason="refused")
    act(browser, Peer, "retry", alice_peer)
    alice_peer.refresh_from_db()
    assert alice_peer.quarantine_reason == ""


def test_a_link_is_revoked_and_a_machine_woken(browser: Browser, alice_peer: Peer) -> None:
    link = ShareLink.objects.create(tenant=alice_peer.tenant, peer=alice_peer, digest="d")
    act(browser, ShareLink, "revoke", link)
    link.refresh_from_db()
    assert link.revoked_at is not None
    host = make_wake_host(alice_peer.interface.gateway)
    act(browser, type(host), "wake", host)
    assert Job.objects.filter(kind="wake").count() == 1


def test_the_site_and_the_portal_lead_to_each_other(browser: Browser, interface: Interface) -> None:
    assert 'href="/admin/"' in browser.get("/").content.decode()
    assert 'href="/"' in browser.get("/admin/").content.decode()
