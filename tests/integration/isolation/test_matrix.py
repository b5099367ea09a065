"""Isolation: every operation, every caller, every target (declarations.py says which is whose)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tenants.models import Tenant
from tests.integration.isolation.declarations import (
    ADMIN,
    CUSTOMER_PAGES,
    OPERATIONS,
    OPERATOR_ACTS,
    OPERATOR_PAGES,
    PUBLIC_PAGES,
    SELF_PAGES,
    SHARE_PAGES,
    TENANT_PAGES,
)
from tests.integration.isolation.enumeration import described, resolved
from tests.integration.isolation.matrix import Examination, Stage


@pytest.fixture(scope="module")
def schema() -> dict[str, Mapping[str, Any]]:
    return described()


def test_the_description_and_the_urls_name_the_same_operations(
    schema: dict[str, Mapping[str, Any]],
) -> None:
    urls = {one for one in resolved() if not one.partition(" ")[2].startswith(ADMIN)}
    pages = PUBLIC_PAGES | SHARE_PAGES | CUSTOMER_PAGES.keys()
    pages |= OPERATOR_PAGES.keys() | OPERATOR_ACTS.keys() | SELF_PAGES.keys() | TENANT_PAGES.keys()

    assert schema.keys() - urls == set(), "described, but nowhere to be found"
    assert urls - schema.keys() - pages == set(), "served, but in no description and no list"
    assert pages - urls == set(), "listed, but not served"


def test_every_operation_says_whose_things_it_is_about(
    schema: dict[str, Mapping[str, Any]],
) -> None:
    undeclared = sorted(schema.keys() - OPERATIONS.keys())
    assert undeclared == [], f"declare isolation (declarations.py) for {', '.join(undeclared)}"
    assert OPERATIONS.keys() - schema.keys() == set()


def test_every_operation_needs_the_scope_it_should(schema: dict[str, Mapping[str, Any]]) -> None:
    said = {
        one: (entry.scope, entry.kind == "operator")
        for one, entry in OPERATIONS.items()
        if entry.kind in ("tenant", "operator")
    }
    found = {one: (schema[one]["x-vwg-scope"], schema[one]["x-vwg-operator"]) for one in said}
    assert found == said


@pytest.mark.parametrize("operation", sorted(OPERATIONS), ids=sorted(OPERATIONS))
def test_nobody_notices_anybody_else(
    operation: str, stage: Stage, schema: dict[str, Mapping[str, Any]], record_property: Any
) -> None:
    entry = OPERATIONS[operation]
    outcome = Examination(stage, operation, entry, schema.get(operation, {})).run()
    record_property("cells", outcome.cells)
    record_property("roles", len(stage.callers))
    assert outcome.faults == []


@pytest.mark.django_db
def test_there_is_a_database() -> None:
    """Alone, the tests above would have none: nothing else here asks pytest-django for it."""
    assert Tenant.objects.filter(slug="default").exists()
