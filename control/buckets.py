"""Sums by time: adding to buckets, set by set, in SQL that both databases speak alike.

PostgreSQL takes rows away and adds their sums in one statement, and leaves out what somebody else
has in hand. SQLite knows one writer: two statements on the same choice of rows, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

SUMS: Final = ("raw_up", "raw_down", "billed_up", "billed_down")
_ADD: Final = (
    "ON CONFLICT (meter_id, tenant_id, begins_at, seconds, interface_id) DO UPDATE SET "
    + ", ".join(f"{name} = quotas_usagebucket.{name} + EXCLUDED.{name}" for name in SUMS)
)
_INTO: Final = (
    "INSERT INTO quotas_usagebucket"
    f" (meter_id, tenant_id, interface_id, begins_at, seconds, {', '.join(SUMS)})"
)


@dataclass(frozen=True)
class Move:
    """Rows of one table, taken together into buckets.

    ``choice`` finds their ids, by a number of rows at most: its last parameter. ``taken`` says
    what becomes of them. ``begins`` and ``length`` are the bucket's, each a column or a parameter.
    ``sums`` are the bytes of one row, in the order of `SUMS`.
    """

    table: str
    choice: str
    taken: str
    begins: str
    length: str
    sums: tuple[str, str, str, str]

    def run(self, chosen: Sequence[Any], bucket: Sequence[Any], *, limit: int) -> int:
        """Take some of the rows; returns how many. With 0, none is left that is free."""
        chosen = [*chosen, limit]
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(self._joined(), [*chosen, *bucket])
                return int(cursor.fetchone()[0])
            cursor.execute(
                f"{_INTO} {self._summed()} WHERE id IN ({self.choice}) {self._grouped()} {_ADD}",
                [*bucket, *chosen],
            )
            cursor.execute(f"{self.taken} WHERE id IN ({self.choice})", chosen)
            return int(cursor.rowcount)

    def _joined(self) -> str:
        """Sums are added in one order: two who add to the same buckets only wait for each other."""
        parts = {
            "chosen": f"{self.choice} FOR UPDATE SKIP LOCKED",
            # An array is looked up row by row: for a set the whole table would be hashed.
            "taken": f"{self.taken} WHERE id = ANY(ARRAY(SELECT id FROM chosen)) RETURNING *",  # noqa: S608
            "added": (
                f"{_INTO} {self._summed('taken', '::bigint')} {self._grouped()}"
                f" ORDER BY 1, 2, 3, 4 {_ADD}"
            ),
        }
        named = ", ".join(f"{name} AS MATERIALIZED ({text})" for name, text in parts.items())
        return f"WITH {named} SELECT count(*) FROM taken"  # noqa: S608  constants of this app

    def _summed(self, source: str = "", cast: str = "") -> str:
        sums = ", ".join(f"sum({text}){cast}" for text in self.sums)
        return (
            f"SELECT meter_id, tenant_id, interface_id, {self.begins}, {self.length}, {sums}"  # noqa: S608  constants of this app
            f" FROM {source or self.table}"
        )

    def _grouped(self) -> str:
        moment = "" if "%s" in self.begins else f", {self.begins}"
        return f"GROUP BY meter_id, tenant_id, interface_id{moment}"
