"""PostgreSQL writes what moved beside what was there, and no index with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from quotas.models import LedgerSegment, Meter, TenantUsage, Usage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL's pages"),
]


@pytest.mark.parametrize("model", [Meter, Usage, TenantUsage, LedgerSegment])
def test_rows_of_every_tick_have_room_for_their_next_version(model: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table]
        )
        assert cursor.fetchone() == (["fillfactor=50"],)
