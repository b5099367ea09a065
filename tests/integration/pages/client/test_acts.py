"""Acts on a client by its page: what they do, who may, and what becomes of two at a time."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

from django.test import Client as Browser
from django.utils import timezone

from audit.models import AuditEvent
from gateways.models import Interface, Job
from peers.models import Client, Peer, ShareLink
from portal.client.acts import ACTS
from quotas.models import Hold, Usage
from tenants.models import Tenant, User
from tests.make import make_interface, make_peer, make_plan

GB = 10**9


def form_of(browser: Browser, url: str) -> dict[str, str]:
    """The hidden fields, and those with a value, of a dialog's form."""
    page = browser.get(url)
    assert page.status_code == 200, url
    text = page.content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))
    form = page.context["form"]
    shown = {name: form[name].value() for name in form.fields}
    first = {form[name].html_initial_name: shown[name] for name in form.fields
             if form.fields[name].show_hidden_initial}  # fmt: skip
    values = {**hidden, **shown, **first}
    return {name: str(value) for name, value in values.items() if value not in (None, False)}


def send(browser: Browser, url: str, status: int = 303, **fields: str) -> str:
    """Open the dialog, fill in, and send it; the answer's text, or where it leads."""
    answer = browser.post(url, {**form_of(browser, url), **fields})
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode() if status != 303 else answer["Location"]


def test_switching_off_asks_why_and_on_again(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    question = reseller.get(f"{path}switch-off/").content.decode()
    assert "Its 1 device: the connection stops within a second." in question
    assert "Nobody else is touched." in question
    assert not Hold.objects.exists()
    assert send(reseller, f"{path}switch-off/", note="waits for payment") == path
    assert Hold.objects.get().note == "waits for payment"
    assert Job.objects.get().kind == "disable"
    page = reseller.get(path).content.decode()
    assert "waits for payment" in page
    assert "is switched off." in page  # the toast
    assert f"{path}switch-on/" in page
    assert f"{path}switch-off/" not in page
    send(reseller, f"{path}switch-on/")
    assert Hold.objects.get().closed_at is not None


def test_suspending_and_kicking(reseller: Browser, path: str, alice_peer: Peer) -> None:
    send(reseller, f"{path}suspend/", note="bill 7")
    question = reseller.get(f"{path}switch-on/").content.decode()
    assert "It stays off all the same: suspended." in question
    text = send(reseller, f"{path}kick/", 409, seconds="30")
    assert "already" in text
    send(reseller, f"{path}unsuspend/")
    send(reseller, f"{path}kick/", seconds="۳۰")
    hold = Hold.objects.get(reason="kick")
    assert hold.until is not None
    assert (hold.until - hold.opened_at).total_seconds() == 30


def test_extending_and_topping_up(
    reseller: Browser, path: str, alice_peer: Peer, acme: Tenant
) -> None:
    end = timezone.now() + timedelta(days=5)
    Client.objects.update(expires_at=end, quota_bytes=50 * GB)
    send(reseller, f"{path}extend/", days="10", number="5 GB")
    client = Client.objects.get()
    assert client.expires_at == end + timedelta(days=10)
    assert client.quota_bytes == 55 * GB
    send(reseller, f"{path}top-up/", number="1.5 TB", days="")
    assert Usage.objects.get().extra_bytes == 1500 * GB
    text = send(reseller, f"{path}top-up/", 400, number="5o GB", days="")
    assert "“5o GB” is no amount of data. Write it like 50 GB or 1.5 TB." in text
    assert 'value="5o GB"' in text
    assert "Say how much more" in send(reseller, f"{path}extend/", 400, days="", number="")


def test_resetting_the_usage(reseller: Browser, path: str, alice_peer: Peer, acme: Tenant) -> None:
    Usage.objects.create(client=alice_peer.client, tenant=acme, billed_down=7 * GB)
    assert (
        "7 GB of this period count no more" in reseller.get(f"{path}reset-usage/").content.decode()
    )
    send(reseller, f"{path}reset-usage/")
    assert Usage.objects.get().base_down == 7 * GB


def test_another_plan_now_later_and_not_at_all(
    reseller: Browser, path: str, alice_peer: Peer, acme: Tenant, evil: Tenant
) -> None:
    plan = make_plan(acme, name="Gamer 50", total_bytes=50 * GB, duration_days=30)
    foreign = make_plan(evil, name="Foreign")
    page = reseller.get(f"{path}plan/").content.decode()
    assert "Gamer 50" in page
    assert "50 GB, 30 days" in page
    assert "Foreign" not in page
    send(reseller, f"{path}plan/", plan=str(plan.uuid))
    assert Client.objects.get().plan == plan
    send(reseller, f"{path}plan/", 400, plan=str(foreign.uuid))
    send(reseller, f"{path}plan/", plan=str(plan.uuid), when="end", rest="keep")
    assert Client.objects.get().next_plan == plan
    assert "unqueue/" in reseller.get(path).content.decode()
    send(reseller, f"{path}unqueue/")
    assert Client.objects.get().next_plan is None


def test_moving(reseller: Browser, path: str, alice_peer: Peer, interface: Interface) -> None:
    assert "/move/" not in reseller.get(path).content.decode()
    other = make_interface(gateway=interface.gateway, name="wg1", is_default=False,
                           listen_port=443, addresses=["10.99.0.1/24"])  # fmt: skip
    assert "/move/" in reseller.get(path).content.decode()
    send(reseller, f"{path}move/", interface=str(other.uuid))
    alice_peer.refresh_from_db()
    assert alice_peer.interface == other


def test_deleting_and_bringing_back(reseller: Browser, path: str, alice_peer: Peer) -> None:
    assert send(reseller, f"{path}delete/") == path
    page = reseller.get(path).content.decode()
    assert "Deleted." in page
    assert "It can be brought back until" in page
    assert f"{path}restore/" in page
    assert f"{path}edit/" not in page
    assert reseller.get(f"{path}switch-off/").status_code == 404
    send(reseller, f"{path}restore/")
    assert Client.objects.get().deleted_at is None
    assert reseller.get(f"{path}restore/").status_code == 404


def test_a_form_that_is_sent_twice_is_done_once(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    Client.objects.update(quota_bytes=GB)
    fields = {**form_of(reseller, f"{path}extend/"), "number": "1 GB"}
    answers = [reseller.post(f"{path}extend/", fields) for _ in range(3)]
    assert [(one.status_code, one["Location"]) for one in answers] == [(303, path)] * 3
    assert Client.objects.get().quota_bytes == 2 * GB
    assert AuditEvent.objects.filter(action="client.extended").count() == 1
    other = reseller.post(f"{path}extend/", {**fields, "number": "2 GB"})
    assert other.status_code == 400
    assert "sent already, with other words" in other.content.decode()


def test_of_two_people_the_second_is_told(
    reseller: Browser, browser: Browser, path: str, alice_peer: Peer
) -> None:
    Client.objects.update(quota_bytes=GB)
    first = {**form_of(browser, f"{path}extend/"), "number": "1 GB"}
    second = {**form_of(reseller, f"{path}extend/"), "number": "2 GB"}
    assert browser.post(f"{path}extend/", first).status_code == 303
    answer = reseller.post(f"{path}extend/", second)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "oscar changed this client meanwhile." in text
    assert "Extended: Data, both ways 2 GB" in text
    assert 'value="2 GB"' in text
    assert Client.objects.get().quota_bytes == 2 * GB
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))
    assert reseller.post(f"{path}extend/", {**hidden, "number": "2 GB"}).status_code == 303
    assert Client.objects.get().quota_bytes == 4 * GB


def test_editing_sends_what_was_changed(reseller: Browser, path: str, alice_peer: Peer) -> None:
    end = timezone.now().replace(microsecond=123) + timedelta(days=5)
    Client.objects.update(expires_at=end, quota_bytes=53_687_091_201, note="old")
    send(reseller, f"{path}edit/", name="سارا", tags="a, b", download_kbit="50")
    client = Client.objects.get()
    assert (client.name, client.tags, client.download_kbit) == ("سارا", ["a", "b"], 50_000)
    assert (client.expires_at, client.quota_bytes, client.note) == (end, 53_687_091_201, "old")
    event = AuditEvent.objects.get(action="client.updated")
    assert event.after.keys() == {"name", "tags", "download_kbit"}


def test_a_refused_edit_keeps_what_was_typed(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    text = send(reseller, f"{path}edit/", 400, name="a\u0007b", note="keep me")
    assert "Nothing was saved." in text
    assert 'id="name-err"' in text
    assert "keep me" in text
    text = send(reseller, f"{path}edit/", 400, throttle_kbit="2")
    assert 'id="throttle_kbit-err"' in text
    assert '<details class="fold" open>' in text


def test_two_tabs_that_edit_do_not_undo_each_other(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    tabs = [form_of(reseller, f"{path}edit/") for _ in range(2)]
    assert reseller.post(f"{path}edit/", {**tabs[0], "note": "mine", "email": "a@b.example"})
    answer = reseller.post(f"{path}edit/", {**tabs[1], "note": "yours", "name": "Sara M."})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "alice changed this client meanwhile." in text
    assert [tuple(one) for one in answer.context["differences"]] == [
        ("Name", "Alice's phone", "Sara M."), ("Note", "mine", "yours"),
    ]  # fmt: skip
    assert "Save mine over it" in text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))
    form = answer.context["form"]
    again = {name: str(form[name].value() or "") for name in form.fields}
    again |= {form[name].html_initial_name: str(form.data.get(form[name].html_initial_name, ""))
              for name in form.fields}  # fmt: skip
    assert reseller.post(f"{path}edit/", {**hidden, **again}).status_code == 303
    client = Client.objects.get()
    assert (client.name, client.note, client.email) == ("Sara M.", "yours", "a@b.example")


def test_devices_come_change_get_keys_and_go(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    place = send(reseller, f"{path}devices/new/", device_name="laptop")
    laptop = Peer.objects.order_by("-pk")[0]
    assert place == f"{path}?file={laptop.uuid}#file"
    page = reseller.get(place.partition("#")[0]).content.decode()
    assert "data:image/svg+xml;base64," in page
    assert 'id="made"' in page
    assert AuditEvent.objects.filter(action="config.revealed").count() == 1
    of_device = f"{path}devices/{laptop.uuid}/"
    send(reseller, f"{of_device}edit/", device_name="notebook", mtu="1380")
    laptop.refresh_from_db()
    assert (laptop.name, laptop.mtu) == ("notebook", 1380)
    key = laptop.public_key
    send(reseller, f"{of_device}keys/")
    laptop.refresh_from_db()
    assert laptop.public_key != key
    send(reseller, f"{of_device}remove/")
    laptop.refresh_from_db()
    assert laptop.deleted_at is not None
    assert reseller.get(of_device).status_code == 404


def test_the_file_is_shown_and_downloaded_with_an_event(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    of_device = f"{path}devices/{alice_peer.uuid}/"
    assert "PublicKey" in reseller.get(of_device).content.decode()
    answer = reseller.get(f"{of_device}download/")
    assert answer["Content-Disposition"].startswith('attachment; filename="')
    assert "no-store" in answer["Cache-Control"]
    ways = AuditEvent.objects.filter(action="config.revealed").values_list("after__way", flat=True)
    assert sorted(ways) == ["conf", "page"]


def test_share_links_are_shown_once_and_revoked(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    text = send(reseller, f"{path}links/new/", 200, name="for Sara", days="7")
    url = re.search(r'id="link-url"[^>]*value="([^"]+)"', text)
    assert url is not None
    secret = url[1].rpartition("/")[2]
    assert Browser().get(f"/s/{secret}").status_code == 200
    page = reseller.get(path).content.decode()
    assert "for Sara" in page
    assert secret not in page
    link = ShareLink.objects.get()
    send(reseller, f"{path}links/{link.uuid}/")
    assert Browser().get(f"/s/{secret}").status_code == 404


def every(path: str, peer: Peer) -> list[str]:
    """Every page that writes, or shows a file."""
    of_device = f"devices/{peer.uuid}/"
    return [path + one for one in (
        *(f"{name}/" for name in ACTS if name != "restore"), "edit/", "devices/new/", "links/new/",
        of_device, f"{of_device}download/", f"{of_device}edit/", f"{of_device}keys/",
        f"{of_device}remove/",
    )]  # fmt: skip


def test_who_may_only_look_changes_nothing_and_sees_no_file(
    looker: Browser, onlooker: Browser, path: str, alice_peer: Peer
) -> None:
    before = list(Client.objects.values()), list(Peer.objects.values())
    for who in (looker, onlooker):
        page = who.get(f"{path}?file={alice_peer.uuid}").content.decode()
        assert "data:image" not in page
        assert "[Interface]" not in page
        for url in every(path, alice_peer):
            assert url not in page
            assert who.get(url).status_code == 403, url
            assert who.post(url, {"note": "x", "days": "3"}).status_code in (403, 405), url
    assert (list(Client.objects.values()), list(Peer.objects.values())) == before
    assert not AuditEvent.objects.filter(action="config.revealed").exists()


def test_a_stranger_finds_nothing(
    stranger: Browser, path: str, alice_peer: Peer, evil: Tenant
) -> None:
    for url in (*every(path, alice_peer), *every(path.replace("acme", "evil"), alice_peer)):
        assert stranger.get(url).status_code == 404, url
        assert stranger.post(url, {"note": "x"}).status_code in (404, 405), url
        assert Browser().get(url).status_code == 302


def test_a_device_of_another_client_is_none_of_this_one(
    reseller: Browser, path: str, alice_peer: Peer, interface: Interface, acme: Tenant
) -> None:
    other = make_peer(Client.objects.create(tenant=acme, name="Other"), interface)
    for act in ("", "download/", "edit/", "keys/", "remove/"):
        assert reseller.get(f"{path}devices/{other.uuid}/{act}").status_code == 404
    assert reseller.get(f"{path}no-such-act/").status_code == 404
    assert reseller.get(f"{path}links/{uuid4()}/").status_code == 404


def test_an_operators_act_is_told_as_one(browser: Browser, path: str, alice_peer: Peer) -> None:
    send(browser, f"{path}switch-off/", note="abuse")
    event = AuditEvent.objects.get(action="client.disabled")
    assert (event.by_operator, event.actor_name) == (True, "oscar")


def test_from_a_dialog_it_goes_back_to_where_it_was_opened(
    reseller: Browser, path: str, alice_peer: Peer, alice: User
) -> None:
    lists = "/t/acme/clients/"
    for here, there in (
        (f"http://testserver{lists}?q=sara#x", f"{lists}?q=sara"),
        (f"http://testserver{path}?range=7d#usage", f"{path}?range=7d"),
        ("http://evil.example/t/acme/clients/", path),
        ("javascript:alert(1)", path),
        ("", path),
    ):
        fields = form_of(reseller, f"{path}kick/")
        headers = {"HX-Request": "true", "HX-Current-URL": here}
        answer = reseller.post(f"{path}kick/", fields, headers=headers)
        assert (answer.status_code, answer["HX-Redirect"]) == (204, there)
    piece = reseller.get(f"{path}kick/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in piece
    assert 'id="dialog-title"' in piece


def test_every_form_needs_its_token(alice: User, path: str, alice_peer: Peer) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(alice)
    for url in every(path, alice_peer):
        assert strict.post(url, {"note": "x"}).status_code in (403, 405), url
