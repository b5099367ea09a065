"""The layering law, read from the source with `ast`. Every rule is shown to fail on a bad sample.

    vwg > portal > control > resellers > peers > (quotas | gateways)
        > rest > tenants > audit > vault > wireguard

Inside an app::

    api, views, pages, admin, management, tasks > forms > services
      > queries, sellable, outbox, drivers, hints, allocation, delivery
      > policies, periods, scoping, permissions > models
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"vwg"}),
    frozenset({"portal"}),
    frozenset({"control"}),
    frozenset({"resellers"}),
    frozenset({"peers"}),
    frozenset({"quotas", "gateways"}),
    frozenset({"rest"}),
    frozenset({"tenants"}),
    frozenset({"audit"}),
    frozenset({"vault"}),
    frozenset({"wireguard"}),
)
#: Packages beside the house: they may import it, it may not import them.
OUTSIDE = frozenset({"tests", "bench", "deploy", "docs", "clients", "examples"})
IGNORED = frozenset({"var", "static", "locale", "templates"})

ENTRANCES = frozenset(
    {
        "api",
        "views",
        "pages",
        "templatetags",
        "admin",
        "management",
        "tasks",
        "authentication",
        "middleware",
    }
)
STOREYS: tuple[frozenset[str], ...] = (
    ENTRANCES,
    frozenset({"forms"}),
    frozenset({"services", "tokens", "accounts"}),
    frozenset({"queries", "sellable", "outbox", "drivers", "hints", "allocation", "delivery"}),
    frozenset({"policies", "periods", "scoping", "permissions"}),
    frozenset({"models"}),
)
IMPURE = frozenset({"django", "rest_framework", "celery", "kombu", "redis", "environ"})
IMPURE_FOR_PLANS = frozenset({"os", "socket", "subprocess"})
PLANS = frozenset({"plan", "config", "types", "dump"})
NO_NOUNS = frozenset({"utils", "helpers", "common", "misc", "manager", "base"})


def floor_of(package: str) -> int | None:
    return next((level for level, names in enumerate(FLOORS) if package in names), None)


def storey_of(module: str) -> int | None:
    return next((level for level, names in enumerate(STOREYS) if module in names), None)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything imported (`from a import b` gives a.b)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def layer_faults(path: PurePosixPath, name: str) -> Iterator[str]:
    """What is wrong with this file's importing that name."""
    own, other = path.parts[0], name.split(".")[0]
    here, there = floor_of(own), floor_of(other)
    if here is None:
        return
    if other in OUTSIDE:
        yield f"imports {name}, which stands outside"
    if own != other and there is not None and there <= here:
        yield f"{own} imports {name}, which is not below it"
    if own == other and own != "vwg":
        yield from storey_faults(path, name)
    if own == "wireguard" and other in IMPURE:
        yield f"wireguard imports {other}"
    if own == "wireguard" and path.stem in PLANS and other in IMPURE_FOR_PLANS:
        yield f"wireguard.{path.stem} imports {other}"


def storey_faults(path: PurePosixPath, name: str) -> Iterator[str]:
    parts = name.split(".")
    if len(parts) < 2 or len(path.parts) < 2:
        return
    module, target = PurePosixPath(path.parts[1]).stem, parts[1]
    here, there = storey_of(module), storey_of(target)
    if there is None or module == target:
        return
    if here is None:
        if target in ENTRANCES:
            yield f"{module} imports the entrance {name}"
    elif there < here:
        yield f"{module} imports {name}, which stands above it"


def code_faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Relative and hidden imports, signals, overridden save(), locks that hold foreign keys up."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = {keyword.arg for keyword in node.keywords}
            if node.func.attr == "select_for_update" and "no_key" not in words:
                # PostgreSQL looks up the rows that a change names at its commit, and would wait.
                yield node.lineno, "a lock without no_key=True"
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, "relative import"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno, f"import inside the function {node.name}"
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name == "save":
                    yield inner.lineno, f"{node.name} overrides save()"
    for line, name in imports(tree):
        parts = name.split(".")
        if parts[0] == "django" and ("dispatch" in parts or "signals" in parts):
            yield line, f"signal: {name}"


def faults(path: str, source: str) -> list[str]:
    """Every broken rule of one file, as "path:line: what"."""
    place = PurePosixPath(path)
    tree = ast.parse(source)
    found = [(0, f"a module called {part}") for part in bad_nouns(place)]
    found += code_faults(tree)
    found += [(line, text) for line, name in imports(tree) for text in layer_faults(place, name)]
    return [f"{path}:{line}: {text}" for line, text in sorted(found)]


def bad_nouns(path: PurePosixPath) -> list[str]:
    return [part for part in (*path.parts[1:-1], path.stem) if part in NO_NOUNS]


def house_files() -> list[Path]:
    return sorted(
        path
        for names in FLOORS
        for package in names
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
    )


def top_packages() -> set[str]:
    """Directories of the project that hold Python files."""
    return {
        folder.name
        for folder in ROOT.iterdir()
        if folder.is_dir()
        and not folder.name.startswith((".", "__"))
        and folder.name not in IGNORED
        and next(folder.rglob("*.py"), None) is not None
    }


def test_no_file_breaks_the_law() -> None:
    files = house_files()
    assert len(files) > 50
    found = [
        fault
        for path in files
        for fault in faults(path.relative_to(ROOT).as_posix(), path.read_text())
    ]
    assert found == []


def unplaced(packages: set[str]) -> set[str]:
    return packages - {name for names in FLOORS for name in names} - OUTSIDE


def test_every_top_level_package_has_its_floor() -> None:
    assert unplaced(top_packages()) == set()


def test_a_new_top_level_package_fails_until_it_is_placed() -> None:
    assert unplaced(top_packages() | {"notifications"}) == {"notifications"}


@pytest.mark.parametrize(
    ("path", "source", "fault"),
    [
        ("gateways/queries.py", "from peers.models import Peer", "not below"),
        ("quotas/services.py", "import gateways.models", "not below"),
        ("gateways/outbox.py", "from quotas import policies", "not below"),
        ("rest/prefer.py", "from gateways.models import Job", "not below"),
        ("tenants/tokens.py", "from rest.errors import Invalid", "not below"),
        ("audit/models.py", "from tenants.models import Tenant", "not below"),
        ("vault/rings.py", "from audit.events import record", "not below"),
        ("wireguard/keys.py", "from vault.ring import Ring", "not below"),
        ("peers/services/clients.py", "from control.apply import apply", "not below"),
        ("control/tasks.py", "from vwg.celery import app", "not below"),
        # A foreign key to a higher app needs the class, and so an import: only strings are left.
        ("quotas/models.py", "from peers.models import Client\nx = FK(Client)", "not below"),
        ("peers/queries.py", "from tests.make import make_peer", "outside"),
        ("peers/models.py", "from peers.queries import peer_of", "above"),
        ("peers/policies.py", "from peers.allocation import claim", "above"),
        ("peers/queries.py", "from peers.services.clients import create_client", "above"),
        ("peers/services/clients.py", "from peers.forms import ClientForm", "above"),
        ("peers/forms.py", "from peers.api.views import ClientList", "above"),
        ("peers/values.py", "from peers.api.serializers import ClientOut", "entrance"),
        ("wireguard/config.py", "from django.conf import settings", "wireguard imports django"),
        ("wireguard/runner.py", "import celery", "wireguard imports celery"),
        ("wireguard/lock.py", "import redis.client", "wireguard imports redis"),
        ("wireguard/plan.py", "import os", "plan imports os"),
        ("wireguard/dump.py", "import subprocess", "dump imports subprocess"),
        ("wireguard/types.py", "from socket import socket", "types imports socket"),
        ("peers/views.py", "from . import models", "relative import"),
        ("peers/views.py", "def f():\n    import json", "inside the function f"),
        ("peers/views.py", "async def f():\n    from json import loads", "inside the function f"),
        ("peers/apps.py", "from django.dispatch import receiver", "signal"),
        ("peers/apps.py", "from django.db.models.signals import post_save", "signal"),
        ("peers/apps.py", "from django.db.models import signals", "signal"),
        ("peers/models.py", "class A:\n    def save(self): ...", "overrides save"),
        ("peers/queries.py", "x = Peer.objects.select_for_update()", "without no_key"),
        ("peers/utils.py", "", "called utils"),
        ("peers/helpers/keys.py", "", "called helpers"),
        ("rest/base.py", "", "called base"),
    ],
)
def test_a_bad_sample_is_caught(path: str, source: str, fault: str) -> None:
    found = faults(path, source)
    assert len(found) == 1, found
    assert fault in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("vwg/urls.py", "from portal.urls import urlpatterns"),
        ("status/apply.py", "from peers.models import Peer\nfrom wireguard.plan import Plan"),
        ("gateways/sealing.py", "from vault.rings import gateway_ring"),
        ("peers/api/views.py", "from peers.services.clients import create_client"),
        ("peers/admin.py", "from peers.api.serializers import ClientOut"),
        ("peers/services/clients.py", "from peers.services.changes import enqueue"),
        ("wireguard/runner.py", "import os, subprocess"),
        ("quotas/models.py", 'x = models.ForeignKey("peers.Client")'),
    ],
)
def test_a_good_sample_passes(path: str, source: str) -> None:
    assert faults(path, source) == []
