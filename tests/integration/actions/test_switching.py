"""Enable, disable, suspend, unsuspend, kick: each closes its own hold only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Job
from peers.models import Peer
from peers.services.due import close_due_holds
from quotas.models import Hold
from tests.integration.actions.conftest import URL, Shop, events, snapshot
from tests.tags import stateless, tag

#: Act, its opposite, the state and the reason it brings about, the events.
PAIRS = [
    ("disable", "enable", "disabled", "manual", "client.disabled", "client.enabled"),
    ("suspend", "unsuspend", "suspended", "suspended", "client.suspended", "client.unsuspended"),
]


@pytest.mark.parametrize(("off", "on", "state", "reason", "opened", "closed"), PAIRS)
def test_off_and_on_again(
    shop: Shop, off: str, on: str, state: str, reason: str, opened: str, closed: str
) -> None:
    made = shop.create()
    body = shop.done(made, off, reason="unpaid")
    assert body["state"] == state
    assert [(hold["reason"], hold["note"]) for hold in body["holds"]] == [(reason, "unpaid")]
    assert (body["version"], body["job"]["status"]) == (2, "pending")
    assert Peer.objects.get().blocked is True
    body = shop.done(made, on)
    assert (body["holds"], body["version"], body["enabled"]) == ([], 3, True)
    assert Peer.objects.get().blocked is False
    assert events(made) == ["client.created", opened, closed]
    assert Job.objects.filter(items__isnull=False).count() == 3


@pytest.mark.parametrize("word", ["disable", "enable", "suspend", "unsuspend", "kick", "restore"])
def test_once_more_is_no_event_and_a_finished_job(shop: Shop, word: str) -> None:
    made = shop.create()
    shop.act(made, word)
    before = snapshot()
    version = shop.read(made)["version"]
    body = shop.done(made, word)
    assert (body["job"]["status"], body["version"]) == ("succeeded", version)
    assert snapshot() == before


def test_a_manual_disable_is_undone_by_nothing_but_a_manual_enable(shop: Shop) -> None:
    made = shop.create()
    shop.done(made, "disable", note="by hand")
    shop.done(made, "suspend")
    body = shop.done(made, "unsuspend")
    assert [hold["reason"] for hold in body["holds"]] == ["manual"]
    shop.done(made, "terminate")
    body = shop.done(made, "restore")
    assert (body["state"], Peer.objects.get().blocked) == ("disabled", True)
    assert shop.done(made, "enable")["holds"] == []
    assert Peer.objects.get().blocked is False


def test_reason_and_note_are_one_thing(shop: Shop) -> None:
    made = shop.create()
    assert shop.act(made, "suspend", reason="a", note="b").status_code == 400
    assert shop.done(made, "suspend", reason="a", note="a")["holds"][0]["note"] == "a"


# -- Kick ---------------------------------------------------------------------------------------


def test_a_kick_ends_by_itself(shop: Shop) -> None:
    made = shop.create()
    before = timezone.now()
    body = shop.done(made, "kick", reason="shared")
    hold = Hold.objects.get()
    assert hold.until is not None
    assert before <= hold.until - timedelta(seconds=60) <= timezone.now()
    assert (body["state"], Peer.objects.get().blocked) == ("kicked", True)
    assert body["holds"][0]["until"] is not None
    assert close_due_holds(at=hold.until - timedelta(seconds=1)) == 0
    assert close_due_holds(at=hold.until) == 1
    assert (shop.read(made)["holds"], Peer.objects.get().blocked) == ([], False)
    assert events(made)[:2] == ["client.created", "client.kicked"]
    event = AuditEvent.objects.get(action="client.kicked")
    assert set(event.after) == {"until", "note"}


def test_a_kick_that_is_over_and_not_closed_yet_swallows_no_other(shop: Shop) -> None:
    made = shop.create()
    shop.done(made, "kick", seconds=60)
    past = timezone.now() - timedelta(seconds=90)
    Hold.objects.update(opened_at=past, until=past + timedelta(seconds=60))
    body = shop.done(made, "kick", seconds=30)
    assert (body["state"], Peer.objects.get().blocked) == ("kicked", True)
    assert [hold.closed_at is None for hold in Hold.objects.order_by("pk")] == [False, True]
    assert Hold.objects.filter(closed_at=None, until__gt=timezone.now()).exists()
    assert events(made)[1:] == ["client.kicked", "client.released", "client.kicked"]


def test_a_longer_kick_lengthens_and_a_shorter_one_does_not(shop: Shop) -> None:
    made = shop.create()
    shop.done(made, "kick", seconds=60)
    first = Hold.objects.get().until
    shop.done(made, "kick", seconds=30)
    assert Hold.objects.get().until == first
    shop.done(made, "kick", seconds=600)
    longer = Hold.objects.get().until
    assert first is not None
    assert longer is not None
    assert longer - first > timedelta(seconds=500)
    assert events(made) == ["client.created", "client.kicked", "client.kicked"]


@pytest.mark.parametrize(("off", "word"), [("disable", "disabled"), ("suspend", "suspended")])
def test_nobody_is_kicked_who_is_off(shop: Shop, off: str, word: str) -> None:
    made = shop.create()
    shop.done(made, off)
    before = snapshot()
    answer = shop.act(made, "kick")
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "client_off"
    assert word in answer.json()["detail"]
    assert snapshot() == before


@pytest.mark.parametrize("seconds", [0, -1, 86_401, 1.5, "60", True, None, 10**400])
def test_bad_seconds_are_refused_by_name(shop: Shop, seconds: Any) -> None:
    made = shop.create()
    before = snapshot()
    answer = shop.act(made, "kick", seconds=seconds)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "seconds")
    assert snapshot() == before


@pytest.mark.parametrize("text", ["a\nPostUp = x", "\u202e", "\x00", "a" * 256, "\x1b[31m"])
@pytest.mark.parametrize("word", ["disable", "suspend", "kick"])
def test_bad_reasons_are_refused(shop: Shop, word: str, text: str) -> None:
    made = shop.create()
    before = snapshot()
    assert shop.act(made, word, reason=text).status_code == 400
    assert snapshot() == before


# -- Of all acts --------------------------------------------------------------------------------

ACTS = ["enable", "disable", "suspend", "unsuspend", "kick", "terminate", "restore"]


@pytest.mark.parametrize("word", ACTS)
def test_a_foreign_client_is_none(
    shop: Shop, mallory_api: APIClient, anonymous_api: APIClient, viewer_api: APIClient, word: str
) -> None:
    made = shop.create(external_id="order/1")
    before = snapshot()
    nobody = "00000000-0000-4000-8000-000000000000"
    for mine, other in (
        (f"{URL}/{made['id']}/{word}", f"{URL}/{nobody}/{word}"),
        (f"{URL}/by-external-id/order/1/{word}", f"{URL}/by-external-id/order/2/{word}"),
    ):
        answers = [mallory_api.post(url) for url in (mine, other)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        assert anonymous_api.post(mine).status_code == 401
        assert viewer_api.post(mine).status_code == 403
        assert shop.api.post(mine, {"nonsense": 1}).status_code == 400
        assert shop.api.post(f"{mine}?x=1").status_code == 400
        assert shop.api.post(mine, headers={"If-Match": tag(made, 77)}).status_code == 412
    assert snapshot() == before


@pytest.mark.parametrize("word", ACTS)
def test_the_sellers_own_id_names_a_client_as_well(shop: Shop, word: str) -> None:
    made = shop.create(external_id="order/1")
    if word == "restore":
        shop.done(made, "terminate")
    answer = shop.api.post(
        f"{URL}/by-external-id/order/1/{word}",
        headers={"If-Match": tag(made, 2 if word == "restore" else 1)},
    )
    assert (answer.status_code, answer.json()["id"]) == (200, made["id"])
    assert stateless(answer["ETag"]) == tag(made, answer.json()["version"])


def test_everything_else_works_by_the_sellers_own_id(shop: Shop) -> None:
    made = shop.create(external_id="order/1")
    url = f"{URL}/by-external-id/order/1"
    answer = shop.api.get(url)
    assert (answer.json()["id"], stateless(answer["ETag"])) == (made["id"], tag(made, 1))
    assert shop.api.get(f"{url}/config").status_code == 200
    assert shop.api.patch(url, {"name": "B"}, headers={"If-Match": tag(made, 9)}).status_code == 412
    assert shop.api.patch(url, {"name": "B"}).json()["name"] == "B"
    assert shop.api.delete(url).status_code == 204
    assert shop.api.delete(url).status_code == 404


def test_an_external_id_cannot_end_in_the_name_of_an_act(shop: Shop) -> None:
    for external_id in ("a/enable", "a/b/config"):
        answer = shop.api.post(URL, {"name": "x", "external_id": external_id})
        assert answer.json()["errors"][0]["code"] == "reserved"
    assert shop.create(external_id="enable")["external_id"] == "enable"
    assert shop.api.get(f"{URL}/by-external-id/enable").status_code == 200


@pytest.mark.parametrize("field", ["tenant", "is_superuser", "role", "created_at", "deleted_at"])
def test_nothing_can_be_smuggled_in(shop: Shop, field: str) -> None:
    made = shop.create()
    before = snapshot()
    for url in (f"{URL}/{made['id']}", f"/api/v1/peers/{made['devices'][0]['id']}"):
        assert shop.api.patch(url, {field: "evil"}).status_code == 400
    assert shop.api.post(URL, {"name": "x", field: "evil"}).status_code == 400
    assert snapshot() == before
