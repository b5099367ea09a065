"""Who is let in with which token, and how a request finds its tenant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from audit.models import AuditEvent
from gateways.models import Interface
from tenants.models import ApiToken, Membership, Tenant, User
from tenants.scoping import caller_of
from tenants.tokens import TokenNameTaken, TokenRefused, digest_of, issue, revoke
from tests.conftest import bearer
from tests.make import make_job, make_tenant, make_token, make_user

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
JOBS = "/api/v1/jobs"


def test_a_token_has_its_documented_form_and_only_its_digest_is_stored(acme: Tenant) -> None:
    token, text = issue(tenant=acme, name="n", scopes=["*"])
    start, prefix, secret = text.split("_", 2)
    assert (start, len(prefix), len(secret)) == ("vwg", 12, 43)
    row = ApiToken.objects.values().get()
    assert row["prefix"] == prefix
    assert row["digest"] == digest_of(text)
    assert secret not in str(row)
    assert secret not in str(AuditEvent.objects.values().get(action="token.issued"))
    assert secret not in repr(token)


def test_a_name_is_taken_until_its_token_is_revoked(acme: Tenant) -> None:
    token, _ = make_token(acme, name="n")
    with pytest.raises(TokenNameTaken):
        issue(tenant=acme, name="n", scopes=["*"])
    revoke(token=token, at=NOW)
    assert issue(tenant=acme, name="n", scopes=["*"])[0].pk != token.pk


@pytest.mark.parametrize("cidr", ["10.0.0.1/8", "x", ""])
def test_a_bad_network_is_refused(acme: Tenant, cidr: str) -> None:
    with pytest.raises(TokenRefused):
        issue(tenant=acme, name="n", scopes=["*"], allowed_cidrs=[cidr])


def test_revoking_twice_is_recorded_once(acme: Tenant) -> None:
    token, _ = make_token(acme)
    revoke(token=token, at=NOW)
    revoke(token=token, at=NOW + timedelta(days=1))
    token.refresh_from_db()
    assert token.revoked_at == NOW
    assert AuditEvent.objects.filter(action="token.revoked").count() == 1


def refused(api: APIClient, **headers: str) -> None:
    """The request is a 401 with a challenge, whatever the reason."""
    answer = api.get(JOBS, headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="vwg"'
    assert answer["Content-Type"] == "application/problem+json"


def test_nobody_is_let_in(anonymous_api: APIClient, db: None) -> None:
    refused(anonymous_api)


@pytest.mark.parametrize(
    "form",
    [
        "",
        "Bearer",
        "Bearer ",
        "{text}",
        "Basic {text}",
        "Bearer  {text}",
        "Bearer {text} ",
        "Bearer {text}x",
        "Bearer {cut}",
        "Bearer {text}, Bearer {text}",
        "Bearer {other}",
        "Bearer " + "a" * 100_000,
        "Bearer vwg_é",
        "Bearer vwg_aaaaaaaaaaaa_" + "a" * 43,
    ],
)
def test_anything_but_one_good_token_is_refused(
    anonymous_api: APIClient, alice_token: str, form: str
) -> None:
    last = "A" if alice_token[-1] != "A" else "B"
    header = form.format(text=alice_token, cut=alice_token[:-1], other=alice_token[:-1] + last)
    refused(anonymous_api, Authorization=header)


@pytest.mark.parametrize("name", ["token", "access_token", "api_key"])
def test_a_token_in_the_url_is_refused(
    anonymous_api: APIClient, alice_api: APIClient, alice_token: str, name: str
) -> None:
    for api in (anonymous_api, alice_api):
        assert api.get(JOBS, {name: alice_token}).status_code == 401


def test_a_good_token_is_let_in(alice_api: APIClient) -> None:
    assert alice_api.get(JOBS).status_code == 200


def test_a_revoked_token_is_refused(alice_api: APIClient) -> None:
    revoke(token=ApiToken.objects.get(), at=NOW)
    refused(alice_api)


def test_a_token_ends_at_its_second(acme: Tenant) -> None:
    api = bearer(make_token(acme, expires_at=NOW)[1])
    with time_machine.travel(NOW - timedelta(seconds=1), tick=False):
        assert api.get(JOBS).status_code == 200
    with time_machine.travel(NOW, tick=False):
        refused(api)


def test_a_token_of_an_inactive_user_is_refused(alice: User, acme: Tenant) -> None:
    api = bearer(make_token(acme, user=alice)[1])
    assert api.get(JOBS).status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    refused(api)


def test_a_token_of_a_user_who_left_the_tenant_is_forbidden(alice: User, acme: Tenant) -> None:
    api = bearer(make_token(acme, user=alice)[1])
    alice.memberships.all().delete()
    assert api.get(JOBS).status_code == 403


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_token_of_a_suspended_tenant_is_forbidden(alice_api: APIClient, status: str) -> None:
    Tenant.objects.filter(slug="acme").update(status=status)
    answer = alice_api.get(JOBS)
    assert answer.status_code == 403
    assert answer.json()["type"] == f"/problems/tenant-{status}"


@pytest.mark.parametrize(
    ("cidr", "status"),
    [("127.0.0.0/8", 200), ("10.0.0.0/8", 401), ("::1/128", 401), ("0.0.0.0/0", 200)],
)
def test_a_token_is_tied_to_its_networks(acme: Tenant, cidr: str, status: int) -> None:
    api = bearer(make_token(acme, allowed_cidrs=[cidr])[1])
    assert api.get(JOBS).status_code == status


def test_a_forwarded_address_counts_only_behind_a_proxy(
    acme: Tenant, settings: LazySettings
) -> None:
    api = bearer(make_token(acme, allowed_cidrs=["10.0.0.0/8"])[1])
    headers = {"X-Forwarded-For": "10.9.9.9"}
    refused(api, **headers)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert api.get(JOBS, headers=headers).status_code == 200
    # A caller may write what it likes before the entry that our proxy appends.
    refused(api, **{"X-Forwarded-For": "10.9.9.9, 203.0.113.7"})


def test_a_use_is_noted_at_most_once_a_minute(alice_api: APIClient) -> None:
    for seconds, noted in ((0, 0), (59, 0), (60, 60), (119, 60)):
        with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
            alice_api.get(JOBS)
        used = ApiToken.objects.get().last_used_at
        assert used == NOW + timedelta(seconds=noted)
    assert ApiToken.objects.get().last_used_ip == "127.0.0.1"


def test_authentication_costs_one_query(
    acme: Tenant, alice: User, django_assert_num_queries: Any
) -> None:
    machine, member = make_token(acme), make_token(acme, user=alice)
    for _, text in (machine, member):
        api = bearer(text)
        api.get(JOBS)
        with django_assert_num_queries(2):  # the token with its tenant and owner; the jobs
            assert api.get(JOBS).status_code == 200


def test_what_a_request_asks_of_its_tenant_came_with_the_token(
    acme: Tenant, alice: User, django_assert_num_queries: Any
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_clients=7, limits_pools=True)
    twin = make_tenant("acme-sandbox", sandbox_of=acme)
    for tenant, is_sandbox in ((acme, False), (twin, True)):
        _, text = make_token(tenant, user=alice)
        request = APIRequestFactory().get("/", headers={"Authorization": f"Bearer {text}"})
        view = APIView().initialize_request(request)
        assert view.user.is_authenticated
        with django_assert_num_queries(0):
            caller = caller_of(view)
            found = caller.tenant
            assert (caller.role, caller.user and caller.user.username) == ("owner", "alice")
            assert found.is_sandbox is is_sandbox
            assert found.limits_pools is not is_sandbox
            assert (found.limits_interfaces, found.timezone) == (False, "UTC")
            assert found.max_clients == (None if is_sandbox else 7)


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_sandbox_is_refused_with_its_tenant(acme: Tenant, alice: User, status: str) -> None:
    api = bearer(make_token(make_tenant("twin", sandbox_of=acme))[1])
    assert api.get(JOBS).status_code == 200
    Tenant.objects.filter(pk=acme.pk).update(status=status)
    assert api.get(JOBS).json()["type"] == f"/problems/tenant-{status}"
    by_name = session(alice).get(JOBS, headers={"X-VWG-Tenant": "twin"})
    assert by_name.json()["type"] == f"/problems/tenant-{status}"


# -- Scopes and roles -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(["*"], 200), (["jobs:read"], 200), (["*:read"], 200), (["clients:write"], 403), ([], 403)],
)
def test_a_token_does_what_its_scopes_say(acme: Tenant, scopes: list[str], status: int) -> None:
    assert bearer(make_token(acme, scopes=scopes)[1]).get(JOBS).status_code == status


def session(user: User) -> APIClient:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    client.default_format = "json"
    return client


def test_a_member_may_look_with_a_session(alice: User, viewer: User) -> None:
    assert session(alice).get(JOBS).status_code == 200
    assert session(viewer).get(JOBS).status_code == 200


def test_a_session_write_without_the_csrf_token_is_forbidden(alice: User) -> None:
    answer = session(alice).post(JOBS, {})
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_a_person_without_a_tenant_is_forbidden(db: None) -> None:
    assert session(make_user("nobody")).get(JOBS).status_code == 403


def test_a_member_of_a_suspended_tenant_is_forbidden(alice: User) -> None:
    Tenant.objects.update(status="suspended")
    assert session(alice).get(JOBS).status_code == 403


def test_only_an_operator_may_name_a_tenant(
    alice_api: APIClient, mallory: User, operator: User, acme: Tenant, evil: Tenant
) -> None:
    header = {"X-VWG-Tenant": "evil"}
    assert alice_api.get(JOBS, headers=header).status_code == 403
    assert session(mallory).get(JOBS, headers={"X-VWG-Tenant": "acme"}).status_code == 403
    assert session(operator).get(JOBS, headers=header).status_code == 200
    assert session(operator).get(JOBS, headers={"X-VWG-Tenant": "none"}).status_code == 400


def me(api: APIClient, **headers: str) -> tuple[int, str]:
    """The status, and the tenant for which the caller acts (the one with that many jobs)."""
    answer = api.get(JOBS, headers=headers)
    body = answer.json()
    return answer.status_code, str(len(body["results"])) if "results" in body else body["type"]


def test_a_member_of_several_tenants_names_one_of_them(
    alice: User, acme: Tenant, evil: Tenant
) -> None:
    third = make_tenant("third")
    Membership.objects.create(user=alice, tenant=third, role="viewer")
    make_job(third)
    api = session(alice)
    assert me(api) == (200, "0")  # the first
    assert me(api, **{"X-VWG-Tenant": "acme"}) == (200, "0")
    assert me(api, **{"X-VWG-Tenant": "third"}) == (200, "1")
    foreign = api.get(JOBS, headers={"X-VWG-Tenant": "evil"})
    nobodys = api.get(JOBS, headers={"X-VWG-Tenant": "nobodys"})
    assert foreign.status_code == 403
    assert foreign.content == nobodys.content
    Tenant.objects.filter(pk=acme.pk).update(status="suspended")
    assert me(api) == (200, "1")  # the first that works
    assert me(api, **{"X-VWG-Tenant": "acme"}) == (403, "/problems/tenant-suspended")


def test_a_token_acts_for_its_own_tenant_alone(alice: User, acme: Tenant) -> None:
    Membership.objects.create(user=alice, tenant=make_tenant("third"), role="owner")
    api = bearer(make_token(acme, user=alice)[1])
    assert me(api, **{"X-VWG-Tenant": "acme"}) == (200, "0")
    assert me(api, **{"X-VWG-Tenant": "third"})[0] == 403


def test_what_an_operator_does_for_a_tenant_says_so(
    operator_api: APIClient, alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    for api, by_operator in ((operator_api, True), (alice_api, False)):
        answer = api.post("/api/v1/clients", {"name": "x"}, headers={"X-VWG-Tenant": "acme"})
        assert answer.status_code == 201
        event = AuditEvent.objects.filter(action="client.created").latest("id")
        assert (event.tenant_id, event.by_operator) == (acme.pk, by_operator)


def test_an_operator_token_whose_person_is_no_operator_any_more_sees_one_tenant(
    operator: User, evil: Tenant
) -> None:
    default = Tenant.objects.get(slug="default")
    make_job(evil)
    api = bearer(make_token(default, user=operator, operator=True)[1])
    assert len(api.get(JOBS).json()["results"]) == 1
    User.objects.filter(pk=operator.pk).update(operator="")
    assert api.get(JOBS).status_code == 403  # and not a member of the default tenant either
