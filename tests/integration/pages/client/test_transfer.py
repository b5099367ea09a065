"""A client that is handed over to another reseller: by operators, who are told what happens."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client as Browser
from django.utils import timezone

from gateways.models import Interface
from peers.models import Peer, ShareLink
from quotas.models import Hold
from tenants.models import Tenant
from tests.integration.pages.client.test_acts import form_of
from tests.make import make_plan


@pytest.fixture
def dialog(alice_peer: Peer, evil: Tenant) -> str:
    return f"/tenants/acme/clients/{alice_peer.client.uuid}/transfer/"


def test_it_asks_to_whom_and_says_what_happens(
    browser: Browser, dialog: str, path: str, alice_peer: Peer, acme: Tenant, evil: Tenant
) -> None:
    client = alice_peer.client
    client.plan = make_plan(acme, name="Gold")
    client.save()
    ShareLink.objects.create(tenant=acme, peer=alice_peer, digest="d" * 64, created_by="alice")
    assert dialog in browser.get(path).content.decode()
    first = browser.get(dialog).content.decode()
    assert f'<option value="{evil.slug}"' in first
    assert f'<option value="{acme.slug}"' not in first
    make_plan(evil, name="Silver")
    second = unescape(browser.get(f"{dialog}?tenant={evil.slug}").content.decode())
    for words in (
        f"Hand over {client.name} to {evil.name}?", f"{acme.name} does not see it any more.",
        "Its 1 device: keys, addresses and files stay",
        "It loses its plan, which is not theirs: Gold.",
        "1 share link ends.", "Silver", "No plan",
    ):  # fmt: skip
        assert words in second, words
    client.refresh_from_db()
    assert client.tenant == acme


def test_it_is_done_and_leads_to_the_new_place(
    browser: Browser, dialog: str, alice_peer: Peer, evil: Tenant
) -> None:
    plan, client = make_plan(evil, name="Silver"), alice_peer.client
    asked = f"{dialog}?tenant={evil.slug}"
    answer = browser.post(dialog, {**form_of(browser, asked), "plan": str(plan.uuid)})
    assert answer.status_code == 303, answer.content.decode()
    assert answer["Location"] == f"/t/{evil.slug}/clients/{client.uuid}/"
    client.refresh_from_db()
    assert (client.tenant, client.plan) == (evil, plan)
    assert browser.get(answer["Location"]).status_code == 200


def test_a_refusal_stands_in_the_dialog(
    browser: Browser, dialog: str, alice_peer: Peer, evil: Tenant, interface: Interface
) -> None:
    Tenant.objects.filter(pk=evil.pk).update(limits_interfaces=True)
    answer = browser.post(dialog, form_of(browser, f"{dialog}?tenant={evil.slug}"))
    assert answer.status_code == 409
    assert "move it first" in answer.content.decode()
    alice_peer.client.refresh_from_db()
    assert alice_peer.client.tenant != evil


def test_who_was_overtaken_is_told(
    browser: Browser, dialog: str, alice_peer: Peer, evil: Tenant
) -> None:
    sent = form_of(browser, f"{dialog}?tenant={evil.slug}")
    alice_peer.client.version += 1
    alice_peer.client.save()
    answer = browser.post(dialog, sent)
    assert answer.status_code == 409
    assert "This client was changed meanwhile." in answer.content.decode()


def test_who_is_off_is_told_of(
    browser: Browser, dialog: str, alice_peer: Peer, acme: Tenant, evil: Tenant
) -> None:
    def held(reason: str) -> None:
        Hold.objects.all().delete()
        Hold.objects.create(
            tenant=acme, client=alice_peer.client, reason=reason, opened_by="x",
            opened_at=timezone.now(),
        )  # fmt: skip

    asked = f"{dialog}?tenant={evil.slug}"
    held("manual")
    assert "It stays off all the same" in browser.get(asked).content.decode()
    held("tenant-suspended")
    assert f"with {evil.name} it is back" in browser.get(asked).content.decode()
    Tenant.objects.filter(pk=evil.pk).update(status="suspended")
    assert f"{evil.name} is suspended" in browser.get(asked).content.decode()


def test_operators_alone(
    dialog: str, path: str, evil: Tenant, browser: Browser, onlooker: Browser,
    reseller: Browser, looker: Browser, stranger: Browser,
) -> None:  # fmt: skip
    sent = form_of(browser, f"{dialog}?tenant={evil.slug}")
    for one in (onlooker, reseller, looker, stranger):
        assert one.get(dialog).status_code == 403
        assert one.post(dialog, sent).status_code == 403
    for one in (onlooker, reseller, looker):
        assert "Hand over" not in one.get(path).content.decode()
    assert Browser().get(dialog).status_code == 302
    assert browser.get(f"{dialog}?tenant=acme").status_code == 404
    assert browser.get(dialog.replace("acme", evil.slug)).status_code == 404
