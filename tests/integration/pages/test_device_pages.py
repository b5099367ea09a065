"""Adding, showing and removing devices; what would be refused by the API is refused here too."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from gateways.models import GlobalSetting, Interface, Job
from peers.models import Client, Peer
from tests.make import make_public_key

REFUSED = [
    ({"name": ""}, 400, "name"),
    ({"name": "   "}, 400, "name"),
    ({"name": "a\nPostUp = touch x"}, 400, "name"),
    ({"name": "x\x1b[31m"}, 400, "name"),
    ({"name": "\u202eabc"}, 400, "name"),
    ({"name": "a" * 121}, 400, "name"),
    ({"name": "\0"}, 400, "name"),
    ({"name": "Sara", "public_key": "A" * 43 + "="}, 400, "public_key"),
    ({"name": "Sara", "public_key": "short"}, 400, "public_key"),
    ({"name": "Sara", "addresses": "10.252.0.1"}, 400, "addresses"),
    ({"name": "Sara", "addresses": "10.252.0.5/24"}, 400, "addresses"),
    ({"name": "Sara", "addresses": "010.252.0.5"}, 400, "addresses"),
    ({"name": "Sara", "addresses": "192.0.2.9"}, 400, "addresses"),
    ({"name": "Sara", "client_keepalive": "x"}, 400, "client_keepalive"),
    ({"name": "Sara", "client_keepalive": "65536"}, 400, "client_keepalive"),
    ({"name": "Sara", "note": "a\x85b"}, 400, "note"),
    ({"name": "Sara", "interface": "no-uuid"}, 400, "interface"),
    ({"name": "Sara", "tenant": "nobody"}, 400, "tenant"),
]


@pytest.fixture(autouse=True)
def endpoint(db: None) -> None:
    GlobalSetting.objects.update_or_create(pk=1, defaults={"endpoint_address": "vpn.example.net"})


def add(browser: Browser, **fields: str) -> Peer:
    answer = browser.post("/peers/new/", fields)
    assert answer.status_code == 302, answer.content.decode()
    return Peer.objects.get(uuid=answer["Location"].split("/")[2])


def test_a_name_is_enough_and_the_qr_code_follows(browser: Browser, interface: Interface) -> None:
    peer = add(browser, name="سارا PS5")
    page = browser.get(f"/peers/{peer.uuid}/").content.decode()
    assert "data:image/svg+xml;base64," in page
    assert "سارا PS5" in page
    assert "10.252.0.2" in page
    assert peer.tenant.slug == "default"
    assert Job.objects.get().kind == "create"
    events = AuditEvent.objects.order_by("pk").values_list("action", "actor_name")
    assert list(events) == [("client.created", "oscar"), ("config.revealed", "oscar")]


def test_the_file_is_a_download_that_nobody_keeps(browser: Browser, interface: Interface) -> None:
    peer = add(browser, name="../x")
    answer = browser.get(f"/peers/{peer.uuid}/file/")
    text = answer.content.decode()
    assert "[Interface]\nPrivateKey = " in text
    assert "Endpoint = vpn.example.net:51820" in text
    assert "no-store" in answer["Cache-Control"]
    name = answer["Content-Disposition"]
    assert name.startswith('attachment; filename="')
    assert "/" not in name


def test_with_a_key_of_the_customers_own_there_is_no_qr_code(
    browser: Browser, interface: Interface
) -> None:
    peer = add(browser, name="Omid", public_key=make_public_key())
    page = browser.get(f"/peers/{peer.uuid}/").content.decode()
    assert "data:image" not in page
    assert "does not know the private key" in page


@pytest.mark.parametrize(("fields", "status", "field"), REFUSED)
def test_a_refusal_names_the_field_keeps_the_text_and_changes_nothing(
    browser: Browser, interface: Interface, fields: dict[str, str], status: int, field: str
) -> None:
    answer = browser.post("/peers/new/", {"note": "keep me", **fields})
    page = answer.content.decode()
    assert answer.status_code == status
    assert f'id="{field}-err"' in page
    assert "Nothing was saved" in page
    assert fields.get("note") or 'value="keep me"' in page
    assert not Client.objects.exists()
    assert not Peer.objects.exists()
    assert not Job.objects.exists()


def test_a_taken_key_and_a_taken_address_are_conflicts(
    browser: Browser, interface: Interface, alice_peer: Peer
) -> None:
    key = browser.post("/peers/new/", {"name": "x", "public_key": alice_peer.public_key})
    address = browser.post("/peers/new/", {"name": "x", "addresses": "10.252.0.2"})
    assert (key.status_code, address.status_code) == (409, 409)
    assert 'id="public_key-err"' in key.content.decode()
    assert 'id="addresses-err"' in address.content.decode()
    assert Peer.objects.count() == 1


def test_removing_says_what_goes_and_makes_a_job(
    browser: Browser, interface: Interface, alice_peer: Peer
) -> None:
    question = browser.get(f"/peers/{alice_peer.uuid}/remove/")
    assert "last device" in question.content.decode()
    assert not Job.objects.exists()
    answer = browser.post(f"/peers/{alice_peer.uuid}/remove/")
    job = Job.objects.get(kind="delete")
    assert answer["Location"] == f"/jobs/{job.uuid}/"
    alice_peer.refresh_from_db()
    assert alice_peer.deleted_at is not None
    assert job.tenant == alice_peer.tenant
    assert browser.post(f"/peers/{alice_peer.uuid}/remove/").status_code == 404


@pytest.mark.parametrize("path", ["", "file/", "remove/"])
def test_a_removed_device_is_404_also_as_a_piece(
    browser: Browser, interface: Interface, alice_peer: Peer, path: str
) -> None:
    browser.post(f"/peers/{alice_peer.uuid}/remove/")
    url = f"/peers/{alice_peer.uuid}/{path}"
    assert browser.get(url).status_code == 404
    piece = browser.get(url, headers={"HX-Request": "true"})
    assert piece.status_code == 404
    assert b"<html" not in piece.content


def test_others_get_in_nowhere(
    reseller: Browser, onlooker: Browser, interface: Interface, alice_peer: Peer
) -> None:
    for path in ("", "file/", "remove/"):
        assert reseller.get(f"/peers/{alice_peer.uuid}/{path}").status_code == 403
    assert onlooker.get(f"/peers/{alice_peer.uuid}/").status_code == 200
    assert onlooker.post(f"/peers/{alice_peer.uuid}/remove/").status_code == 403
    assert onlooker.post("/peers/new/", {"name": "x"}).status_code == 403
    assert onlooker.post("/apply/").status_code == 403
    assert not Job.objects.exists()
    assert Peer.objects.get().deleted_at is None


@pytest.mark.parametrize("path", ["/peers/new/", "/apply/", "/theme/", "/language/", "/sign-out/"])
def test_every_form_needs_its_token(operator: object, interface: Interface, path: str) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(operator)  # type: ignore[arg-type]
    assert strict.post(path, {"name": "x", "theme": "dark", "language": "fa"}).status_code == 403
    assert not Job.objects.exists()
