"""The database's clock: the one clock that every worker and every host shares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.db import connection

#: In UTC whatever the session's time zone, as text that both databases write alike. The clock of
#: this statement: PostgreSQL's now() is the transaction's beginning (its manual, 9.9.5), SQLite's
#: 'now' is the same within one step of a statement (lang_datefunc.html), to the millisecond.
_STATEMENTS: Final = {
    "postgresql": (
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    ),
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
}


def database_now() -> datetime:
    """The time by the database's clock, in one statement. A job reads it once and passes it on.

    A host's clock may jump; no client expires by it, and no quarter of an hour is over by it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS[connection.vendor])
        (text,) = cursor.fetchone()
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
