"""Conditional requests: 304 for what the caller has, 412 for what was changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import F
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from gateways.models import Gateway, Heartbeat, Interface
from peers.models import Peer
from rest.errors import Invalid, StaleVersion
from rest.etag import etag, is_current, wanted_version
from rest.versions import ONLY, Version, check_version
from tests.make import make_job, make_meter
from tests.tags import stateless

CLIENTS = "/api/v1/clients"


def request(**headers: str) -> Request:
    return Request(APIRequestFactory().get("/", headers=headers))


#: Two rows, and the tags of a version of one of them.
ONE, OTHER = UUID(int=0xA1 << 120), UUID(int=0xB2 << 120)
TAG = '"a10000000000-3"'
STATE = '"a10000000000-3-0123456789ab"'


@dataclass
class Row:
    """A row with a version."""

    uuid: UUID = ONE
    version: int = 3


@pytest.mark.parametrize(
    ("header", "current"),
    [
        ("TAG", True),
        ("W/TAG", True),
        ("*", True),
        (" TAG ", True),
        ('"1", TAG', True),
        ('"1" ,W/TAG', True),
        (", TAG,,", True),
        ('"x,y", TAG', True),
        ('"3"', False),
        ('"b20000000000-3"', False),
        ('"a10000000000-33"', False),
        (STATE, False),
        (TAG.strip('"'), False),
        ("w/TAG", False),
        (TAG[:-1], False),
        ('"1" TAG', False),
        ("", False),
        (",", False),
        ("TAG, " + '"1", ' * 5000, False),
    ],
)
def test_if_none_match(header: str, current: bool) -> None:
    header = header.replace("TAG", TAG)
    assert is_current(request(**{"If-None-Match": header}), etag(Row())) is current


def test_if_none_match_looks_at_the_state_too() -> None:
    seen, now = (etag(Row(), {"state": state}) for state in ("pending", "active"))
    assert (stateless(seen), stateless(now)) == (TAG, TAG)
    assert is_current(request(**{"If-None-Match": seen}), seen)
    assert not is_current(request(**{"If-None-Match": seen}), now)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (TAG, Version.of(ONE, 3)),
        (STATE, Version.of(ONE, 3)),
        ("*", None),
        (f'{TAG}, W/"4"', Version.of(ONE, 3)),
        (f'{TAG}, "abc"', Version.of(ONE, 3)),
        (f" {TAG} , {STATE}", Version.of(ONE, 3)),
        ('"only-3"', Version(ONLY, 3)),
    ],
)
def test_if_match(header: str, wanted: Version | None) -> None:
    assert wanted_version(request(**{"If-Match": header})) == wanted
    assert wanted_version(request()) is None


@pytest.mark.parametrize(
    "header",
    [f"W/{TAG}", '"abc"', '"3"', '"-1"', '"a10000000000-0"', '"a1-3"', f'"a10000000000-{10**18}"'],
)
def test_if_match_without_a_tag_of_ours_never_matches(header: str) -> None:
    with pytest.raises(StaleVersion, match="Read it again"):
        wanted_version(request(**{"If-Match": header}))


@pytest.mark.parametrize(
    "header",
    ["3", '"3', "", ",", f"{TAG} {STATE}", f'{TAG}, "a10000000000-4"',
     f'{TAG}, "b20000000000-3"', "W/3", '"\t"'],
)  # fmt: skip
def test_if_match_that_cannot_be_read_is_refused(header: str) -> None:
    with pytest.raises(Invalid):
        wanted_version(request(**{"If-Match": header}))


def test_a_version_is_of_one_row() -> None:
    check_version(Row(), None)
    check_version(Row(), Version.of(ONE, 3))
    with pytest.raises(StaleVersion, match="changed"):
        check_version(Row(), Version.of(ONE, 2))
    with pytest.raises(StaleVersion, match="another one"):
        check_version(Row(), Version.of(OTHER, 3))


def test_a_tag_does_not_fit_the_next_client_of_the_same_name(
    alice_api: APIClient, interface: Interface
) -> None:
    url = f"{CLIENTS}/by-external-id/order-1"
    sold = {"name": "Sara", "external_id": "order-1"}
    former = alice_api.post(CLIENTS, sold)
    tag = former["ETag"]
    assert alice_api.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert alice_api.delete(url).status_code == 204
    latter = alice_api.post(CLIENTS, sold)
    assert latter.json()["version"] == former.json()["version"]

    read = alice_api.get(url, headers={"If-None-Match": tag})
    assert (read.status_code, read.json()["id"]) == (200, latter.json()["id"])
    for answer in (
        alice_api.patch(url, {"note": "not for her"}, headers={"If-Match": tag}),
        alice_api.post(f"{url}/suspend", {}, headers={"If-Match": tag}),
        alice_api.post(f"{url}/peers", {}, headers={"If-Match": tag}),
        alice_api.delete(url, headers={"If-Match": tag}),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (412, "stale_version")
    assert alice_api.get(url).json() == read.json()
    assert alice_api.delete(url, headers={"If-Match": latter["ETag"]}).status_code == 204


def test_who_polls_sees_a_client_become_active(alice_api: APIClient, alice_peer: Peer) -> None:
    Peer.objects.update(applied_generation=0)
    client, device = (
        f"{CLIENTS}/{alice_peer.client.uuid}",
        f"/api/v1/peers/{alice_peer.uuid}",
    )
    tags = {url: alice_api.get(url)["ETag"] for url in (client, device)}
    assert alice_api.get(client).json()["state"] == "pending"
    Peer.objects.update(applied_generation=F("generation"), applied_key=F("public_key"))
    for url, tag in tags.items():
        seen = alice_api.get(url, headers={"If-None-Match": tag})
        assert (seen.status_code, seen.json()["version"]) == (200, 1)
        assert stateless(seen["ETag"]) == stateless(tag)
        assert alice_api.get(url, headers={"If-None-Match": seen["ETag"]}).status_code == 304
        Peer.objects.update(last_handshake_at=timezone.now())
        make_meter(alice_peer, up=7 * len(url))
        assert alice_api.get(url, headers={"If-None-Match": seen["ETag"]}).status_code == 304
    assert alice_api.get(client).json()["state"] == "active"
    # The gateway's progress refuses nobody's change.
    answer = alice_api.patch(client, {"note": "a"}, headers={"If-Match": tags[client]})
    assert answer.status_code == 200
    assert alice_api.get(client, headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_who_polls_sees_an_interface_come_up_and_a_gateway_fall_silent(
    operator_api: APIClient, interface: Interface
) -> None:
    link, host = (
        f"/api/v1/interfaces/{interface.uuid}",
        f"/api/v1/gateways/{interface.gateway.uuid}",
    )
    Interface.objects.update(state=Interface.State.DOWN, observed_at=timezone.now())
    beat = Heartbeat.objects.create(queue=interface.gateway.queue, seen_at=timezone.now())
    tags = {url: operator_api.get(url)["ETag"] for url in (link, host)}
    Interface.objects.update(observed_at=timezone.now())
    Gateway.objects.update(last_seen_at=timezone.now())
    for url, tag in tags.items():
        assert operator_api.get(url, headers={"If-None-Match": tag}).status_code == 304
    Interface.objects.update(state=Interface.State.UP)
    beat.seen_at -= timedelta(hours=1)
    beat.save()
    for url, tag in tags.items():
        seen = operator_api.get(url, headers={"If-None-Match": tag})
        assert (seen.status_code, stateless(seen["ETag"])) == (200, stateless(tag))


def test_one_answer_in_two_views_has_two_tags(
    operator_api: APIClient, alice_api: APIClient, interface: Interface
) -> None:
    url = f"/api/v1/interfaces/{interface.uuid}"
    full, less = operator_api.get(url)["ETag"], alice_api.get(url)["ETag"]
    assert (full == less, stateless(full)) == (False, stateless(less))


def test_what_the_caller_has_is_304_until_it_changes(
    alice_api: APIClient, alice_peer: Peer
) -> None:
    url = f"{CLIENTS}/{alice_peer.client.uuid}"
    first = alice_api.get(url)
    tag = first["ETag"]
    assert first["Cache-Control"] == "private, no-cache"
    again = alice_api.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert again["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie", "X-VWG-Tenant"} <= set(again["Vary"].split(", "))
    assert alice_api.head(url, headers={"If-None-Match": tag}).status_code == 304
    assert alice_api.head(url).status_code == 200
    make_meter(Peer.objects.get(), up=10)  # a live counter is no change of the configuration
    assert alice_api.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert alice_api.patch(url, {"name": "B"}).status_code == 200
    changed = alice_api.get(url, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["name"]) == (200, "B")


def test_nothing_but_a_200_becomes_304(
    alice_api: APIClient, mallory_api: APIClient, alice_peer: Peer
) -> None:
    url = f"{CLIENTS}/{alice_peer.client.uuid}"
    everything = {"If-None-Match": "*"}
    assert mallory_api.get(url, headers=everything).status_code == 404
    assert APIClient().get(url, headers=everything).status_code == 401
    assert alice_api.get(f"{url}?x=1", headers=everything).status_code == 400
    assert alice_api.patch(url, {"name": "B"}, headers=everything).status_code == 200


def test_what_has_no_tag_is_kept_by_nobody(
    alice_api: APIClient, acme: Any, interface: Interface
) -> None:
    job = make_job(acme)
    answers = [
        alice_api.get(CLIENTS),
        alice_api.get(f"/api/v1/jobs/{job.uuid}"),
        alice_api.get("/api/v1/jobs?x=1"),
        alice_api.post(CLIENTS, {"name": "A"}),
        APIClient().get(CLIENTS),
    ]
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}
