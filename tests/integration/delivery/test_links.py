"""Share links by the API: who may make, see and revoke them, and what is stored of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.models import AuditEvent
from peers.models import ShareLink
from tenants.models import Tenant
from tests.conftest import bearer
from tests.make import make_token

Body = dict[str, Any]
Share = Callable[..., Body]
ABSENT = "00000000-0000-4000-8000-000000000000"


def links_of(client: Body) -> str:
    return f"/api/v1/peers/{client['devices'][0]['id']}/share-links"


def test_the_secret_is_shown_once_and_only_its_digest_is_stored(
    alice_api: APIClient, sold: Body, settings: Any
) -> None:
    settings.VWG_PUBLIC_URL = "https://vpn.example.org"
    answer = alice_api.post(links_of(sold), {"name": "for Sara"}, headers={"Host": "localhost"})
    body = answer.json()
    match = re.fullmatch(r"https://vpn\.example\.org/s/([A-Za-z0-9_-]{43})", body["url"])
    assert match is not None  # 32 bytes of a CSPRNG in base64
    assert body["config_url"] == f"{body['url']}/config"
    link = ShareLink.objects.get()
    assert link.digest == hashlib.sha256(match[1].encode()).hexdigest()
    assert answer["Location"] == f"/api/v1/share-links/{link.uuid}"
    shown = alice_api.get(answer["Location"])
    assert shown.status_code == 200
    assert "url" not in shown.json()
    for row in AuditEvent.objects.all():
        assert match[1] not in f"{row.before}{row.after}{row.target_name}"
    event = AuditEvent.objects.get(action="link.created")
    assert event.target_id == sold["id"]
    assert event.after["link"] == str(link.uuid)


def test_secrets_differ(alice_api: APIClient, sold: Body, share: Share) -> None:
    assert len({share(sold)["url"] for _ in range(5)}) == 5


def test_a_replay_has_no_secret(alice_api: APIClient, sold: Body) -> None:
    key = {"Idempotency-Key": "k1"}
    first = alice_api.post(links_of(sold), {}, headers=key)
    again = alice_api.post(links_of(sold), {}, headers=key)
    assert first.json()["url"] is not None
    assert again.status_code == 201
    assert again.json() == {**first.json(), "url": None, "config_url": None}
    assert ShareLink.objects.count() == 1


def test_a_link_lives_thirty_days_unless_its_end_is_named(share: Share, sold: Body) -> None:
    now = datetime.now(UTC)

    def end(**fields: Any) -> datetime | None:
        text = share(sold, **fields)["expires_at"]
        return None if text is None else datetime.fromisoformat(text)

    default, named, soon = end(), end(expires_at="2031-01-31T12:00:00+03:30"), end(expires_in=60)
    assert default is not None
    assert abs(default - now - timedelta(days=30)) < timedelta(minutes=1)
    assert named == datetime(2031, 1, 31, 8, 30, tzinfo=UTC)
    assert soon is not None
    assert abs(soon - now - timedelta(seconds=60)) < timedelta(minutes=1)
    assert end(expires_at=None) is None


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "in_the_past"),
        ({"expires_at": "2031-01-01T00:00:00"}, "expires_at", "invalid"),
        ({"expires_at": "2031-02-30T00:00:00Z"}, "expires_at", "invalid"),
        ({"expires_at": "10000-01-01T00:00:00Z"}, "expires_at", "invalid"),
        ({"expires_in": 59}, "expires_in", "min_value"),
        ({"expires_in": 10**12}, "expires_in", "max_value"),
        ({"expires_in": "60"}, "expires_in", "invalid"),
        ({"expires_in": 60, "expires_at": None}, "expires_in", "one_of"),
        ({"single_use": "yes"}, "single_use", "invalid"),
        ({"allows_key": 1}, "allows_key", "invalid"),
        ({"name": "a\nb"}, "name", "characters"),
        ({"name": "a" * 121}, "name", "max_length"),
        ({"secret": "x"}, "secret", "unknown_field"),
    ],
)
def test_bad_bodies_are_400_and_make_nothing(
    body: Body, field: str, code: str, alice_api: APIClient, sold: Body
) -> None:
    answer = alice_api.post(links_of(sold), body)
    assert answer.status_code == 400
    assert (field, code) in [(one["field"], one["code"]) for one in answer.json()["errors"]]
    assert not ShareLink.objects.exists()


def test_a_client_names_its_only_device_by_either_id(
    alice_api: APIClient, sold: Body, keyless: Body, share: Share
) -> None:
    for url in (f"/api/v1/clients/{sold['id']}", "/api/v1/clients/by-external-id/a/7"):
        made = alice_api.post(f"{url}/share-links", {})
        assert made.status_code == 201, made.content
        assert made.json()["device"] == sold["devices"][0]["id"]
    share(keyless)
    listed = alice_api.get(f"/api/v1/clients/{sold['id']}/share-links").json()["results"]
    assert len(listed) == 2
    assert listed[0]["created_at"] > listed[1]["created_at"]
    assert {one["client"] for one in listed} == {sold["id"]}


def test_the_list_costs_the_same_for_many(alice_api: APIClient, sold: Body, share: Share) -> None:
    counts = []
    for more in (1, 8):
        for _ in range(more):
            share(sold)
        with CaptureQueriesContext(connection) as found:
            assert alice_api.get(links_of(sold)).status_code == 200
        counts.append(len(found))
    assert counts[0] == counts[1]
    assert alice_api.get(f"{links_of(sold)}?peer=1").status_code == 400


def test_revoking_ends_it_once(
    alice_api: APIClient, sold: Body, share: Share, visitor: Any
) -> None:
    made = share(sold)
    url = f"/api/v1/share-links/{made['id']}"
    assert visitor.get(made["path"]).status_code == 200
    assert alice_api.delete(url).status_code == 204
    assert alice_api.delete(url).status_code == 204
    assert visitor.get(made["path"]).status_code == 404
    assert alice_api.get(url).json()["state"] == "revoked"
    assert AuditEvent.objects.filter(action="link.revoked").count() == 1


def test_links_of_others_do_not_exist(
    mallory_api: APIClient, anonymous_api: APIClient, sold: Body, share: Share
) -> None:
    link = share(sold)["id"]
    device = sold["devices"][0]["id"]
    for method, url, mine in (
        ("get", "/api/v1/share-links/{}", link),
        ("delete", "/api/v1/share-links/{}", link),
        ("get", "/api/v1/peers/{}/share-links", device),
        ("post", "/api/v1/peers/{}/share-links", device),
        ("get", "/api/v1/clients/{}/share-links", sold["id"]),
        ("post", "/api/v1/clients/{}/share-links", sold["id"]),
    ):
        theirs, none = (getattr(mallory_api, method)(url.format(one)) for one in (mine, ABSENT))
        assert theirs.status_code == none.status_code == 404
        assert theirs.content == none.content
        assert getattr(anonymous_api, method)(url.format(mine)).status_code == 401
    assert ShareLink.objects.get().revoked_at is None


def test_who_makes_a_link_must_be_allowed_to_read_files(
    acme: Tenant, sold: Body, alice_api: APIClient
) -> None:
    writes = bearer(make_token(acme, scopes=["clients:read", "clients:write"])[1])
    assert writes.post(links_of(sold), {}).status_code == 403
    reads = bearer(make_token(acme, scopes=["clients:read", "configs:read"])[1])
    assert reads.post(links_of(sold), {}).status_code == 403
    assert reads.get(links_of(sold)).status_code == 200
    both = bearer(make_token(acme, scopes=["clients:write", "configs:read"])[1])
    assert both.post(links_of(sold), {}).status_code == 201


def test_a_device_has_a_bounded_number_of_working_links(
    alice_api: APIClient, sold: Body, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peers.services.links.MOST_LINKS", 2)
    first = share(sold)
    share(sold)
    refused = alice_api.post(links_of(sold), {})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "too_many_links")
    alice_api.delete(f"/api/v1/share-links/{first['id']}")
    share(sold)
