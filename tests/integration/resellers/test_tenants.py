"""Tenants as operators make and change them, and as their owners see themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface
from tenants.models import Membership, Tenant, User
from tests.integration.resellers.conftest import session
from tests.make import make_interface, make_tenant
from tests.tags import stateless, tag

TENANTS = "/api/v1/tenants"
OWN = "/api/v1/tenant"
LOGO = "/api/v1/tenant/logo"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"x" * 40 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 40 + b"\xff\xd9"
NOBODY = "00000000-0000-4000-8000-000000000000"


def one(tenant: Tenant | str) -> str:
    return f"{TENANTS}/{tenant.uuid if isinstance(tenant, Tenant) else tenant}"


# -- Operators --------------------------------------------------------------------------------


def test_an_operator_makes_a_tenant_with_its_first_owner(
    operator_api: APIClient, interface: Interface
) -> None:
    body = {
        "name": "Gaming Shop",
        "owner": {"email": "boss@shop.example"},
        "max_clients": 100,
        "interfaces": [str(interface.uuid)],
        "brand_color": "#AABBCC",
        "timezone": "Asia/Tehran",
        "language": "fa",
    }
    answer = operator_api.post(TENANTS, body)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["slug"], made["status"]) == ("gaming-shop", "active")
    assert (made["max_clients"], made["interfaces"]) == (100, [str(interface.uuid)])
    assert (made["pools"], made["brand_color"]) == (None, "#aabbcc")
    assert answer["Location"] == one(made["id"])
    again = operator_api.get(answer["Location"])
    assert again.json() == made
    assert again["ETag"] == answer["ETag"]
    assert stateless(again["ETag"]) == tag(made, 1)
    member = Membership.objects.get(tenant__slug="gaming-shop")
    assert (member.role, member.user.email) == ("owner", "boss@shop.example")
    assert not member.user.has_usable_password()
    event = AuditEvent.objects.get(action="tenant.created")
    assert event.after["owner"] == "boss@shop.example"
    assert event.by_operator


@pytest.mark.parametrize("method", ["get", "post", "patch"])
def test_tenants_are_the_operators(
    method: str,
    acme: Tenant,
    alice_api: APIClient,
    owner_api: APIClient,
    viewer_api: APIClient,
    auditor_api: APIClient,
    anonymous_api: APIClient,
) -> None:
    url = one(acme) if method == "patch" else TENANTS
    for api, expected in (
        (anonymous_api, 401),
        (alice_api, 403),
        (owner_api, 403),
        (viewer_api, 403),
        (auditor_api, 200 if method == "get" else 403),
    ):
        body = None if method == "get" else {"name": "x"}
        assert getattr(api, method)(url, body).status_code == expected
        if method == "get":
            assert api.get(one(acme)).status_code == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a\nb"),
        ("name", "x" * 121),
        ("slug", "No Slug"),
        ("slug", "-a"),
        ("slug", "a" * 49),
        ("slug", ""),
        ("owner", {}),
        ("owner", {"email": "a@b.c", "username": "d"}),
        ("owner", {"email": "no address"}),
        ("owner", {"email": ""}),
        ("owner", {"email": "\u0131@example.org"}),
        ("owner", {"username": "nobody at all"}),
        ("max_clients", -1),
        ("max_clients", 2**31),
        ("max_clients", True),
        ("max_clients", "7"),
        ("max_clients", 1.5),
        ("max_devices_per_client", 0),
        ("max_bytes_per_period", 2**63),
        ("max_speed_kbit", 0),
        ("requests_per_minute", 0),
        ("interfaces", [NOBODY]),
        ("interfaces", ["wg0"]),
        ("pools", [NOBODY]),
        ("pools", "all"),
        ("contact_email", "x"),
        ("contact_email", "a@b.example\n"),
        ("contact_phone", "<script>"),
        ("contact_phone", "()"),
        ("brand_name", "x" * 61),
        ("brand_color", "red"),
        ("brand_color", "#12345"),
        ("brand_color_dark", "#12345g"),
        ("support_url", "http://shop.example"),
        ("support_url", "javascript:alert(1)"),
        ("support_url", "https://user:secret@shop.example"),
        ("support_url", 'https://shop.example/"onload='),
        ("support_url", "https://"),
        ("support_url", "https://shop.example:99999/"),
        ("config_prefix", "UPPER"),
        ("config_prefix", "a/b"),
        ("config_prefix", "123456789"),
        ("timezone", "Mars/Olympus"),
        ("timezone", ""),
        ("language", "xx"),
        ("language", 5),
        ("status", "suspended"),
        ("nonsense", 1),
        ("id", NOBODY),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_no_trace(
    operator_api: APIClient, field: str, value: Any
) -> None:
    before = Tenant.objects.count(), User.objects.count(), AuditEvent.objects.count()
    answer = operator_api.post(TENANTS, {"name": "Shop", "slug": "shop", field: value})
    assert answer.status_code == 400
    assert str(answer.json()["errors"][0]["field"]).split(".")[0] == field
    assert (Tenant.objects.count(), User.objects.count(), AuditEvent.objects.count()) == before


def test_a_slug_is_taken_once(operator_api: APIClient, acme: Tenant) -> None:
    answer = operator_api.post(TENANTS, {"name": "Other", "slug": "acme"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "slug_taken")
    assert operator_api.post(TENANTS, {"name": "\u0641\u0627"}).status_code == 400  # no letters


def test_limits_are_changed_and_lifted(
    operator_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    pool = interface.pools.order_by("pk")[0]
    body = {"max_clients": 5, "interfaces": [], "pools": [str(pool.uuid)]}
    answer = operator_api.patch(one(acme), body)
    assert answer.status_code == 200
    shown = answer.json()
    assert {name: shown[name] for name in body} == body
    assert stateless(answer["ETag"]) == tag(acme, 2)
    acme.refresh_from_db()
    assert (acme.limits_interfaces, acme.limits_pools) == (True, True)
    event = AuditEvent.objects.get(action="tenant.updated")
    assert event.before == {"max_clients": None, "interfaces": None, "pools": None}
    assert event.after == body
    lifted = operator_api.patch(one(acme), {"max_clients": None, "interfaces": None}).json()
    assert (lifted["max_clients"], lifted["interfaces"]) == (None, None)
    assert lifted["pools"] == [str(pool.uuid)]


def test_what_was_read_can_be_sent_back_and_changes_nothing(
    operator_api: APIClient, owner_api: APIClient, acme: Tenant
) -> None:
    for api, url in ((operator_api, one(acme)), (owner_api, OWN)):
        body = api.get(url).json()
        answer = api.patch(url, body)
        assert answer.json() == body
        assert stateless(answer["ETag"]) == tag(acme, 1)
    assert not AuditEvent.objects.filter(action="tenant.updated").exists()
    refused = operator_api.patch(one(acme), {"status": "closed"})
    assert refused.json()["errors"][0]["code"] == "read_only"


def test_a_change_of_an_older_version_is_refused(operator_api: APIClient, acme: Tenant) -> None:
    headers = {"If-Match": tag(acme, 1)}
    assert operator_api.patch(one(acme), {"name": "A"}, headers=headers).status_code == 200
    assert operator_api.patch(one(acme), {"name": "B"}, headers=headers).status_code == 412
    assert Tenant.objects.get(pk=acme.pk).name == "A"


def test_a_tenant_that_is_not_there_is_missing(operator_api: APIClient) -> None:
    assert operator_api.get(one(NOBODY)).status_code == 404
    assert operator_api.patch(one(NOBODY), {}).status_code == 404


def test_the_list_is_filtered_searched_and_sorted(
    operator_api: APIClient, acme: Tenant, evil: Tenant
) -> None:
    Tenant.objects.filter(pk=evil.pk).update(status="suspended", contact_email="m@evil.example")
    make_tenant("acme-sandbox", sandbox_of=acme)

    def found(**query: str) -> list[str]:
        return [row["slug"] for row in operator_api.get(TENANTS, query).json()["results"]]

    assert found(status="suspended") == ["evil"]
    assert found(search="M@EVIL") == ["evil"]
    assert found(sandbox="true") == ["acme-sandbox"]
    assert found(sandbox="false", ordering="slug") == ["acme", "default", "evil"]
    for query in ({"status": "gone"}, {"ordering": "brand_logo"}, {"nonsense": "1"}):
        assert operator_api.get(TENANTS, query).status_code == 400


def test_the_list_takes_the_same_queries_however_long(
    operator_api: APIClient, django_assert_num_queries: Any
) -> None:
    for number in range(6):
        tenant = make_tenant(f"t{number}", limits_interfaces=True, limits_pools=True)
        network = f"10.{number}.0.1/16"
        interface = make_interface(
            name=f"wg{number}", listen_port=1000 + number, addresses=[network], is_default=False
        )
        tenant.interfaces.add(interface)
        tenant.pools.add(*interface.pools.all())
        make_tenant(f"t{number}-sandbox", sandbox_of=tenant)
    operator_api.get(TENANTS)
    for limit in ("1", "12"):
        with django_assert_num_queries(4):
            assert operator_api.get(TENANTS, {"limit": limit}).status_code == 200


# -- Owners -----------------------------------------------------------------------------------


def test_an_owner_changes_what_is_his(owner_api: APIClient, acme: Tenant) -> None:
    body = {
        "contact_name": "Alice",
        "contact_email": "alice@acme.example",
        "contact_phone": "+49 30 1234-5",
        "brand_name": "ACME VPN",
        "brand_color": "#112233",
        "brand_color_dark": "#ddeeff",
        "support_url": "https://acme.example/help?x=1#y",
        "config_prefix": "acme-",
        "timezone": "Europe/Berlin",
        "language": "fa",
    }
    answer = owner_api.patch(OWN, body)
    assert answer.status_code == 200
    shown = answer.json()
    assert {name: shown[name] for name in body} == body
    event = AuditEvent.objects.get(action="tenant.updated")
    assert (event.tenant_id, event.actor_name) == (acme.pk, "alice's own")
    assert event.after == body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_clients", 10**6),
        ("requests_per_minute", 10**6),
        ("name", "Other"),
        ("slug", "other"),
        ("status", "closed"),
        ("interfaces", [NOBODY]),
        ("sandbox_of", NOBODY),
    ],
)
def test_an_owner_does_not_change_what_is_the_operators(
    owner_api: APIClient, field: str, value: Any
) -> None:
    answer = owner_api.patch(OWN, {field: value})
    assert answer.status_code == 400
    assert answer.json()["errors"][0] | {"detail": ""} == {
        "field": field,
        "code": "read_only",
        "detail": "",
    }


def test_the_own_tenant_by_role(
    acme: Tenant,
    manager_api: APIClient,
    viewer_api: APIClient,
    anonymous_api: APIClient,
    mallory_api: APIClient,
    operator_api: APIClient,
) -> None:
    for api in (manager_api, viewer_api):
        assert api.get(OWN).json()["slug"] == "acme"
        assert api.patch(OWN, {"brand_name": "x"}).status_code == 403
    assert anonymous_api.get(OWN).status_code == 401
    assert mallory_api.get(OWN).json()["slug"] == "evil"
    assert mallory_api.get(OWN, headers={"X-VWG-Tenant": "acme"}).status_code == 403
    assert operator_api.get(OWN, headers={"X-VWG-Tenant": "acme"}).json()["slug"] == "acme"


# -- The picture ------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "picture"), [("image/png", PNG), ("image/jpeg", JPEG)])
def test_a_picture_is_stored_served_and_removed(
    owner_api: APIClient, kind: str, picture: bytes, acme: Tenant
) -> None:
    assert owner_api.get(LOGO).status_code == 404
    assert owner_api.get(OWN).json()["logo"] is None
    answer = owner_api.put(LOGO, picture, content_type=kind)
    assert (answer.status_code, answer["ETag"]) == (204, tag(acme, 2))
    served = owner_api.get(LOGO, headers={"Accept": "image/*"})
    assert (served.status_code, served["Content-Type"]) == (200, kind)
    assert served.content == picture
    assert served["X-Content-Type-Options"] == "nosniff"
    assert owner_api.get(OWN).json()["logo"] == LOGO
    assert owner_api.delete(LOGO).status_code == 204
    assert owner_api.delete(LOGO).status_code == 404
    assert owner_api.get(LOGO).status_code == 404
    events = AuditEvent.objects.filter(action="tenant.updated", tenant=acme)
    assert [event.after["logo"] for event in events.order_by("id")] == [kind, None]
    assert "IHDR" not in json.dumps([event.after for event in events])


@pytest.mark.parametrize(
    ("kind", "picture", "expected"),
    [
        ("image/png", JPEG[:-2], 400),
        ("image/png", b"<svg onload=alert(1)>", 400),
        ("image/png", b"GIF89a" + PNG, 400),
        ("image/png", PNG + b"<script>", 400),
        ("image/png", b"", 400),
        ("image/png", PNG[:16] + b"x" * 65536 + PNG[-8:], 413),
        ("image/svg+xml", b"<svg/>", 415),
        ("application/json", b"{}", 415),
        ("text/html", PNG, 415),
    ],
)
def test_what_is_no_picture_is_refused(
    owner_api: APIClient, kind: str, picture: bytes, expected: int
) -> None:
    answer = owner_api.put(LOGO, picture, content_type=kind)
    assert answer.status_code == expected
    assert owner_api.get(LOGO).status_code == 404


def test_its_bytes_say_what_a_picture_is(owner_api: APIClient) -> None:
    owner_api.put(LOGO, JPEG, content_type="image/png")
    assert owner_api.get(LOGO)["Content-Type"] == "image/jpeg"


def test_a_picture_of_64_kib_is_the_largest(owner_api: APIClient) -> None:
    picture = PNG[:16] + b"x" * (65536 - 16 - 8) + PNG[-8:]
    assert owner_api.put(LOGO, picture, content_type="image/png").status_code == 204


def test_the_picture_by_role(
    owner_api: APIClient,
    viewer_api: APIClient,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    acme: Tenant,
) -> None:
    owner_api.put(LOGO, PNG, content_type="image/png")
    assert viewer_api.get(LOGO).status_code == 200
    assert viewer_api.put(LOGO, PNG, content_type="image/png").status_code == 403
    assert viewer_api.delete(LOGO).status_code == 403
    assert mallory_api.get(LOGO).status_code == 404
    assert anonymous_api.get(LOGO).status_code == 401
    stale = owner_api.delete(LOGO, headers={"If-Match": tag(acme, 1)})
    assert stale.status_code == 412


# -- me ---------------------------------------------------------------------------------------


def test_me_says_who_and_for_whom(
    owner_api: APIClient, alice: User, acme: Tenant, alice_peer: Any
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_clients=10)
    me = owner_api.get("/api/v1/me").json()
    assert (me["kind"], me["role"], me["operator"], me["sandbox"]) == (
        "token",
        "owner",
        None,
        False,
    )
    assert (me["user"]["username"], me["token"]["name"]) == ("alice", "alice's own")
    assert "tokens:write" in me["scopes"]
    assert (me["tenant"]["slug"], me["limits"]["max_clients"]) == ("acme", 10)
    assert me["used"] == {"clients": 1, "devices": 1}
    assert [one["slug"] for one in me["tenants"]] == ["acme"]


def test_me_lists_what_a_session_may_name(alice: User, acme: Tenant, evil: Tenant) -> None:
    Membership.objects.create(user=alice, tenant=evil, role="viewer")
    make_tenant("acme-sandbox", sandbox_of=acme)
    me = session(alice).get("/api/v1/me").json()
    assert (me["kind"], me["token"]) == ("session", None)
    assert [(one["slug"], one["role"], one["sandbox"]) for one in me["tenants"]] == [
        ("acme", "owner", False),
        ("acme-sandbox", "owner", True),
        ("evil", "viewer", False),
    ]
    for slug, role in (("acme-sandbox", "owner"), ("evil", "viewer")):
        there = session(alice).get("/api/v1/me", headers={"X-VWG-Tenant": slug}).json()
        assert (there["tenant"]["slug"], there["role"]) == (slug, role)
        assert there["sandbox"] is (slug == "acme-sandbox")
        assert ("clients:write" in there["scopes"]) is (role == "owner")


def test_me_of_others(
    operator: User, auditor_api: APIClient, viewer_api: APIClient, anonymous_api: APIClient
) -> None:
    me = session(operator).get("/api/v1/me").json()
    assert (me["operator"], me["role"], me["tenant"]["slug"]) == ("full", None, "default")
    assert auditor_api.get("/api/v1/me").json()["operator"] == "read-only"
    assert "configs:read" not in viewer_api.get("/api/v1/me").json()["scopes"]
    assert anonymous_api.get("/api/v1/me").status_code == 401
    assert viewer_api.get("/api/v1/me", {"x": "1"}).status_code == 400
