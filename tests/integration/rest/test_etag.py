"""Conditional requests: 304 for what the caller has, 412 for what was changed since."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from gateways.models import Interface
from peers.models import Peer
from rest.errors import Invalid, StaleVersion
from rest.etag import etag, is_current, wanted_version
from tests.make import make_job

CLIENTS = "/api/v1/clients"


def request(**headers: str) -> Request:
    return Request(APIRequestFactory().get("/", headers=headers))


@pytest.mark.parametrize(
    ("header", "current"),
    [
        ('"3"', True),
        ('W/"3"', True),
        ("*", True),
        (' "3" ', True),
        ('"1", "3"', True),
        ('"1" ,W/"3"', True),
        (', "3",,', True),
        ('"x,y", "3"', True),
        ('"1"', False),
        ('"33"', False),
        ("3", False),
        ('w/"3"', False),
        ('"3', False),
        ('"1" "3"', False),
        ("", False),
        (",", False),
        ('"3", ' + '"1", ' * 5000, False),
    ],
)
def test_if_none_match(header: str, current: bool) -> None:
    assert is_current(request(**{"If-None-Match": header}), etag(3)) is current


@pytest.mark.parametrize(
    ("header", "version"),
    [('"3"', 3), ("*", None), ('"3", W/"4"', 3), ('"3", "abc"', 3), (' "3" , "3"', 3)],
)
def test_if_match(header: str, version: int | None) -> None:
    assert wanted_version(request(**{"If-Match": header})) == version
    assert wanted_version(request()) is None


@pytest.mark.parametrize("header", ['W/"3"', '"abc"', '"-1"', '"9999999999999999999"'])
def test_if_match_without_a_tag_of_ours_never_matches(header: str) -> None:
    with pytest.raises(StaleVersion):
        wanted_version(request(**{"If-Match": header}))


@pytest.mark.parametrize("header", ["3", '"3', "", ",", '"3" "4"', '"3", "4"', "W/3", '"\t"'])
def test_if_match_that_cannot_be_read_is_refused(header: str) -> None:
    with pytest.raises(Invalid):
        wanted_version(request(**{"If-Match": header}))


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
    Peer.objects.update(rx_bytes=10)  # a live counter is no change of the configuration
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
