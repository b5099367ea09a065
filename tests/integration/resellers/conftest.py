"""Sessions, and callers of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connections
from rest_framework.test import APIClient

from tenants.models import Tenant, User
from tests.conftest import bearer
from tests.make import make_token, make_user

POSTGRESQL = connections.settings["default"]["ENGINE"].endswith("postgresql")
#: SQLite has one writer at a time: nothing is committed late there.
collect_ignore = [] if POSTGRESQL else ["test_feed_on_postgresql.py"]
Session = Callable[[User], APIClient]


def session(user: User) -> APIClient:
    """An API client signed in as this person."""
    client = APIClient()
    client.force_login(user)
    client.default_format = "json"
    return client


@pytest.fixture
def viewer_api(viewer: User) -> APIClient:
    return session(viewer)


@pytest.fixture
def manager_api(acme: Tenant) -> APIClient:
    return session(make_user("manfred", tenant=acme, role="manager"))


@pytest.fixture
def auditor_api(auditor: User) -> APIClient:
    return session(auditor)


@pytest.fixture
def owner_api(acme: Tenant, alice: User) -> APIClient:
    """Alice with a token of her own, bound to her role."""
    return bearer(make_token(acme, user=alice, name="alice's own")[1])
