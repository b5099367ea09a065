"""What every test may ask for: two tenants that must not see each other, an operator, API clients.

Alice owns "acme", Mallory owns "evil"; every endpoint is also tried as Mallory.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from psycopg.pq import TransactionStatus
from rest_framework.test import APIClient

from gateways.hints import publisher
from gateways.models import Interface
from peers.models import Client, Peer
from tenants import row_security, throttling
from tenants.models import Tenant, User
from tenants.row_installation import install
from tests.make import make_client, make_interface, make_peer, make_tenant, make_token, make_user
from tests.stack.databases import copy_sqlite, shared_sqlite

#: Keys, tokens and ids that are made anew in every run.
_RANDOM = re.compile(r"[A-Za-z0-9+/]{20,}|[0-9a-f]{8}-[0-9a-f]{4}-")
_NEEDS_NETWORK = ("wg", "stack", "browser", "proof")
#: What has real things around it, and the folders where deploy/test.sh looks for it.
_REAL = ("wg", "stack", "browser", "alone")
_REAL_FOLDERS = ("faults", "stack", "live", "browser")
#: For tests of real WireGuard without a stack; tests of two worlds.
_WIREGUARD_FOLDERS, _MIXED_FOLDERS = ("contract", "live"), ("contract", "faults")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    """A test with real transactions empties all tables behind it, the rows that migrations made
    (the default tenant, the global settings) too: each such test gets them back first.

    Nor is there a test in a place where `make test` does not look for its kind.
    """
    lost = [item.nodeid for item in items if not _is_in_a_part(item)]
    if lost:
        raise pytest.UsageError(f"in no part of deploy/test.sh: {', '.join(lost)}")
    for item in items:
        marker = item.get_closest_marker("django_db")
        options = dict(marker.kwargs) if marker else {}
        if options.get("transaction") or "transactional_db" in getattr(item, "fixturenames", []):
            options |= {"transaction": True, "serialized_rollback": True}
            item.add_marker(pytest.mark.django_db(**options), append=False)
    yield
    if not config.getoption("loadscopereorder", True):  # deploy/test.sh, where files are shared out
        items[:] = list(_in_turn(items))


def _in_turn(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """A file that waits and one that keeps a browser busy in turn; the long ones first.

    Files of few tests are the long ones where whole stacks are started and waited for.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    pages = [one for one in files.values() if one[0].get_closest_marker("browser")]
    stacks = [one for one in files.values() if not one[0].get_closest_marker("browser")]
    pages.sort(key=len, reverse=True)
    stacks.sort(key=len)
    for stack, page in zip_longest(stacks, pages, fillvalue=()):
        yield from (*stack, *page)


def _is_in_a_part(item: pytest.Item) -> bool:
    if item.get_closest_marker("proof"):
        return True
    marks = {name for name in _REAL if item.get_closest_marker(name)}
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    if not marks:
        return folder not in {*_REAL_FOLDERS, *_WIREGUARD_FOLDERS} - {*_MIXED_FOLDERS}
    return folder in (_WIREGUARD_FOLDERS if marks == {"wg"} else _REAL_FOLDERS)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a random value by its argument: two processes must collect the same tests."""
    return argname if isinstance(val, str) and _RANDOM.search(val) else None


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the network, unless it is marked as one that starts real things."""
    if any(request.node.get_closest_marker(name) for name in _NEEDS_NETWORK):
        return

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: socket.socket, *arguments: Any) -> Any:
            if self.family != socket.AF_UNIX:
                raise RuntimeError(f"this test opens a network socket: {arguments}")
            return real(self, *arguments)

        return call

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))


@pytest.fixture(autouse=True)
def nothing_spent() -> None:
    """No test inherits what another one counted."""
    throttling.counters.forget()


@pytest.fixture(autouse=True)
def no_broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hints after a commit go nowhere, but where real workers wait for them."""
    if not request.node.get_closest_marker("stack"):
        monkeypatch.setattr(publisher, "leave", lambda _: None)


#: The role that requests run as, on PostgreSQL.
WEB_ROLE = "vwg_test_web"


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool, django_db_modify_db_settings: None) -> Iterator[bool]:
    """In a whole run SQLite begins with a copy of what was migrated once (PostgreSQL: settings)."""
    template = shared_sqlite() if connection.vendor == "sqlite" else None
    if template is None:
        yield django_db_keepdb
        return
    file = Path(connection.settings_dict["TEST"]["NAME"])
    copy_sqlite(template, file)
    yield True
    file.unlink()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """On PostgreSQL with row-level security in place, as in production. On SQLite without the
    trigger that keeps events: there it is by DELETE that tables are emptied between tests.
    """
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER audit_event_stays")
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    f"DO $$ BEGIN CREATE ROLE {WEB_ROLE}; EXCEPTION"
                    " WHEN duplicate_object OR unique_violation THEN NULL; END $$"
                )
            install(WEB_ROLE)


@pytest.fixture(autouse=True)
def behind_the_wall(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request of every test runs as the web role (PostgreSQL; SQLite has no such thing)."""
    if connection.vendor != "postgresql" or request.node.get_closest_marker("stack"):
        return
    tell, enforced = row_security._tell, row_security.enforced

    def tell_as_web_role(wanted: row_security.Reach | None = None) -> None:
        tell(wanted)
        connection.connection.execute(f"SET LOCAL ROLE {WEB_ROLE}")

    @contextmanager
    def enforced_and_back() -> Iterator[None]:
        with enforced():
            yield
        if connection.in_atomic_block and row_security._status() == TransactionStatus.INTRANS:
            connection.connection.execute("SET LOCAL ROLE NONE")  # the test's own transaction

    monkeypatch.setattr(row_security, "_tell", tell_as_web_role)
    monkeypatch.setattr(row_security, "enforced", enforced_and_back)
    request.getfixturevalue("settings").VWG_ROW_SECURITY = True


@pytest.fixture
def acme(db: None) -> Tenant:
    """Alice's tenant."""
    return make_tenant("acme")


@pytest.fixture
def evil(db: None) -> Tenant:
    """Mallory's tenant."""
    return make_tenant("evil")


@pytest.fixture
def alice(acme: Tenant) -> User:
    return make_user("alice", tenant=acme)


@pytest.fixture
def mallory(evil: Tenant) -> User:
    return make_user("mallory", tenant=evil)


@pytest.fixture
def viewer(acme: Tenant) -> User:
    """A member of Alice's tenant who may only look."""
    return make_user("victor", tenant=acme, role="viewer")


@pytest.fixture
def operator(db: None) -> User:
    return make_user("oscar", operator="full", is_staff=True, is_superuser=True)


@pytest.fixture
def auditor(db: None) -> User:
    """An operator who may only look."""
    return make_user("olivia", operator="read-only")


@pytest.fixture
def alice_token(acme: Tenant) -> str:
    return make_token(acme, name="alice")[1]


@pytest.fixture
def mallory_token(evil: Tenant) -> str:
    return make_token(evil, name="mallory")[1]


@pytest.fixture
def operator_token(db: None) -> str:
    return make_token(Tenant.objects.get(slug="default"), name="operator", operator=True)[1]


def bearer(token: str) -> APIClient:
    """An API client that shows this token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    client.default_format = "json"
    return client


@pytest.fixture
def alice_api(alice_token: str) -> APIClient:
    return bearer(alice_token)


@pytest.fixture
def mallory_api(mallory_token: str) -> APIClient:
    return bearer(mallory_token)


@pytest.fixture
def operator_api(operator_token: str) -> APIClient:
    return bearer(operator_token)


@pytest.fixture
def anonymous_api() -> APIClient:
    """Nobody."""
    client = APIClient()
    client.default_format = "json"
    return client


@pytest.fixture
def interface(db: None) -> Interface:
    """wg0 of the gateway "local": 10.252.0.1/16, fd52:7677:6721::1/64, default."""
    return make_interface()


@pytest.fixture
def alice_client(acme: Tenant) -> Client:
    return make_client(acme, name="Alice's phone")


@pytest.fixture
def alice_peer(alice_client: Client, interface: Interface) -> Peer:
    return make_peer(alice_client, interface)
