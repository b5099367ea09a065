"""A new client by its page: a name is enough, the QR code follows, and twice is once."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from gateways.models import Interface, Job
from peers.models import Client, Peer
from tenants.models import Tenant
from tests.make import make_plan, make_public_key

NEW = "/t/acme/clients/new/"
GB = 10**9


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))


def create(browser: Browser, status: int = 303, **fields: str) -> str:
    form = hidden(browser.get(NEW).content.decode())
    answer = browser.post(NEW, {**form, **fields})
    assert answer.status_code == status, answer.content.decode()
    return answer["Location"] if status == 303 else answer.content.decode()


def test_a_name_is_enough_and_the_qr_code_follows(
    reseller: Browser, acme: Tenant, interface: Interface
) -> None:
    plan = make_plan(acme, name="Gamer 50", total_bytes=50 * GB)
    assert f'value="{plan.uuid}" class="tick" id="id_plan_0" checked' in reseller.get(
        NEW
    ).content.decode().replace("  ", " ")
    place = create(reseller, name="کیان PS5", plan=str(plan.uuid))
    client, peer = Client.objects.get(), Peer.objects.get()
    assert place == f"/t/acme/clients/{client.uuid}/?file={peer.uuid}&new=1#file"
    assert (client.name, client.plan, client.quota_bytes) == ("کیان PS5", plan, 50 * GB)
    page = reseller.get(place.partition("#")[0]).content.decode()
    assert "data:image/svg+xml;base64," in page
    assert "Being applied." in page
    assert "Create another" in page
    assert 'data-poll="' in page
    assert Job.objects.get().kind == "create"
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["client.created", "config.revealed"]


def test_the_state_goes_from_pending_to_live_by_the_poll(
    reseller: Browser, interface: Interface
) -> None:
    place = create(reseller, name="Kian").partition("#")[0]
    page = reseller.get(place)
    assert "data-eager" in page.content.decode()
    live = place.replace("?", "live/?").partition("&")[0]
    same = reseller.get(live, headers={"If-None-Match": page.context["etag"]})
    assert same.status_code == 304
    Peer.objects.update(applied_generation=1, verified_generation=1)
    other = reseller.get(live, headers={"If-None-Match": page.context["etag"]})
    assert "Live: the gateway has confirmed it." in other.content.decode()
    assert "data-eager" not in other.content.decode()


def test_sent_twice_it_makes_one_client(reseller: Browser, interface: Interface) -> None:
    form = {**hidden(reseller.get(NEW).content.decode()), "name": "Kian"}
    answers = [reseller.post(NEW, form) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer["Location"] for answer in answers}) == 1
    assert Client.objects.count() == 1


def test_a_name_that_is_there_already_is_doubted_once(
    reseller: Browser, interface: Interface
) -> None:
    create(reseller, name="Kian")
    text = create(reseller, 409, name="Kian")
    assert "You already have a client with this name" in text
    assert "Create anyway" in text
    assert Client.objects.count() == 1
    answer = reseller.post(NEW, {**hidden(text), "name": "Kian"})
    assert answer.status_code == 303
    assert Client.objects.count() == 2


REFUSED = [
    ({"name": ""}, 400, "name"),
    ({"name": "a\x07"}, 400, "name"),
    ({"name": "x", "public_key": "short"}, 400, "public_key"),
    ({"name": "x", "quota_bytes": "5o GB"}, 400, "quota_bytes"),
    ({"name": "x", "duration_days": "x"}, 400, "duration_days"),
    ({"name": "x", "note": "a\x85b"}, 400, "note"),
]


@pytest.mark.parametrize(("fields", "status", "field"), REFUSED)
def test_a_refusal_names_the_field_and_changes_nothing(
    fields: dict[str, str], status: int, field: str, reseller: Browser, interface: Interface
) -> None:
    text = create(reseller, status, **{"external_id": "keep-me", **fields})
    assert f'id="{field}-err"' in text
    assert f'aria-describedby="{field}-err"' in text
    assert 'value="keep-me"' in text
    assert not Client.objects.exists()


def test_a_taken_reference_is_a_conflict(reseller: Browser, interface: Interface) -> None:
    create(reseller, name="one", external_id="A-1")
    assert 'id="external_id-err"' in create(reseller, 409, name="two", external_id="A-1")


def test_a_key_of_the_customers_own_and_one_that_is_awaited(
    reseller: Browser, interface: Interface
) -> None:
    place = create(reseller, name="one", public_key=make_public_key())
    page = reseller.get(place.partition("#")[0]).content.decode()
    assert "data:image" not in page
    assert "does not know the private key" in page
    place = create(reseller, name="two", by_customer="on")
    assert "file=" not in place
    assert Peer.objects.get(client__name="two").awaits_key


def test_without_an_interface_it_says_so(reseller: Browser, acme: Tenant) -> None:
    assert "There is no interface yet." in reseller.get(NEW).content.decode()
    assert "There is no interface yet." in create(reseller, 400, name="x")


def test_a_limit_of_the_tenant_is_told(
    reseller: Browser, acme: Tenant, interface: Interface
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_clients=1)
    create(reseller, name="one")
    assert "may have 1 clients" in create(reseller, 409, name="two")


def test_who_may_not_create_finds_no_form(
    looker: Browser, onlooker: Browser, stranger: Browser, interface: Interface, evil: Tenant
) -> None:
    for url in (NEW, NEW.replace("new", "many")):
        for who in (looker, onlooker):
            assert who.get(url).status_code == 403
            assert who.post(url, {"name": "x", "lines": "x", "create": "1"}).status_code == 403
        assert stranger.get(url).status_code == 404
        assert stranger.post(url, {"name": "x", "lines": "x"}).status_code == 404
        assert Browser().get(url).status_code == 302
    assert not Client.objects.exists()


def test_an_operator_creates_for_the_tenant(
    browser: Browser, interface: Interface, acme: Tenant
) -> None:
    create(browser, name="Kian")
    assert Client.objects.get().tenant.slug == "acme"
    assert AuditEvent.objects.get(action="client.created").by_operator


def test_a_foreign_plan_is_none(
    reseller: Browser, interface: Interface, evil: Tenant, acme: Tenant
) -> None:
    make_plan(acme, name="own")
    foreign = make_plan(evil, name="foreign")
    create(reseller, 400, name="x", plan=str(foreign.uuid))
    assert not Client.objects.exists()
