"""Two walls between tenants: the code's doors, and PostgreSQL's row-level security behind them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction

from tests.integration.isolation.matrix import Stage

POSTGRESQL = connections.settings["default"]["ENGINE"].endswith("postgresql")
#: SQLite has no row-level security; on PostgreSQL it would hide what is missing in the first wall.
collect_ignore = ["test_mutants.py"] if POSTGRESQL else ["test_row_security.py"]


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """The matrix's world, once for all tests of a module: each of them is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Stage()
        transaction.set_rollback(True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How much the matrix asked: operations, kinds of callers, cells, and failures."""
    ended = [
        (dict(report.user_properties), report.failed)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
    ]
    asked = [(found, failed) for found, failed in ended if "cells" in found]
    if asked:
        cells, roles = (sum(f["cells"] for f, _ in asked), max(f["roles"] for f, _ in asked))
        failures = sum(failed for _, failed in asked)
        terminalreporter.write_line(
            f"isolation: {len(asked)} operations, {roles} callers, {cells} cells,"
            f" {failures} operations with failures"
        )
