"""Querysets that are compiled once.

A queryset is turned into SQL anew each time it is evaluated, and for the wide rows of this house
that takes longer than the database takes to answer; PostgreSQL then plans it anew, which takes
as long again. What every request asks is written as a `Prepared` query: the ORM writes it once
for each number of values, PostgreSQL plans it once a connection, rows are read as always.

    CLIENT = Prepared(lambda tenant, uuid: Client.objects.filter(tenant_id=tenant, uuid=uuid),
                      int, UUID)
    found = CLIENT(caller.tenant_id, client_id)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.db.models.query import ModelIterable, get_related_populators
from psycopg.types.numeric import Int8

R = TypeVar("R")

_PLACEHOLDER: Final = re.compile("%[s%]")
#: Marks that stand for the values while the ORM writes the statement; nothing else looks like them.
_NUMBER: Final = -7_205_759_403_792_793_600
_MOMENT: Final = datetime(1823, 4, 5, 6, 7, 8, 9, tzinfo=UTC)


def _mark(kind: type, place: int) -> Any:
    if kind is UUID:
        return UUID(int=2**127 + place)
    if kind is datetime:
        return _MOMENT + timedelta(seconds=place)
    return f"\x01mark {place}\x01" if kind is str else _NUMBER - place


def _adapted(value: Any) -> Any:
    """A value as the database's driver takes it; numbers in one width, so that plans stay few."""
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, int) and connection.vendor == "postgresql":
        return Int8(value)
    return value


@dataclass(frozen=True)
class _Statement:
    """SQL, which of the values each of its parameters is, and how to read a row."""

    sql: str
    slots: tuple[int, ...]
    converters: tuple[tuple[int, tuple[Any, ...], Any], ...]
    read: Callable[[Sequence[Any]], Any]

    def run(self, values: Sequence[Any]) -> list[Any]:
        with cursor_that_prepares() as cursor:
            cursor.execute(self.sql, [values[number] for number in self.slots])
            rows = cursor.fetchall()
        return [self.read(row) for row in self._converted(rows)]

    def _converted(self, rows: Sequence[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        for row in rows:
            found = list(row)
            for place, converters, expression in self.converters:
                value = found[place]
                for convert in converters:
                    value = convert(value, expression, connection)
                found[place] = value
            yield found


class Prepared(Generic[R]):
    """A query of fixed shape. ``kinds`` are the types of its values: int, str, UUID or datetime;
    a kind in a list, ``[int]``, is any number of them (for ``__in``).
    """

    def __init__(self, build: Callable[..., QuerySet[Any, R]], *kinds: Any) -> None:
        self._build = build
        self._kinds = kinds
        self._statements: dict[tuple[str, tuple[int, ...]], _Statement] = {}

    def __call__(self, *values: Any) -> list[R]:
        """The rows, as the queryset would give them."""
        flat: list[Any] = []
        sizes: list[int] = []
        for kind, value in zip(self._kinds, values, strict=True):
            if isinstance(kind, list):
                if not value:
                    return []
                padded = _padded(value)
                sizes.append(len(padded))
                flat += padded
            else:
                flat.append(value)
        key = (connection.vendor, tuple(sizes))
        statement = self._statements.get(key)
        if statement is None:
            statement = self._statements[key] = self._write(sizes)
        return statement.run([_adapted(value) for value in flat])

    def first(self, *values: Any) -> R | None:
        """The first row, if there is one; the query should say which, or have one at most."""
        found = self(*values)
        return found[0] if found else None

    def _write(self, sizes: Sequence[int]) -> _Statement:
        marks: list[Any] = []
        arguments: list[Any] = []
        left = iter(sizes)
        for kind in self._kinds:
            one, number = (kind[0], next(left)) if isinstance(kind, list) else (kind, 1)
            made = [_mark(one, len(marks) + place) for place in range(number)]
            marks += made
            arguments.append(made if isinstance(kind, list) else made[0])
        rows = self._build(*arguments)
        return _written(rows, [_adapted(mark) for mark in marks])


class _Cursor(ServerBindingCursor):
    """Values travel beside the statement, which the server keeps with its plan."""

    # Django's log of statements asks the cursor for its query.
    def _convert_query(self, query: Any, params: Any = None) -> Any:
        self._query = super()._convert_query(query, params)  # type: ignore[misc]
        return self._query


def cursor_that_prepares() -> CursorWrapper:
    """A cursor; on PostgreSQL one whose statements the server keeps with their plans.

    Django's own sends each statement as text, with its values in it.
    """
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.ensure_connection()
    raw = connection.connection
    usual, raw.cursor_factory = raw.cursor_factory, _Cursor
    try:
        return connection.cursor()
    finally:
        raw.cursor_factory = usual


def run(sql: str, values: Sequence[Any]) -> int:
    """Run a written statement that the server keeps; how many rows it changed."""
    with cursor_that_prepares() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def run_for_each(sql: str, values: Sequence[Sequence[Any]]) -> None:
    """The same for each of these values, in one round trip."""
    if len(values) == 1:  # a pipeline of one is dearer
        run(sql, values[0])
    elif values:
        with cursor_that_prepares() as cursor:
            cursor.executemany(sql, values)


def _written(rows: QuerySet[Any, Any], marks: Sequence[Any]) -> _Statement:
    compiler = rows.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    numbers = {mark: number for number, mark in enumerate(marks)}
    slots: list[int] = []

    def put(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return match[0]
        value = next(given)
        number = numbers.get(value) if isinstance(value, int | str | UUID | datetime) else None
        if number is None:
            return _literal(value)
        slots.append(number)
        return "%s"

    given = iter(parameters)
    sql = _PLACEHOLDER.sub(put, sql)
    if set(slots) != set(range(len(marks))):
        raise ValueError(f"a value of this query does not reach its statement: {sql}")
    columns = [column[0] for column in compiler.select[: compiler.col_count]]
    converters = tuple(
        (place, tuple(functions), expression)
        for place, (functions, expression) in compiler.get_converters(columns).items()
    )
    is_model = issubclass(rows._iterable_class, ModelIterable)
    read = _reader(compiler) if is_model else tuple
    return _Statement(sql, tuple(slots), converters, read)


def _literal(value: Any) -> str:
    """A value of the query itself as SQL. The server must know its type before it plans."""
    if isinstance(value, bool) and connection.vendor == "sqlite":
        return str(int(value))
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("%", "%%") + "'"
    if isinstance(value, bool | int):
        return str(value).upper()
    raise TypeError(f"a query that is compiled once cannot hold {value!r}")


def _reader(compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """From a row to an instance, as `ModelIterable` makes it."""
    select, info = compiler.select, compiler.klass_info
    start, end = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column[0].target.attname for column in select[start:end]]
    alias = connection.alias
    populators = get_related_populators(info, select, alias)  # type: ignore[call-arg]
    annotations = tuple(compiler.annotation_col_map.items())
    model = info["model"]

    def read(row: Sequence[Any]) -> Any:
        found = model.from_db(alias, names, row[start:end])
        for populator in populators:
            populator.populate(row, found)
        for name, place in annotations:
            setattr(found, name, row[place])
        return found

    return read


def _padded(values: Sequence[Any]) -> list[Any]:
    """The values, the last of them again until their number is a power of two: so the shapes of a
    statement stay few.
    """
    found = list(values)
    size = 1 << (len(found) - 1).bit_length()
    return found + [found[-1]] * (size - len(found))
