"""create_tenant and create_token, as scripts use them."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from tenants.models import ApiToken, Tenant
from tests.conftest import bearer


def run(*arguments: str) -> str:
    """Run a command; return the last line it printed."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().splitlines()[-1]


def token(*arguments: str) -> str:
    return run("create_token", "--tenant", "default", "--name", "t", "--scopes", "*", *arguments)


def test_a_tenant_is_made_with_a_slug_from_its_name(db: None) -> None:
    assert run("create_tenant", "--name", "Blue Sky VPN") == "blue-sky-vpn"
    assert Tenant.objects.get(slug="blue-sky-vpn").name == "Blue Sky VPN"
    assert AuditEvent.objects.get(action="tenant.created").actor_kind == "system"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--name", "Default"), "already exists"),
        (("--name", "x", "--slug", "Bad Slug"), "slug"),
        (("--name", "سارا"), "--slug"),
        (("--name", "n" * 121), "name"),
    ],
)
def test_a_tenant_that_cannot_be_is_refused(db: None, arguments: Any, text: str) -> None:
    before = Tenant.objects.count()
    with pytest.raises(CommandError, match=text):
        run("create_tenant", *arguments)
    assert Tenant.objects.count() == before


def test_the_last_line_is_a_token_that_works(db: None) -> None:
    assert bearer(token()).get("/api/v1/jobs").status_code == 200


def test_a_tenant_is_found_by_its_name_too(db: None) -> None:
    run("create_tenant", "--name", "Blue Sky")
    text = run("create_token", "--tenant", "Blue Sky", "--name", "t", "--scopes", "jobs:read")
    assert ApiToken.objects.get(prefix=text.split("_")[1]).tenant.slug == "blue-sky"


def test_a_name_in_use_is_refused_unless_it_is_replaced(db: None) -> None:
    first = token()
    with pytest.raises(CommandError, match="--replace"):
        token()
    second = token("--replace")
    assert bearer(first).get("/api/v1/jobs").status_code == 401
    assert bearer(second).get("/api/v1/jobs").status_code == 200


def test_a_replacement_that_fails_leaves_the_old_token_alive(db: None) -> None:
    first = token()
    with pytest.raises(CommandError):
        token("--replace", "--cidrs", "nonsense")
    assert bearer(first).get("/api/v1/jobs").status_code == 200


def test_an_operator_token_acts_for_other_tenants(db: None) -> None:
    run("create_tenant", "--name", "acme")
    api = bearer(token("--operator"))
    assert api.get("/api/v1/jobs", headers={"X-VWG-Tenant": "acme"}).status_code == 200


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("--tenant", "nobody", "No tenant"),
        ("--scopes", "clients:fly", "clients:fly"),
        ("--scopes", "", "none given"),
        ("--expires-days", "0", "expires-days"),
        ("--expires-days", "99999999", "expires-days"),
        ("--name", " ", "name"),
        ("--cidrs", "10.0.0.1/8", "network"),
    ],
)
def test_a_token_that_cannot_be_is_refused(db: None, option: str, value: str, text: str) -> None:
    options = {"--tenant": "default", "--name": "t", "--scopes": "*"} | {option: value}
    with pytest.raises(CommandError, match=text):
        run("create_token", *(part for pair in options.items() for part in pair))
    assert not ApiToken.objects.exists()


def test_a_sandbox_token_works_on_the_twin(db: None) -> None:
    me = bearer(token("--sandbox")).get("/api/v1/me").json()
    assert (me["tenant"]["slug"], me["sandbox"]) == ("default-sandbox", True)
    with pytest.raises(CommandError):
        token("--sandbox", "--operator", "--replace")


def test_a_token_is_limited(db: None) -> None:
    token("--expires", "2099-01-31T12:00:00Z", "--cidr", "127.0.0.0/8", "--cidr", "::1/128")
    row = ApiToken.objects.get()
    assert str(row.expires_at) == "2099-01-31 12:00:00+00:00"
    assert row.allowed_cidrs == ["127.0.0.0/8", "::1/128"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--expires", "2020-01-01T00:00:00Z"),
        ("--expires", "2099-01-01"),
        ("--expires", "2099-13-01T00:00:00Z"),
        ("--expires", "2099-01-01T00:00:00Z", "--expires-days", "5"),
        ("--cidr", "10.0.0.1/8"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(db: None, arguments: Any) -> None:
    with pytest.raises(CommandError):
        token(*arguments)
    assert not ApiToken.objects.exists()
