"""Bad inputs: refused with the right status, the field named, and nothing changed or queued.

The numbers in the ids are the rows of the list of bad inputs that this project is tested by.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.test import Client as HttpClient
from rest_framework.test import APIClient

from gateways.models import Interface, Job
from peers.models import Client, Peer
from tests.make import make_interface

CLIENTS, ADD = "/api/v1/clients", "/api/wg/add-peer"
KEY = "igzGiGWdVxB8aNW9qG2cubcr9XfvEYihWgmuYkwhZXY="  # fixed: it stands in the tests' names
OWNED = ("peers", "gateways", "quotas", "audit", "tenants")


def snapshot() -> dict[str, list[Any]]:
    """Every row of ours; a token's last use is the one thing a refusal may write."""
    rows = {}
    for app in OWNED:
        for model in apps.get_app_config(app).get_models():
            columns = [
                field.attname
                for field in model._meta.concrete_fields
                if not field.name.startswith("last_used")
            ]
            rows[model.__name__] = list(model._default_manager.order_by("pk").values_list(*columns))
    return rows


def refused(answer: Any, status: int | tuple[int, ...], field: str | None = None) -> None:
    """Assert status, shape and field of a refusal, and that nothing tells of the inside."""
    statuses = status if isinstance(status, tuple) else (status,)
    assert answer.status_code in statuses, answer.content[:500]
    body = answer.json()
    if field is not None:
        named = [error["field"] for error in body["errors"]]
        assert any(name and name.split(".")[0] == field for name in named), body
        assert field in (body.get("detail") or body.get("message"))
    text = answer.content.decode()
    assert len(text) < 20_000
    for trace in ("Traceback", "SELECT ", "/home", "site-packages", ".py"):
        assert trace not in text


NAMES = [
    ("01-newline", "a\nPostUp = touch /tmp/x"),
    *[(f"02-{ord(bad):x}", f"a{bad}b") for bad in "\r\x0b\x85\u2028\u2029"],
    ("02-escape", "a\x1b[31mb"),
    ("08-crlf", "x\r\nSet-Cookie: a=b"),
    ("09-empty", ""),
    ("09-spaces", "   "),
    ("09-256", "x" * 256),
    ("09-1MB", "x" * 1_000_000),
    ("09-rtl-override", "a\u202eb"),
    ("09-zero-width", "\u200b\u200d\ufeff"),
    ("09-number", 7),
    ("09-null", None),
    ("09-list", ["a"]),
]


@pytest.mark.parametrize("name", [name for _, name in NAMES], ids=[row for row, _ in NAMES])
def test_a_bad_name_is_refused(name: Any, alice_api: APIClient, interface: Interface) -> None:
    before = snapshot()
    refused(alice_api.post(CLIENTS, {"name": name}), 400, "name")
    refused(alice_api.post(ADD, {"public_key": KEY, "name": name}), 400, "name")
    assert snapshot() == before


@pytest.mark.parametrize("raw", ['"\\ud800"', '"a\\u0000b"'], ids=["09-surrogate", "09-nul"])
def test_what_is_no_text_is_refused_with_the_body(
    raw: str, alice_api: APIClient, interface: Interface
) -> None:
    before = snapshot()
    body = '{"name": %s}' % raw  # noqa: UP031 - braces
    refused(alice_api.generic("POST", CLIENTS, body, content_type="application/json"), 400)
    assert snapshot() == before


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{7*7}}",
        "{% debug %}",
        "${jndi:ldap://x}",
        "=cmd|'/C calc'!A0",
        "+1",
        "-1",
        "@x",
        "../../etc/cron.d/x",
        "a/b",
        "CON",
        'x"; filename=y',
        "😀 سارا محمد 王小明",
        "$(id)",
        "`id`",
        ";id",
        "${IFS}",
        "--help",
        "-h",
    ],
)
def test_05_07_08_11_20_a_strange_name_is_a_name_and_stays_out_of_the_file(
    name: str, alice_api: APIClient, interface: Interface
) -> None:
    made = alice_api.post(CLIENTS, {"name": name})
    assert made.status_code == 201
    assert made.json()["name"] == name
    answer = alice_api.get(f"{CLIENTS}/{made.json()['id']}/config")
    assert answer.status_code == 200
    disposition = answer["Content-Disposition"]
    assert disposition.isascii()
    assert disposition.count('"') == 2
    assert name not in answer.content.decode() or name.isdecimal() or name in ("-1", "+1", "-h")


INJECTED = "x\n[Peer]\nPublicKey = y"
FIELDS: list[tuple[str, str, Any]] = [
    ("04", "note", INJECTED),
    ("04", "tags", [INJECTED]),
    ("04", "dns_servers", [INJECTED]),
    ("04", "endpoint", INJECTED),
    ("04", "endpoint_override", INJECTED),
    ("04", "device_name", INJECTED),
    ("04", "external_id", INJECTED),
    ("04", "email", "a@b.example\nBcc: c"),
    ("12", "addresses", ["10.252.0.1/32"]),
    ("15", "addresses", ["10.252.0.5/24"]),
    ("15", "networks", ["10.66.0.5/24"]),
    ("15", "routes", ["10.66.0.5/24"]),
    *[
        ("16", "addresses", [bad])
        for bad in ("010.252.0.5", "10.252", "\uff11\uff10.252.0.5", "1e1", "10.252.0.5 ", "")
    ],
    ("16", "addresses", ["10.252.0.5\n"]),
    ("17", "addresses", ["::ffff:10.252.0.5/128"]),
    ("18", "addresses", ["fe80::1%eth0"]),
    *[("20", "addresses", [bad]) for bad in ("$(id)", "`id`", ";id", "--help", "-h")],
    *[("20", "endpoint", bad) for bad in ("$(id)", "`id`", ";id", "${IFS}", "--help")],
    *[("20", "dns_servers", [bad]) for bad in ("$(id)", ";id", "--help")],
    *[("20", "public_key", bad) for bad in ("$(id)", "--help", "-h")],
    ("21", "networks", [f"10.{n // 256}.{n % 256}.0/24" for n in range(1000)]),
    ("21", "networks", ["192.168.0.0/16", "192.168.7.0/24"]),
    ("21", "networks", ["192.168.7.0/24", "192.168.7.0/24"]),
    ("21", "addresses", ["10.252.0.5", "10.252.0.5/32"]),
    ("22", "addresses", ["10.253.0.5"]),
    ("22", "addresses", ["10.252.0.0"]),
    ("22", "addresses", ["10.252.255.255"]),
    ("22", "addresses", ["10.99.0.5"]),
    ("22", "addresses", []),
    ("22", "networks", ["0.0.0.0/0"]),
    *[
        ("23", "public_key", bad)
        for bad in (KEY[:-1], KEY + "=", KEY[:9] + "!" + KEY[10:], "ab" * 32, "", 7, [KEY])
    ],
    ("25", "public_key", KEY[:20] + "\n" + KEY[20:]),
    ("25", "public_key", KEY[:20] + " " + KEY[20:]),
    ("25", "public_key", KEY + "\n"),
    ("26", "public_key", "A" * 43 + "="),
    ("26", "public_key", "AQ" + "A" * 41 + "="),
    ("26", "public_key", "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA="),
    ("26", "public_key", "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc="),
    ("29", "preshared_key", "short"),
    ("29", "preshared_key", "A" * 43 + "="),
    ("29", "preshared_key", 7),
    ("29", "private_key", KEY),
    *[("30", "mtu", bad) for bad in (0, 575, 1279, 65536, "1420abc", 1420.5, True, "1420")],
    *[("31", "persistent_keepalive", bad) for bad in (-1, 65536, "off", 1e3, True, "25")],
    *[("31", "client_keepalive", bad) for bad in (-1, 65536, "off", 1e3, 10**400)],
    ("34", "tenant", "evil"),
    ("34", "state", "active"),
    ("34", "blocked", False),
    ("34", "generation", 9),
    ("34", "id", "00000000-0000-0000-0000-000000000000"),
    *[
        ("64", "endpoint", bad)
        for bad in ("host:99999", "http://h", "[::1", "192.0.2.1:0", "münchen.example:1", "h")
    ],
    ("65", "dns_servers", ["1.1.1.1"] * 50),
    ("65", "dns_servers", ["a.example\nb"]),
    ("65", "dns_servers", ["1.1.1.1 PostUp=x"]),
    ("65", "dns_servers", "1.1.1.1"),
    ("xx", "interface", "wg9"),
    ("xx", "interface", "../wg0"),
    ("xx", "enabled", "yes"),
    ("xx", "tags", "gold"),
    ("xx", "metadata", [1]),
    ("xx", "email", "nobody"),
]
IDS = [f"{row}-{field}-{str(value)[:20]!a}" for row, field, value in FIELDS]


@pytest.mark.parametrize(("row", "field", "value"), FIELDS, ids=IDS)
def test_a_bad_value_is_refused_by_its_name_and_nothing_happens(
    row: str, field: str, value: Any, alice_api: APIClient, interface: Interface
) -> None:
    make_interface(name="wg1", listen_port=51821, addresses=["10.99.0.1/24"], is_default=False)
    kept = alice_api.post(CLIENTS, {"name": "kept"}).json()
    before = snapshot()
    refused(alice_api.post(CLIENTS, {"name": "x", field: value}), 400, field)
    if field not in ("interface", "public_key"):
        refused(alice_api.patch(f"{CLIENTS}/{kept['id']}", {field: value}), 400, field)
    assert snapshot() == before


FOUNDING: list[tuple[str, str, Any]] = [
    *[
        (row, "allowed_ips", value)
        for row, field, value in FIELDS
        if field == "addresses" and value != []
    ],
    ("21", "allowed_ips", [f"10.{n // 256}.{n % 256}.0/24" for n in range(1000)]),
    ("21", "allowed_ips", ["192.168.0.0/16", "192.168.7.0/24"]),
    ("22", "allowed_ips", ["0.0.0.0/0"]),
    ("22", "allowed_ips", ["10.252.0.0/16"]),
    ("22", "allowed_ips", []),
    ("22", "allowed_ips", "10.252.0.5/32"),
    ("22", "allowed_ips", [["10.252.0.5/32"]]),
    *[
        (row, field, value)
        for row, field, value in FIELDS
        if field in ("public_key", "preshared_key", "persistent_keepalive", "endpoint", "interface")
    ],
    ("29", "private_key", KEY),
    ("34", "tenant", "evil"),
]
FOUNDING_IDS = [f"{row}-{field}-{str(value)[:20]!a}" for row, field, value in FOUNDING]


@pytest.mark.parametrize(("row", "field", "value"), FOUNDING, ids=FOUNDING_IDS)
def test_a_bad_value_is_refused_by_the_founding_call_too(
    row: str, field: str, value: Any, alice_api: APIClient, interface: Interface
) -> None:
    make_interface(name="wg1", listen_port=51821, addresses=["10.99.0.1/24"], is_default=False)
    before = snapshot()
    answer = alice_api.post(ADD, {"public_key": KEY, field: value})
    refused(answer, (400, 409), field)
    assert answer.json()["success"] is False
    assert snapshot() == before


def test_13_an_address_of_another_client_is_409_in_the_same_words_for_all(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    alice_api.post(CLIENTS, {"name": "victim", "addresses": ["10.252.0.9"]})
    before = snapshot()
    own = alice_api.post(CLIENTS, {"name": "x", "addresses": ["10.252.0.9"]})
    foreign = mallory_api.post(CLIENTS, {"name": "x", "addresses": ["10.252.0.9"]})
    refused(own, 409, "addresses")
    assert own.content == foreign.content
    for api in (alice_api, mallory_api):
        body = {"public_key": KEY, "allowed_ips": ["10.252.0.9/32"]}
        refused(api.post(ADD, body), 409, "allowed_ips")
    assert snapshot() == before


PATHS = ["7", "1 OR 1=1", "x" * 10_000, "%00", "..%2f", "..%2F..%2Fetc%2Fpasswd", "' OR ''='"]


@pytest.mark.parametrize("path", PATHS, ids=[path[:12] for path in PATHS])
def test_37_what_is_no_id_is_404(path: str, alice_api: APIClient, interface: Interface) -> None:
    for url in (f"{CLIENTS}/{path}", f"{CLIENTS}/by-external-id/{path}", f"/api/v1/peers/{path}"):
        answer = alice_api.get(url)
        assert answer.status_code == 404, url[:80]
        assert answer["Content-Type"] == "application/problem+json"


QUERIES = [
    "search=%00",
    "name__regex=(a%2B)%2B$",
    "tenant__owner__password__startswith=p",
    "_connector=OR 1=1--",
    "_negated=1",
    "ordering=password",
    "ordering=-tenant__secret",
    "ordering=--id",
    "ordering=name,id",
    "fields=private_key",
    "state=nonsense",
    "online=maybe",
    "limit=0",
    "limit=-1",
    "limit=1e9",
    "limit=100000",
    "cursor=abc",
    "search=a&search=b",
    "tenant=evil",
]


@pytest.mark.parametrize("query", QUERIES)
def test_38_39_a_query_that_is_not_allowed_is_400(
    query: str, alice_api: APIClient, interface: Interface
) -> None:
    refused(alice_api.get(f"{CLIENTS}?{query}"), 400, query.partition("=")[0])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Basic eDp5",
        "Bearer vwg_x",
        "Bearer " + "x" * 100_000,
    ],
    ids=lambda header: header[:14] or "none",
)
def test_43_without_a_good_token_it_is_401(header: str, interface: Interface) -> None:
    before = snapshot()
    api = APIClient()
    headers = {"Authorization": header} if header else {}
    answer = api.post(CLIENTS, {"name": "x"}, format="json", headers=headers)
    refused(answer, 401)
    assert "WWW-Authenticate" in answer
    assert snapshot() == before


def test_43_a_token_in_the_query_is_no_token(alice_token: str, interface: Interface) -> None:
    assert APIClient().get(f"{CLIENTS}?token={alice_token}").status_code == 401


def test_45_a_session_without_its_csrf_token_changes_nothing(
    alice: Any, interface: Interface
) -> None:
    before = snapshot()
    api = APIClient(enforce_csrf_checks=True)
    api.force_login(alice)
    before = snapshot()
    refused(api.post(CLIENTS, {"name": "x"}, format="json"), 403)
    assert snapshot() == before


@pytest.mark.parametrize(
    "media",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "",
    ],
)
@pytest.mark.parametrize("url", [CLIENTS, ADD])
def test_46_only_json_in_utf8_is_read(
    media: str, url: str, alice_token: str, interface: Interface
) -> None:
    before = snapshot()
    answer = HttpClient().generic(
        "POST",
        url,
        json.dumps({"name": "x", "public_key": KEY}),
        content_type=media,
        headers={"Authorization": f"Bearer {alice_token}"},
    )
    refused(answer, 415)
    assert snapshot() == before


@pytest.mark.parametrize("url", [CLIENTS, ADD])
def test_48_a_body_of_20_mb_is_413(url: str, alice_api: APIClient, interface: Interface) -> None:
    before = snapshot()
    body = json.dumps({"name": "x" * 20_000_000})
    refused(alice_api.generic("POST", url, body, content_type="application/json"), 413)
    assert snapshot() == before


BODIES = [
    "",
    "{",
    "[]",
    "null",
    '"x"',
    "7",
    '{"name": NaN}',
    '{"name": "a", "name": "b"}',
    "[" * 100_000,
    '{"mtu": 1e999}',
    "\ufeff{}",
]


@pytest.mark.parametrize("raw", BODIES, ids=[body[:12] or "nothing" for body in BODIES])
@pytest.mark.parametrize("url", [CLIENTS, ADD])
def test_a_body_that_is_no_object_is_400(
    raw: str, url: str, alice_api: APIClient, interface: Interface
) -> None:
    before = snapshot()
    refused(alice_api.generic("POST", url, raw, content_type="application/json"), 400)
    assert snapshot() == before


@pytest.mark.parametrize("method", ["PUT", "TRACE", "CONNECT", "DELETE", "PROPFIND"])
def test_49_a_wrong_method_is_405(method: str, alice_api: APIClient, interface: Interface) -> None:
    before = snapshot()
    answer = alice_api.generic(method, CLIENTS, "{}", content_type="application/json")
    assert answer.status_code in (405, 501), answer.content
    assert snapshot() == before


def test_49_a_method_override_is_ignored(alice_api: APIClient, interface: Interface) -> None:
    made = alice_api.post(CLIENTS, {"name": "kept"}).json()
    url = f"{CLIENTS}/{made['id']}"
    alice_api.post(url, {}, headers={"X-HTTP-Method-Override": "DELETE"})
    assert alice_api.get(f"{url}?_method=DELETE").status_code == 400
    assert alice_api.get(url).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/x-foo", "", "*/*;q=0"])
def test_50_no_page_is_ever_rendered_for_an_api_call(
    accept: str, alice_api: APIClient, interface: Interface
) -> None:
    answer = alice_api.get(CLIENTS, headers={"Accept": accept})
    assert answer.status_code in (200, 406)
    assert "json" in answer["Content-Type"]


def test_51_a_foreign_host_is_400(alice_api: APIClient, interface: Interface) -> None:
    assert alice_api.get(CLIENTS, headers={"Host": "evil.example"}).status_code == 400


def test_51_links_do_not_follow_a_forwarded_host(
    alice_api: APIClient, interface: Interface
) -> None:
    for number in range(2):
        alice_api.post(CLIENTS, {"name": f"c{number}"})
    answer = alice_api.get(f"{CLIENTS}?limit=1", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in answer.content.decode()


def test_68_deleting_twice_is_one_removal(alice_api: APIClient, interface: Interface) -> None:
    made = alice_api.post(CLIENTS, {"name": "x"}).json()
    url = f"{CLIENTS}/{made['id']}"
    assert [alice_api.delete(url).status_code for _ in range(2)] == [204, 404]
    assert Job.objects.filter(kind="delete").count() == 1
    assert (Client.objects.count(), Peer.objects.filter(deleted_at=None).count()) == (1, 0)
