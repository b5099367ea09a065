"""Roles, operator levels and the declarations of views."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from tenants.authentication import TokenUser
from tenants.models import Tenant, User
from tenants.permissions import (
    ANYBODY,
    OPERATOR_SCOPES,
    ROLE_SCOPES,
    SCOPES,
    covers,
    needed_scope,
    spelled_out,
)
from tenants.tokens import issue
from tests.make import make_user

ROOT = Path(__file__).resolve().parents[3]
WRITES = ("POST", "PUT", "PATCH", "DELETE")
#: Described for everybody.
PUBLIC = {"schema", "docs"}


class Things(APIView):
    scopes = {"GET": "clients:read", "POST": "clients:write"}

    def get(self, request: Request) -> Response:
        return Response("read")

    def post(self, request: Request) -> Response:
        return Response("written")


class OperatorThings(Things):
    operator_only = True


class Undeclared(Things):
    scopes = {}


class PartlyDeclared(Things):
    scopes = {"GET": "clients:read"}


def status(view: type[APIView], user: User, method: str = "get") -> int:
    request = getattr(APIRequestFactory(), method)("/")
    force_authenticate(request, user)
    return int(view.as_view()(request).status_code)


def refusal(view: type[APIView], user: User | TokenUser, token: Any = None) -> Any:
    request = APIRequestFactory().post("/")
    force_authenticate(request, user, token)
    return view.as_view()(request)


@pytest.fixture
def manager(acme: Tenant) -> User:
    return make_user("manfred", tenant=acme, role="manager")


def test_owners_and_managers_read_and_write(alice: User, manager: User) -> None:
    for user in (alice, manager):
        assert [status(Things, user, method) for method in ("get", "post")] == [200, 200]


def test_a_viewer_only_reads(viewer: User) -> None:
    assert [status(Things, viewer, method) for method in ("get", "post")] == [200, 403]


def test_roles_and_levels_are_a_table() -> None:
    assert {role: spelled_out(scopes) for role, scopes in ROLE_SCOPES.items()} == {
        "owner": set(SCOPES),
        "manager": set(SCOPES) - {"tokens:write", "members:write", "tenants:write"},
        "viewer": {name for name in SCOPES if name.endswith(":read")} - {"configs:read"},
    }
    assert spelled_out(OPERATOR_SCOPES["full"]) == set(SCOPES)
    assert spelled_out(OPERATOR_SCOPES["read-only"]) == spelled_out(ROLE_SCOPES["viewer"])


@pytest.mark.parametrize(
    ("scope", "role", "expected"),
    [
        ("configs:read", "viewer", 403),  # a file holds a private key
        ("audit:read", "viewer", 200),
        ("configs:read", "manager", 200),
        ("tokens:write", "manager", 403),
        ("members:write", "manager", 403),
        ("tenants:write", "manager", 403),
        ("tokens:write", "owner", 200),
    ],
)
def test_a_role_opens_what_its_row_says(acme: Tenant, scope: str, role: str, expected: int) -> None:
    class Needing(Things):
        scopes = {"GET": scope}

    assert status(Needing, make_user("someone", tenant=acme, role=role)) == expected


def test_an_operator_who_may_look_only_reads(auditor: User) -> None:
    assert [status(Things, auditor, method) for method in ("get", "post")] == [200, 403]


def test_a_refusal_names_the_scope_that_would_do(acme: Tenant, viewer: User) -> None:
    token, _ = issue(tenant=acme, name="reads", scopes=["clients:read"])
    answer = refusal(Things, TokenUser(token), token)
    assert answer.status_code == 403
    assert answer.data["detail"] == "This needs a token with the scope clients:write."
    assert answer["WWW-Authenticate"] == (
        'Bearer realm="vwg", error="insufficient_scope", scope="clients:write"'
    )
    everything, _ = issue(tenant=acme, name="all", scopes=["*"], user=viewer)
    for answer in (refusal(Things, viewer, everything), refusal(Things, viewer)):
        assert answer.data["detail"] == (
            "This needs the scope clients:write, which your role does not have."
        )


def test_a_refusal_to_all_but_operators_says_so(acme: Tenant, alice: User, auditor: User) -> None:
    assert refusal(OperatorThings, alice).data["detail"] == "Only operators may do this."
    assert refusal(Things, auditor).data["detail"] == "You may look, and change nothing."


def test_operator_views_are_for_operators(alice: User, operator: User, auditor: User) -> None:
    assert status(OperatorThings, alice) == 403
    assert [status(OperatorThings, user) for user in (operator, auditor)] == [200, 200]
    assert status(OperatorThings, auditor, "post") == 403


def test_a_view_that_declares_nothing_is_refused_to_everybody(alice: User, operator: User) -> None:
    assert [status(Undeclared, user) for user in (alice, operator)] == [403, 403]


def test_a_method_that_is_not_declared_is_refused(alice: User) -> None:
    assert [status(PartlyDeclared, alice, method) for method in ("get", "post")] == [200, 403]


def test_a_method_that_does_not_exist_is_a_405(alice: User) -> None:
    assert status(Things, alice, "delete") == 405


def test_an_override_header_changes_nothing(alice: User) -> None:
    request = APIRequestFactory().post("/", HTTP_X_HTTP_METHOD_OVERRIDE="DELETE")
    force_authenticate(request, alice)
    assert Things.as_view()(request).data == "written"


def routes(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns)
        else:
            yield pattern


#: What changes nothing, but takes a body too long for a query.
ASKED_BY_POST = {"clients/configs"}


def api_views() -> list[tuple[str, type[APIView], list[str]]]:
    """Name, class and methods of every REST view of the project."""
    found = []
    for route in routes(get_resolver().url_patterns):
        view = getattr(route.callback, "cls", getattr(route.callback, "view_class", None))
        if view is None or not issubclass(view, APIView) or route.name in PUBLIC:
            continue
        actions = getattr(route.callback, "actions", None)
        methods = actions or [name for name in view.http_method_names if hasattr(view, name)]
        found.append((str(route.pattern), view, [name.upper() for name in methods]))
    return found


def test_every_route_of_the_api_declares_a_known_scope_for_each_method() -> None:
    views = api_views()
    assert len(views) >= 3
    for path, view, methods in views:
        for method in methods:
            scope = needed_scope(view, method)
            assert method == "OPTIONS" or scope in {*SCOPES, ANYBODY}, (
                f"{method} {path} declares {scope}"
            )
            if method in WRITES and scope is not None and path not in ASKED_BY_POST:
                assert scope.endswith(":write"), f"{method} {path} needs only {scope}"


def test_the_page_for_resellers_lists_every_scope_as_it_is() -> None:
    used = {needed_scope(view, method) for _, view, methods in api_views() for method in methods}
    rows = {
        scope: (
            SCOPES[scope],
            ", ".join(str(r) for r, s in ROLE_SCOPES.items() if covers(s, scope)),
        )
        for scope in SCOPES
    }
    to_come = " (for what comes: nothing needs it yet)"
    page = (ROOT / "docs" / "api.md").read_text()
    listed = re.findall(r"^\| `([a-z]+:[a-z*]+)` \| (.+?) \| (.+?) \|$", page, re.MULTILINE)

    assert [scope for scope, _, _ in listed] == list(SCOPES)
    assert {scope: (text.removesuffix(to_come), roles) for scope, text, roles in listed} == rows
    assert {scope for scope, text, _ in listed if text.endswith(to_come)} == set(SCOPES) - used


def test_no_route_of_the_api_opens_its_own_door() -> None:
    for path, view, _ in api_views():
        names = {permission.__name__ for permission in view.permission_classes}  # type: ignore[union-attr]
        assert "Scoped" in names, path
