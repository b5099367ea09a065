"""Whatever is stored or typed, no page takes it for markup, and no spreadsheet for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.forms import Form

from portal import urls as every_form_is_imported
from rest.spreadsheets import _BEGINS
from tests.integration.isolation.matrix import still
from tests.integration.safety.conftest import World
from tests.integration.safety.hostile import ELEMENT, TEXT, poison
from tests.integration.safety.judges import body_of, in_markup, is_page
from tests.integration.safety.places import Place, admin_paths, places

pytestmark = pytest.mark.django_db
assert every_form_is_imported
PAGE = {"HX-Request": "false"}
PIECE = {"HX-Request": "true"}


#: Not of any row: one says by its status how vwg is, the other is how the API is described.
OF_NOBODY = {"ANY /healthz/ready", "GET /api/v1/schema/"}
PAGES = [place for place in places() if place.route not in OF_NOBODY]


@pytest.fixture(scope="module")
def poisoned(built: World) -> set[str]:
    """Columns that hold a hostile text, in every row."""
    with still():
        return poison()


def kinds(form: type) -> Iterator[type]:
    """Every form there is."""
    for one in form.__subclasses__():
        yield one
        yield from kinds(one)


def typed() -> dict[str, str]:
    """A hostile text in every field of every form, and in what addresses may hold."""
    names = {name for form in kinds(Form) for name in getattr(form, "base_fields", {})}
    names |= {"q", "id", "act", "sort", "cursor", "before", "after", "cols", "next", "back"}
    names |= {"tab", "show", "who", "page", "days", "from", "to", "view", "lang", "as"}
    return dict.fromkeys(sorted(names), TEXT)


def faults_of(answer: Any) -> list[str]:
    """In what a browser reads as HTML; nothing else is read as HTML."""
    body = body_of(answer)
    if is_page(answer):
        return in_markup(body.decode())
    return [] if answer.get("X-Content-Type-Options") == "nosniff" else ["no nosniff"]


@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.route)
def test_a_stored_text_stays_a_text(place: Place, world: World, poisoned: set[str]) -> None:
    path, found = place.path(world.side), []
    for who in {place.who, "operator"} - {"operator" if place.kind == "share" else ""}:
        for headers in (PAGE, PIECE):
            answer = world.browser(who).get(path, headers={**headers, "Accept-Language": "fa"})
            assert answer.status_code < 500, (who, headers)
            found += [f"{who} {headers}: {fault}" for fault in faults_of(answer)]
    assert found == []


@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.route)
def test_a_typed_text_stays_a_text(place: Place, world: World) -> None:
    path, found, fields = place.path(world.side), [], typed()
    for method in ("get", "post"):
        for headers in (PAGE, PIECE):
            with transaction.atomic():
                browser = world.browser(place.who)
                answer = getattr(browser, method)(path, fields, headers=headers)
                transaction.set_rollback(True)
            assert answer.status_code < 500, (method, headers)
            found += [f"{method} {headers}: {fault}" for fault in faults_of(answer)]
            assert "\n" not in answer.get("Location", "")
    assert found == []


def test_the_admin_site_too(world: World, poisoned: set[str]) -> None:
    operator, found = world.browser("operator"), []
    for path in admin_paths(world.side):
        for query in ("", "?q=" + TEXT):
            answer = operator.get(path + query)
            assert answer.status_code < 500, path
            found += [f"{path}: {fault}" for fault in faults_of(answer)]
    assert found == []


def test_names_are_shown_and_no_file_of_ours_has_a_formula(
    world: World, poisoned: set[str]
) -> None:
    """Were they not shown, nothing above would prove anything."""
    assert len(poisoned) > 40
    files, shown = 0, 0
    for place in PAGES:
        answer = world.browser(place.who).get(place.path(world.side))
        text = body_of(answer).decode("utf-8-sig", errors="replace")
        shown += text.count(f"&lt;{ELEMENT}")
        if answer.get("Content-Type", "").startswith("text/csv"):
            rows = list(csv.reader(io.StringIO(text)))
            assert ELEMENT in text or len(rows) == 1, place.route
            faults = [cell for row in rows for cell in row if cell.startswith(_BEGINS)]
            assert faults == [], place.route
            files += 1
    assert shown > 150
    assert files == 3
