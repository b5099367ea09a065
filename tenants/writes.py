"""Writes by statements that are compiled once: `tenants.prepared` for what every POST writes.

A row is written as `save(force_insert=True)` writes it: each field says what it stores
(``auto_now``, JSON, uuid), the database gives the key. No signal is sent; nobody here listens.

    NEW = Insert(Client)
    NEW(client)
    RENAME = Update(Client, ("name",), where=("id", "version"))
    RENAME((name,), (client.pk, client.version))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from django.db import connection, connections
from django.db.models import Model
from django.db.models.constants import OnConflict

from tenants.prepared import cursor_that_prepares, run

M = TypeVar("M", bound=Model)


class Insert(Generic[M]):
    """Writes new rows of a model, all in one statement.

    ``unless_taken``: a row that a unique constraint refuses is left out, and nothing raised.
    """

    def __init__(self, model: type[M], *, unless_taken: bool = False) -> None:
        self._model = model
        self._on_conflict = OnConflict.IGNORE if unless_taken else None
        self._statements: dict[tuple[str, int], tuple[str, list[Any]]] = {}

    def __call__(self, *rows: M) -> list[int]:
        """Write the rows. Returns the keys of those that were written, the rows have them too;
        where one was not, no row has one, since nothing says which it was.
        """
        sql, fields = self._statement(len(rows))
        real = connections[connection.alias]  # the proxy looks itself up with every attribute
        values = [
            field.get_db_prep_save(field.pre_save(row, add=True), real)
            for row in rows
            for field in fields
        ]
        with cursor_that_prepares() as cursor:
            cursor.execute(sql, values)
            keys = [key for (key,) in cursor.fetchall()]
        if len(keys) == len(rows):
            for row, key in zip(rows, keys, strict=True):
                row.pk = key
                row._state.adding = False
                row._state.db = real.alias
        return keys

    def _statement(self, number: int) -> tuple[str, list[Any]]:
        key = (connection.vendor, number)
        if key not in self._statements:
            self._statements[key] = self._write(number)
        return self._statements[key]

    def _write(self, number: int) -> tuple[str, list[Any]]:
        """As the ORM's compiler, for plain columns and a key that the database gives."""
        meta = self._model._meta
        ops: Any = connection.ops
        fields: list[Any] = [field for field in meta.local_concrete_fields if field is not meta.pk]
        if meta.db_returning_fields != [meta.pk] or any(
            hasattr(field, "get_placeholder") for field in fields
        ):
            raise TypeError(f"rows of {meta.label} are more than plain columns")
        row = f"({', '.join(['%s'] * len(fields))})"
        returning, _ = ops.return_insert_columns([meta.pk])
        parts = (
            ops.insert_statement(on_conflict=self._on_conflict),
            ops.quote_name(meta.db_table),
            f"({', '.join(ops.quote_name(field.column) for field in fields)})",
            f"VALUES {', '.join([row] * number)}",
            ops.on_conflict_suffix_sql(fields, self._on_conflict, [], []),
            returning,
        )
        return " ".join(part for part in parts if part), fields


class Update(Generic[M]):
    """Sets some fields of the rows of a model in which others are equal to what is given."""

    def __init__(self, model: type[M], fields: Sequence[str], *, where: Sequence[str]) -> None:
        self._model = model
        self._fields: list[Any] = [model._meta.get_field(name) for name in (*fields, *where)]
        self._set = len(fields)
        self._statements: dict[str, str] = {}

    def __call__(self, values: Sequence[Any], where: Sequence[Any]) -> int:
        """Set ``values`` where the others are ``where``. Returns the number of rows."""
        real = connections[connection.alias]
        adapted = [
            field.get_db_prep_save(value, real)
            for field, value in zip(self._fields, (*values, *where), strict=True)
        ]
        return run(self._statement(), adapted)

    def _statement(self) -> str:
        found = self._statements.get(connection.vendor)
        if found is None:
            quoted = connection.ops.quote_name
            each = [f"{quoted(field.column)} = %s" for field in self._fields]
            table = quoted(self._model._meta.db_table)
            changes, condition = ", ".join(each[: self._set]), " AND ".join(each[self._set :])
            found = f"UPDATE {table} SET {changes} WHERE {condition}"  # noqa: S608  names alone
            self._statements[connection.vendor] = found
        return found
