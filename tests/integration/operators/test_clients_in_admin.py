"""A client's note in the admin site: by the service, as one of the operator's acts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from rest_framework.test import APIClient

from audit.models import AuditEvent
from peers.models import Client
from tenants.models import Tenant, User
from tests.make import make_client


@pytest.fixture
def browser(client: Browser, operator: User) -> Browser:
    client.force_login(operator)
    return client


@pytest.fixture
def sara(acme: Tenant) -> Client:
    return make_client(acme, name="Sara", note="old")


def save(browser: Browser, client: Client, note: str) -> None:
    page = f"/admin/peers/client/{client.pk}/change/"
    data: dict[str, Any] = {"note": note}
    for inline in browser.get(page).context["inline_admin_formsets"]:
        data |= {bound.html_name: bound.value() for bound in inline.formset.management_form}
    assert browser.post(page, data).status_code == 302


def test_the_note_is_one_event_of_the_operator(
    browser: Browser, sara: Client, alice_api: APIClient
) -> None:
    save(browser, sara, "new")
    event = AuditEvent.objects.get(action="client.updated")
    assert (event.before, event.after) == ({"note": "old"}, {"note": "new"})
    assert (event.tenant_id, event.by_operator) == (sara.tenant_id, True)
    assert event.address is not None
    shown = alice_api.get("/api/v1/events", {"action": "client.updated"}).json()["results"][0]
    assert (shown["actor"]["by_operator"], shown["actor"]["address"]) == (True, None)
    version = sara.version
    sara.refresh_from_db()
    assert (sara.note, sara.version) == ("new", version + 1)
    save(browser, sara, "new")
    assert AuditEvent.objects.filter(action="client.updated").count() == 1


def test_what_changed_meanwhile_stays(
    browser: Browser, sara: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version counts on from the row, not from what the form had read."""
    real = Client.full_clean

    def meanwhile(self: Client, *arguments: Any, **named: Any) -> None:
        Client.objects.filter(pk=self.pk).update(version=7)
        real(self, *arguments, **named)

    monkeypatch.setattr(Client, "full_clean", meanwhile)
    save(browser, sara, "new")
    sara.refresh_from_db()
    assert (sara.note, sara.version) == ("new", 8)
