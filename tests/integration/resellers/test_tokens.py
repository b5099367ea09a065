"""API tokens by the API: nobody hands out more than he has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import Interface
from tenants.models import ApiToken, Tenant, User
from tests.conftest import bearer
from tests.integration.resellers.conftest import session
from tests.make import make_tenant, make_token, make_user

TOKENS = "/api/v1/tokens"
ME = "/api/v1/me"
NOBODY = "00000000-0000-4000-8000-000000000000"
LATER = datetime(2099, 1, 1, tzinfo=UTC)


def one(token: ApiToken | str) -> str:
    return f"{TOKENS}/{token.uuid if isinstance(token, ApiToken) else token}"


def issued(api: APIClient, **body: Any) -> Any:
    answer = api.post(TOKENS, {"name": "shop", "scopes": ["clients:read"], **body})
    assert answer.status_code == 201, answer.content
    return answer.json()


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_a_token_is_issued_shown_once_and_works(owner_api: APIClient, acme: Tenant) -> None:
    body = {
        "name": "shop",
        "scopes": ["clients:write", "clients:read", "clients:read"],
        "allowed_cidrs": ["127.0.0.0/8", "2001:db8::/32"],
        "expires_at": "2099-01-01T00:00:00Z",
        "requests_per_minute": 60,
    }
    answer = owner_api.post(TOKENS, body)
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    made = answer.json()
    assert made["scopes"] == ["clients:read", "clients:write"]
    assert (made["user"], made["sandbox"], made["operator"]) == (None, False, False)
    assert (made["requests_per_minute"], made["last_used_at"]) == (60, None)
    text = made.pop("token")
    assert made["prefix"] == text.split("_")[1]
    me = bearer(text).get(ME).json()
    assert (me["token"]["name"], me["scopes"]) == ("shop", ["clients:read", "clients:write"])
    shown = owner_api.get(answer["Location"]).json()
    assert (shown.pop("last_used_ip"), made.pop("last_used_ip")) == ("127.0.0.1", None)
    assert shown.pop("last_used_at") is not made.pop("last_used_at")
    assert shown == made
    secret = text.split("_", 2)[2]
    assert secret not in str(list(AuditEvent.objects.values()))
    assert secret not in owner_api.get(TOKENS).content.decode()
    assert AuditEvent.objects.get(target_id=made["id"]).action == "token.issued"


def test_a_revoked_token_ends_at_once(owner_api: APIClient) -> None:
    made = issued(owner_api, scopes=["jobs:read"])
    api = bearer(made["token"])
    assert api.get(ME).status_code == 200
    assert owner_api.delete(one(made["id"])).status_code == 204
    assert api.get(ME).status_code == 401
    assert owner_api.delete(one(made["id"])).status_code == 204  # again: nothing more
    assert AuditEvent.objects.filter(action="token.revoked").count() == 1
    assert owner_api.get(one(made["id"])).json()["revoked_at"] is not None
    assert code_of(owner_api.patch(one(made["id"]), {"name": "x"})) == (409, "token_revoked")
    assert issued(owner_api)["name"] == "shop"  # its name is free again


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a\nb"),
        ("name", "x" * 121),
        ("scopes", []),
        ("scopes", ["clients:everything"]),
        ("scopes", ["anybody"]),
        ("scopes", "*"),
        ("scopes", [5]),
        ("scopes", None),
        ("allowed_cidrs", ["10.0.0.1/8"]),
        ("allowed_cidrs", ["010.0.0.0/8"]),
        ("allowed_cidrs", ["2001:db8::1/32"]),
        ("allowed_cidrs", ["fe80::%eth0/64"]),
        ("allowed_cidrs", ["::ffff:10.0.0.0/104"]),
        ("allowed_cidrs", ["10.0.0.0/33"]),
        ("allowed_cidrs", [""]),
        ("allowed_cidrs", ["10.0.0.0/8"] * 51),
        ("expires_at", "2020-01-01T00:00:00Z"),
        ("expires_at", "2099-01-01T00:00:00"),
        ("expires_at", "9999-12-31T23:59:59-14:00"),
        ("expires_at", "2099-02-30T00:00:00Z"),
        ("requests_per_minute", 0),
        ("requests_per_minute", 2**31),
        ("requests_per_minute", True),
        ("user", NOBODY),
        ("user", "alice"),
        ("mine", "yes"),
        ("sandbox", 1),
        ("tenant", "evil"),
    ],
)
def test_what_cannot_be_used_is_refused(owner_api: APIClient, field: str, value: Any) -> None:
    before = ApiToken.objects.count(), AuditEvent.objects.count()
    answer = owner_api.post(TOKENS, {"name": "n", "scopes": ["clients:read"], field: value})
    assert answer.status_code == 400
    assert str(answer.json()["errors"][0]["field"]).split(".")[0] == field
    assert (ApiToken.objects.count(), AuditEvent.objects.count()) == before


def test_a_name_is_taken_once(owner_api: APIClient) -> None:
    first = issued(owner_api)
    body = {"name": "shop", "scopes": ["jobs:read"]}
    assert code_of(owner_api.post(TOKENS, body)) == (409, "name_taken")
    other = issued(owner_api, name="other")
    assert code_of(owner_api.patch(one(other["id"]), {"name": "shop"})) == (409, "name_taken")
    assert owner_api.patch(one(first["id"]), {"name": "shop"}).status_code == 200


@pytest.mark.parametrize(
    ("own", "wanted", "expected"),
    [
        (["tokens:write", "clients:read"], ["clients:read"], 201),
        (["tokens:write", "clients:read"], ["clients:write"], 400),
        (["tokens:write", "clients:read"], ["*"], 400),
        (["tokens:write", "clients:read"], ["*:read"], 400),
        (["tokens:write", "*:read"], ["*:read"], 201),
        (["tokens:write", "*:read"], ["jobs:read"], 201),
        (["tokens:write", "*:read"], ["*"], 400),
        (["*"], ["*"], 201),
        (["*"], ["*:read", "clients:write"], 201),
    ],
)
def test_nobody_gives_a_scope_that_he_has_not(
    acme: Tenant, own: list[str], wanted: list[str], expected: int
) -> None:
    api = bearer(make_token(acme, scopes=own)[1])
    assert api.post(TOKENS, {"name": "n", "scopes": wanted}).status_code == expected


def test_a_token_tied_to_networks_issues_tokens_tied_to_them(acme: Tenant) -> None:
    own = ["127.0.0.0/8", "2001:db8::/32"]
    api = bearer(make_token(acme, allowed_cidrs=own)[1])
    for cidrs, expected in (
        (None, 400),
        ([], 400),
        (["0.0.0.0/0"], 400),
        (["127.0.0.0/8", "10.0.0.0/8"], 400),
        (["::/0"], 400),
        (["127.0.0.1/32", "2001:db8:1::/48"], 201),
    ):
        body: dict[str, Any] = {"name": str(cidrs), "scopes": ["jobs:read"]}
        body |= {} if cidrs is None else {"allowed_cidrs": cidrs}
        assert api.post(TOKENS, body).status_code == expected, cidrs


def test_a_token_that_expires_issues_none_that_outlives_it(acme: Tenant, alice: User) -> None:
    end = timezone.now() + timedelta(days=7)
    api = bearer(make_token(acme, expires_at=end)[1])
    lasting, _ = make_token(acme, scopes=["jobs:read"])
    body = {"name": "n", "scopes": ["jobs:read"]}
    assert code_of(api.post(TOKENS, body)) == (400, "beyond_own")
    after = {"expires_at": (end + timedelta(seconds=1)).isoformat()}
    assert code_of(api.post(TOKENS, body | after)) == (400, "beyond_own")
    made = issued(api, expires_at=(end - timedelta(days=1)).isoformat())
    for moment in (None, after["expires_at"]):
        answer = api.patch(one(made["id"]), {"expires_at": moment})
        assert code_of(answer) == (400, "beyond_own")
    assert api.patch(one(made["id"]), {"expires_at": end.isoformat()}).status_code == 200
    assert api.patch(one(lasting), {"expires_at": end.isoformat()}).status_code == 200


def test_nobody_prolongs_what_he_could_not_issue(acme: Tenant) -> None:
    strong, _ = make_token(acme, scopes=["*"], expires_at=timezone.now() + timedelta(days=1))
    api = bearer(make_token(acme, scopes=["tokens:write", "tokens:read"])[1])
    answer = api.patch(one(strong), {"expires_at": LATER.isoformat()})
    assert code_of(answer) == (400, "scope_wider")
    sooner = (timezone.now() + timedelta(hours=1)).isoformat()
    assert api.patch(one(strong), {"expires_at": sooner}).status_code == 200


def test_a_token_is_no_faster_than_a_tenant(alice_api: APIClient, settings: LazySettings) -> None:
    settings.VWG_TENANT_REQUESTS = 1000
    body = {"name": "n", "scopes": ["jobs:read"], "requests_per_minute": 1001}
    assert code_of(alice_api.post(TOKENS, body)) == (400, "out_of_range")
    assert alice_api.post(TOKENS, body | {"requests_per_minute": 1000}).status_code == 201


def test_a_slowed_token_issues_slowed_ones(acme: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(requests_per_minute=100)
    assert code_of(
        bearer(make_token(acme)[1]).post(
            TOKENS, {"name": "n", "scopes": ["jobs:read"], "requests_per_minute": 101}
        )
    ) == (400, "out_of_range")
    text = make_token(acme, requests_per_minute=10)[1]
    api = bearer(text)
    body = {"name": "n", "scopes": ["jobs:read"]}
    assert code_of(api.post(TOKENS, body | {"requests_per_minute": 11})) == (400, "out_of_range")
    assert issued(api)["requests_per_minute"] == 10


def test_scopes_are_made_fewer_and_never_more(owner_api: APIClient) -> None:
    made = issued(owner_api, scopes=["*:read", "clients:write"])
    url = one(made["id"])
    assert code_of(owner_api.patch(url, {"scopes": ["jobs:write"]})) == (400, "scope_unknown")
    assert code_of(owner_api.patch(url, {"scopes": ["plans:write"]})) == (400, "scope_wider")
    assert code_of(owner_api.patch(url, {"scopes": ["*"]})) == (400, "scope_wider")
    assert code_of(owner_api.patch(url, {"scopes": []})) == (400, "empty")
    narrowed = owner_api.patch(url, {"scopes": ["jobs:read", "clients:write"]})
    assert narrowed.json()["scopes"] == ["clients:write", "jobs:read"]
    assert code_of(owner_api.patch(url, {"scopes": ["plans:read"]})) == (400, "scope_wider")
    event = AuditEvent.objects.get(action="token.updated")
    assert event.before == {"scopes": ["*:read", "clients:write"]}
    for field, value in (("prefix", "x"), ("operator", True), ("allowed_cidrs", ["::/0"])):
        assert code_of(owner_api.patch(url, {field: value})) == (400, "read_only")


def test_what_was_read_can_be_sent_back(owner_api: APIClient) -> None:
    made = issued(owner_api, expires_at="2099-01-01T00:00:00Z")
    body = owner_api.get(one(made["id"])).json()
    answer = owner_api.patch(one(made["id"]), body)
    assert (answer.status_code, answer.json()) == (200, body)
    assert not AuditEvent.objects.filter(action="token.updated").exists()


def test_a_members_token_has_the_members_role(
    owner_api: APIClient, alice: User, viewer: User
) -> None:
    mine = issued(owner_api, name="mine", mine=True, scopes=["*"])
    assert mine["user"] == str(alice.uuid)
    his = issued(owner_api, name="his", user=str(viewer.uuid), scopes=["*"])
    me = bearer(his["token"]).get(ME).json()
    assert (me["role"], me["user"]["username"]) == ("viewer", "victor")
    assert "clients:write" not in me["scopes"]
    both = {"name": "n", "scopes": ["*"], "mine": True, "user": str(viewer.uuid)}
    assert code_of(owner_api.post(TOKENS, both)) == (400, "one_of")
    rows = owner_api.get(TOKENS, {"user": str(viewer.uuid)}).json()["results"]
    assert [row["name"] for row in rows] == ["his"]


def test_a_machine_has_no_person(alice_api: APIClient, mallory: User) -> None:
    body = {"name": "n", "scopes": ["jobs:read"]}
    assert code_of(alice_api.post(TOKENS, body | {"mine": True})) == (400, "nobody")
    foreign = alice_api.post(TOKENS, body | {"user": str(mallory.uuid)})
    nobody = alice_api.post(TOKENS, body | {"user": NOBODY})
    assert foreign.content == nobody.content
    assert code_of(foreign) == (400, "unknown_id")


# -- The sandbox ------------------------------------------------------------------------------


def test_a_sandbox_token_works_on_the_twin(
    owner_api: APIClient, acme: Tenant, alice: User, interface: Interface
) -> None:
    made = issued(owner_api, sandbox=True, scopes=["*"])
    assert made["sandbox"] is True
    api = bearer(made["token"])
    me = api.get(ME).json()
    assert (me["sandbox"], me["tenant"]["slug"]) == (True, "acme-sandbox")
    client = api.post("/api/v1/clients", {"name": "trial"})
    assert client.status_code == 201
    assert client.json()["devices"][0]["interface"] == "sandbox"
    assert owner_api.get(f"/api/v1/clients/{client.json()['id']}").status_code == 404
    again = issued(owner_api, name="second", sandbox=True)
    twin = Tenant.objects.get(sandbox_of=acme)
    assert ApiToken.objects.filter(tenant=twin).count() == 2
    events = AuditEvent.objects.filter(action="token.issued", target_id=again["id"])
    assert events.get().tenant_id == acme.pk  # where the owners look
    names = {row["name"] for row in owner_api.get(TOKENS, {"sandbox": "true"}).json()["results"]}
    assert names == {"shop", "second"}
    # From within, there is no way out.
    inner = issued(api, name="inner", scopes=["jobs:read"])
    assert AuditEvent.objects.get(target_id=inner["id"]).tenant_id == twin.pk
    assert inner["sandbox"] is True
    assert {row["sandbox"] for row in api.get(TOKENS).json()["results"]} == {True}
    assert owner_api.delete(one(made["id"])).status_code == 204
    assert api.get(ME).status_code == 401


def test_a_client_of_the_sandbox_is_shown_settled_from_the_first(
    owner_api: APIClient, interface: Interface
) -> None:
    api = bearer(issued(owner_api, sandbox=True, scopes=["*"])["token"])
    for prefer in ("", "wait=5"):
        answer = api.post("/api/v1/clients", {"name": "trial"}, headers={"Prefer": prefer})
        made = answer.json()
        assert made["job"]["status"] == "succeeded"
        assert (made["state"], made["devices"][0]["status"]) == ("active", "verified")
        assert api.get(f"/api/v1/clients/{made['id']}").json()["devices"] == made["devices"]
    off = api.post("/api/v1/clients", {"name": "off", "enabled": False}).json()
    assert (off["state"], [hold["reason"] for hold in off["holds"]]) == ("disabled", ["manual"])


def test_a_sandbox_says_that_it_issues_no_other_tokens(
    owner_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    api = bearer(issued(owner_api, sandbox=True, scopes=["*"])["token"])
    answer = api.post(TOKENS, {"name": "real", "scopes": ["jobs:read"], "sandbox": False})
    assert (code_of(answer), answer.json()["errors"][0]["field"]) == (
        (409, "is_sandbox"),
        "sandbox",
    )
    assert not ApiToken.objects.filter(name="real").exists()
    assert issued(owner_api, name="real", sandbox=False)["sandbox"] is False


def test_the_first_sandbox_token_is_two_acts_and_the_second_one(
    owner_api: APIClient, interface: Interface
) -> None:
    """The sandbox is made once in a tenant's life, and has an event of its own."""
    for name, expected in (
        ("first", ["tenant.sandbox_made", "token.issued"]),
        ("second", ["token.issued"]),
    ):
        last = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        issued(owner_api, name=name, sandbox=True)
        events = AuditEvent.objects.filter(pk__gt=last).order_by("pk")
        assert [event.action for event in events] == expected


def test_a_members_sandbox_token_dies_with_the_membership(
    owner_api: APIClient, viewer: User
) -> None:
    made = issued(owner_api, sandbox=True, user=str(viewer.uuid))
    api = bearer(made["token"])
    assert api.get(ME).json()["role"] == "viewer"
    viewer.memberships.all().delete()
    assert api.get(ME).status_code == 403


# -- Operators --------------------------------------------------------------------------------


def test_only_operators_issue_operators_tokens(
    operator: User, owner_api: APIClient, operator_api: APIClient
) -> None:
    body = {"name": "ops", "scopes": ["tenants:read"], "operator": True}
    assert code_of(owner_api.post(TOKENS, body)) == (403, "permission_denied")
    made = issued(session(operator), **body, mine=True)
    assert bearer(made["token"]).get("/api/v1/tenants").status_code == 200
    User.objects.filter(pk=operator.pk).update(operator="read-only")
    me = bearer(made["token"]).get(ME).json()
    assert me["operator"] == "read-only"
    sandbox = operator_api.post(TOKENS, body | {"name": "s", "sandbox": True})
    assert code_of(sandbox) == (400, "sandbox_operator")


def test_operators_tokens_are_hidden_from_a_tenant(
    operator_api: APIClient, acme: Tenant, owner_api: APIClient
) -> None:
    header = {"X-VWG-Tenant": "acme"}
    body = {"name": "ops", "scopes": ["*"], "operator": True}
    made = operator_api.post(TOKENS, body, headers=header).json()
    assert ApiToken.objects.get(uuid=made["id"]).tenant_id == acme.pk
    assert owner_api.get(one(made["id"])).status_code == 404
    assert owner_api.delete(one(made["id"])).status_code == 404
    assert "ops" not in owner_api.get(TOKENS).content.decode()
    assert operator_api.get(one(made["id"]), headers=header).status_code == 200


def test_tokens_by_role_and_tenant(
    acme: Tenant,
    manager_api: APIClient,
    viewer_api: APIClient,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    auditor_api: APIClient,
) -> None:
    token, _ = make_token(acme, name="target")
    header = {"X-VWG-Tenant": "acme"}
    for api, reads, writes in (
        (manager_api, 200, 403),
        (viewer_api, 200, 403),
        (mallory_api, 404, 404),
        (anonymous_api, 401, 401),
    ):
        assert api.get(one(token)).status_code == reads
        assert api.patch(one(token), {"name": "x"}).status_code == writes
        assert api.delete(one(token)).status_code == writes
        made = api.post(TOKENS, {"name": "n", "scopes": ["jobs:read"]}).status_code
        assert made == (201 if api is mallory_api else writes)
    assert auditor_api.get(one(token), headers=header).status_code == 200
    assert auditor_api.delete(one(token), headers=header).status_code == 403
    assert mallory_api.get(one(token)).content == mallory_api.get(one(NOBODY)).content
    names = {row["name"] for row in mallory_api.get(TOKENS).json()["results"]}
    assert names == {"mallory", "n"}
    assert viewer_api.get(TOKENS, {"digest": "x"}).status_code == 400
    assert viewer_api.get(TOKENS, {"ordering": "digest"}).status_code == 400
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_list_takes_the_same_queries_however_long(
    alice_api: APIClient, acme: Tenant, django_assert_num_queries: Any
) -> None:
    twin = make_tenant("twin", sandbox_of=acme)
    for number in range(5):
        make_token(acme, user=make_user(f"u{number}", tenant=acme))
        make_token(twin)
    alice_api.get(TOKENS)
    for limit in ("1", "11"):
        with django_assert_num_queries(2):
            alice_api.get(TOKENS, {"limit": limit})
