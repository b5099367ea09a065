"""Two walls between tenants: the code's doors, and PostgreSQL's row-level security behind them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction

from tests.integration.isolation.matrix import Stage

POSTGRESQL = connections.settings["default"]["ENGINE"].endswith("postgresql")
#: SQLite has no row-level security; there is nothing to show there.
collect_ignore = [] if POSTGRESQL else ["test_row_security.py"]


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """The matrix's world, once for all tests of a module: each of them is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Stage()
        transaction.set_rollback(True)
