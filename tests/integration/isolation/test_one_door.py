"""Views reach tenants' rows through the doors alone: `visible(…)`, `visible_*` and `find_*`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from tenants import row_policies

ROOT = Path(__file__).resolve().parents[3]
#: File and function that may ask by themselves, and why it is right. Read by people.
ALLOWED = {
    ("resellers/api/standing.py", "_found"): "operators alone, and they name any tenant",
    ("peers/api/lookups.py", "find_other_tenant"): "operators alone, and they name any tenant",
    ("resellers/api/branding.py", "get"): "the acting tenant's own row, by its key",
    ("gateways/api/views.py", "__call__"): "a condition on jobs that a door showed",
    ("peers/api/devices.py", "page"): "more columns of devices that a door showed",
    ("peers/api/devices.py", "_view"): "more columns of a device that a door showed",
}
#: Where the second wall may be opened, each for the purpose that the module is about.
OPENERS = {
    "reach": {
        "portal/doors.py",  # operators' pages
        "portal/account/addresses.py",  # whose address has changed
        "portal/account/adapters.py",  # whose password or factor has changed
        "vwg/admin.py",  # operators' site
        "tenants/scoping.py",  # who asks
        "tenants/authentication.py",  # a token's prefix
        "tenants/row_security.py",
        "peers/sharing.py",  # a share link's secret
        "peers/customers.py",  # a customer's own clients
    },
    "door": {
        "peers/allocation.py",  # addresses that others hold
        "peers/networks.py",  # networks that others hold
        "peers/sellable.py",  # whether an interface has addresses left
        "peers/services/bulk/creates.py",  # as allocation
    },
}


def bound_models() -> set[str]:
    """Names of the models whose rows belong to tenants."""
    walled = row_policies.walls().keys() - row_policies.OPERATORS.keys()
    return {model.__name__ for model in apps.get_models() if model._meta.db_table in walled}


def asks_around(source: str, models: set[str]) -> Iterator[tuple[str, str]]:
    """Function and model of each query of a tenant's model that goes through no door."""
    tree = ast.parse(source)
    inside = {
        id(inner)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _name(call.func) == "visible"
        for argument in call.args[:1]
        for inner in ast.walk(argument)
    }
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if _is_query(node, models) and id(node) not in inside:
                yield function.name, _name(node.value)  # type: ignore[attr-defined]


def _is_query(node: ast.AST, models: set[str]) -> bool:
    managers = ("objects", "_default_manager", "_base_manager")
    return isinstance(node, ast.Attribute) and node.attr in managers and _name(node.value) in models


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def view_files() -> list[Path]:
    return sorted(
        path
        for path in ROOT.glob("*/api/**/*.py")
        if path.relative_to(ROOT).parts[0] not in ("tests", ".venv")
    )


def test_views_ask_through_the_doors() -> None:
    models, files = bound_models(), view_files()
    assert len(files) > 20
    assert {"Client", "Peer", "Plan", "Job", "ApiToken", "Membership", "Tenant"} <= models
    around = {
        (path.relative_to(ROOT).as_posix(), function)
        for path in files
        for function, _ in asks_around(path.read_text(), models)
    }
    assert around == ALLOWED.keys()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f():\n    return Plan.objects.get(uuid=1)", [("f", "Plan")]),
        ("def f():\n    return models.Plan.objects.all()", [("f", "Plan")]),
        ("def f():\n    return visible(Plan.objects.filter(a=1), caller)", []),
        ("def f():\n    return visible(rows, Plan.objects.get())", [("f", "Plan")]),
        ("def f():\n    return Gateway.objects.all()", []),
    ],
)
def test_a_query_around_the_door_is_seen(source: str, found: list[tuple[str, str]]) -> None:
    assert list(asks_around(source, {"Plan"})) == found


@pytest.mark.parametrize("opener", sorted(OPENERS))
def test_the_second_wall_is_opened_where_people_agreed(opener: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in ("tests", "bench", ".venv", "var")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and _name(node.func) == opener
    }
    assert users == OPENERS[opener]
