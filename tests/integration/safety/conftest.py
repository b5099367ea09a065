"""Two resellers with one row of everything, built once for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client as Browser

from deploy.catalogues import build as build_catalogues
from tenants.models import User
from tests.integration.isolation.matrix import NOW, still
from tests.integration.isolation.world import Side, build, build_shared
from tests.make import make_user

#: What a page makes of a text, and what an answer's headers are, is the same on every database.
collect_ignore_glob = (
    ["test_*.py"] if connections.settings["default"]["ENGINE"].endswith("postgresql") else []
)


class World:
    """A reseller's side, and people who look at it."""

    def __init__(self) -> None:
        build_catalogues()
        with still():
            self.side: Side = build("A", build_shared(), NOW)
            operator = make_user("oscar", operator="full", is_staff=True, is_superuser=True)
            people: dict[str, User | None] = {"nobody": None, "operator": operator}
            people |= {who: self.side.people[who] for who in ("owner", "customer")}
            self._browsers = {who: _browser(user) for who, user in people.items()}
            self.side.first = self.side.fingerprint()  # a sign-in is noted

    def browser(self, who: str) -> Browser:
        """Signed in as one of them: nobody, the reseller's owner, his customer, an operator."""
        return self._browsers[who]


def _browser(user: User | None) -> Browser:
    browser = Browser(raise_request_exception=False)
    if user is not None:
        browser.force_login(user)
    return browser


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """What each test does with it is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


@pytest.fixture
def world(built: World, db: None) -> Iterator[World]:
    with still():
        yield built
