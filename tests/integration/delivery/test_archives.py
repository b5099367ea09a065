"""A zip of many files: safe unique names, a manifest of what is missing, one event per file."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface
from peers.models import Peer
from tenants.models import Tenant
from tests.conftest import bearer
from tests.make import make_client, make_peer, make_token

URL = "/api/v1/clients/configs"
ABSENT = "00000000-0000-4000-8000-000000000000"


def unzipped(answer: Any) -> tuple[dict[str, str], list[dict[str, Any]]]:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/zip"
    assert answer["Cache-Control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    return files, json.loads(files.pop("manifest.json"))["results"]


NAMES = ("Sara", "sara", "SARA!", "../../etc/cron.d/x", "CON", "سارا", "a" * 40, "a" * 30)


@pytest.fixture
def peers(acme: Tenant, interface: Interface) -> list[Peer]:
    return [
        make_peer(make_client(acme, name=name, external_id=f"x{number}"), interface)
        for number, name in enumerate(NAMES)
    ]


def test_every_member_has_a_safe_name_of_its_own(alice_api: APIClient, peers: list[Peer]) -> None:
    ids = [str(peer.client.uuid) for peer in peers]
    files, manifest = unzipped(alice_api.post(URL, {"ids": ids}))
    assert len(files) == len(NAMES)
    assert all(re.fullmatch(r"[a-z0-9-]{1,15}\.conf", name) for name in files)
    assert list(files)[:3] == ["sara.conf", "sara-2.conf", "sara-3.conf"]
    assert [one["client"] for one in manifest] == ids
    assert [one["file"] for one in manifest] == list(files)
    for peer, text in zip(peers, files.values(), strict=True):
        assert f"Address = {peer.addresses.get(family=4).address}/32" in text


def test_one_event_per_file_and_each_is_delivered(alice_api: APIClient, peers: list[Peer]) -> None:
    unzipped(alice_api.post(URL, {"external_ids": ["x1", "x0"]}))
    events = AuditEvent.objects.filter(action="config.revealed").order_by("pk")
    assert [event.target_name for event in events] == ["sara", "Sara"]
    assert {event.after["way"] for event in events} == {"zip"}
    assert Peer.objects.filter(delivered_at__isnull=False).count() == 2
    assert alice_api.get("/api/v1/clients?file_outdated=true").json()["results"] == []


def test_what_has_no_file_stands_in_the_manifest(
    alice_api: APIClient, peers: list[Peer], acme: Tenant, evil: Tenant, interface: Interface
) -> None:
    Peer.objects.filter(pk=peers[1].pk).update(awaits_key=True)
    make_client(acme, name="bare", external_id="bare")
    make_peer(make_client(evil, external_id="theirs"), interface)
    named = {"external_ids": ["x0", "x1", "bare", "theirs", "nobody"]}
    files, manifest = unzipped(alice_api.post(URL, named))
    assert list(files) == ["sara.conf"]
    found = {one["external_id"] or one["named"]: one["error"] for one in manifest}
    assert {name: error and error["code"] for name, error in found.items()} == {
        "x0": None,
        "x1": "key_awaited",
        "bare": "no_device",
        "theirs": "not_found",
        "nobody": "not_found",
    }
    assert found["theirs"] == found["nobody"]
    assert Peer.objects.filter(delivered_at__isnull=False).get() == peers[0]


def test_a_filter_names_them_as_in_the_list(
    alice_api: APIClient, mallory_api: APIClient, peers: list[Peer]
) -> None:
    files, _ = unzipped(alice_api.post(URL, {"filter": {"search": "sara", "online": False}}))
    assert set(files) == {"sara.conf", "sara-2.conf", "sara-3.conf"}
    files, manifest = unzipped(mallory_api.post(URL, {"filter": {}}))
    assert (files, manifest) == ({}, [])


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, None, "one_of"),
        ({"ids": [ABSENT], "filter": {}}, None, "one_of"),
        ({"ids": []}, "ids", "min_length"),
        ({"ids": ["x"]}, "ids.0", "invalid"),
        ({"ids": [ABSENT] * 1001}, "ids", "max_length"),
        ({"external_ids": [7]}, "external_ids.0", "not_text"),
        ({"filter": {"password": "x"}}, "filter.password", "unknown_parameter"),
        ({"filter": {"state": "x"}}, "filter.state", "invalid"),
        ({"filter": {"state": ["x"]}}, "filter.state", "invalid"),
        (
            {"filter": {"tenant__slug__startswith": "a"}},
            "filter.tenant__slug__startswith",
            "unknown_parameter",
        ),
        ({"clients": []}, "clients", "unknown_field"),
    ],
)
def test_bad_selections_are_400_and_name_the_field(
    body: dict[str, Any], field: str | None, code: str, alice_api: APIClient, peers: list[Peer]
) -> None:
    answer = alice_api.post(URL, body)
    assert answer.status_code == 400
    errors = [(one["field"], one["code"]) for one in answer.json()["errors"]]
    assert (field, code) in errors


def test_too_many_are_refused(
    alice_api: APIClient, peers: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peers.selection.MAX_SELECTED", len(NAMES) - 1)
    answer = alice_api.post(URL, {"filter": {}})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "too_many"
    assert not AuditEvent.objects.filter(action="config.revealed").exists()


def test_who_may_have_them(acme: Tenant, anonymous_api: APIClient, peers: list[Peer]) -> None:
    assert anonymous_api.post(URL, {"filter": {}}).status_code == 401
    limited = bearer(make_token(acme, scopes=["clients:read"])[1])
    assert limited.post(URL, {"filter": {}}).status_code == 403


def test_many_files_cost_no_query_each(alice_api: APIClient, peers: list[Peer]) -> None:
    alice_api.post(URL, {"external_ids": ["x0"]})  # the token's first use is noted
    counts = []
    for named in (["x0", "x1", "x2"], [f"x{number}" for number in range(len(NAMES))]):
        with CaptureQueriesContext(connection) as found:
            alice_api.post(URL, {"external_ids": named})
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_no_file_costs_the_sellers_picture(alice_api: APIClient, peers: list[Peer]) -> None:
    with CaptureQueriesContext(connection) as found:
        alice_api.post(URL, {"filter": {}})
        alice_api.get(f"/api/v1/peers/{peers[0].uuid}/config")
    assert not [query for query in found if '"brand_logo"' in query["sql"]]


@pytest.mark.parametrize("value", ["true", True])
def test_the_deleted_are_no_choice(alice_api: APIClient, peers: list[Peer], value: Any) -> None:
    answer = alice_api.post(URL, {"filter": {"deleted": value}})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("filter.deleted", "unknown_parameter")
    assert not AuditEvent.objects.filter(action__startswith="config").exists()
