"""What a reseller's people see of their own is the same with and without another reseller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client as Browser

from tests.integration.isolation.declarations import SELF_PAGES, TENANT_PAGES
from tests.integration.isolation.matrix import NOW, still, undone
from tests.integration.isolation.world import Side, build, build_shared, every_key, values_of

pytestmark = pytest.mark.django_db
#: Made anew for every answer.
FRESH = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"|data-now="[^"]*"')


class Pages:
    """A's people with their browsers, B beside them, and what is B's alone."""

    def __init__(self) -> None:
        with still():
            shared = build_shared()
            self.a = build("A", shared, NOW)
            others = values_of({model: list(keys) for model, keys in every_key().items()})
            self.b: Side = build("B", shared, NOW)
        self.canaries = self.b.values() - others
        self.browsers = {}
        for role in ("owner", "manager", "viewer"):
            self.browsers[role] = Browser(raise_request_exception=False)
            self.browsers[role].force_login(self.a.people[role])

    def shown(self, path: str) -> dict[str, tuple[int, bytes]]:
        """By role: the status and the page."""
        found = {}
        for role, browser in self.browsers.items():
            with undone():
                answer = browser.get(path)
                body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
                found[role] = answer.status_code, FRESH.sub(b"", body)
        return found


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[Pages]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield Pages()
        transaction.set_rollback(True)


@pytest.fixture
def pages(built: Pages, db: None) -> Iterator[Pages]:
    with still():
        yield built


ALL = {**SELF_PAGES, **{route: "/t/{slug}/" + page for route, page in TENANT_PAGES.items()}}


@pytest.mark.parametrize("route", sorted(ALL))
def test_ones_own_pages_show_nobody_else(route: str, pages: Pages) -> None:
    path = ALL[route].format(**pages.a.ids)
    together = pages.shown(path)
    for role, (status, body) in together.items():
        assert status < 500, role
        text = body.decode(errors="replace")
        assert [one for one in pages.canaries if one in text] == [], role
    with undone():
        pages.b.vanish()
        assert pages.shown(path) == together
