"""A table's rows by the ten thousand, in one statement each, and how a database reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model

#: Where the rows made here begin to be numbered.
FIRST = 1_000_000
#: Tables with a row or more for each client.
BIG = (
    "peers_client", "peers_peer", "peers_peeraddress", "quotas_usage", "quotas_meter",
    "quotas_ledgersegment", "quotas_usagebucket", "quotas_session", "quotas_hold",
)  # fmt: skip
_NAMED = re.compile(rf'"?\b({"|".join(BIG)})"? (?:AS )?"?(\w+)"?')
_WALKED = {
    "postgresql": re.compile(r"Seq Scan on (\w+)()"),
    "sqlite": re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?"),
}
#: Whether a statement can be explained; the others read nothing.
_READS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")

Statement = tuple[str, Any]


def multiply(row: Model, number: int, **columns: str) -> None:
    """Write ``number`` rows like this one, which need not be saved; ``columns`` are SQL on ``i``,
    which goes from 1 to it.
    """
    names, texts, values = [], [], []
    for field in row._meta.concrete_fields:
        names.append(f'"{field.column}"')
        if field.column in columns:
            texts.append(columns[field.column])
        elif field.primary_key:
            texts.append(f"{FIRST} + i")
        else:
            texts.append("%s")
            values.append(field.get_db_prep_save(getattr(row, field.attname), connection))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {row._meta.db_table} ({', '.join(names)})"  # noqa: S608
            " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
            f" SELECT {', '.join(texts)} FROM n",
            [number, *values],
        )


def new_uuid() -> str:
    return (
        "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    )


def key() -> str:
    """A public key for each ``i``."""
    return f"{padded()} || 'A='"


def padded() -> str:
    return "lpad(i::text, 42, '0')" if connection.vendor == "postgresql" else "printf('%%042d', i)"


def later(base: datetime, minutes: str) -> str:
    """So many minutes (SQL on ``i``) after a moment of whole seconds."""
    text = base.strftime("%Y-%m-%d %H:%M:%S")
    if connection.vendor == "postgresql":
        return f"timestamptz '{text}+00' + ({minutes}) * interval '1 minute'"
    return f"datetime('{text}', ({minutes}) || ' minutes')"


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@contextmanager
def listening() -> Iterator[list[Statement]]:
    """Every statement of the block, with its values."""
    heard: list[Statement] = []

    def listen(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        if _READS.match(sql):
            heard.append((sql, next(iter(values), None) if many else values))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(listen):
        yield heard


def walks(statements: list[Statement]) -> list[str]:
    """Each big table that one of these statements walks through from end to end, with how."""
    found = []
    for sql, values in statements:
        tables = dict.fromkeys(BIG, "") | {alias: name for name, alias in _NAMED.findall(sql)}
        plan = explain(sql, values)
        for name, index in _WALKED[connection.vendor].findall(plan):
            if name in tables and index not in _partial():
                found.append(f"{tables[name] or name}:\n{sql}\n{plan}")
    return found


@cache
def _partial() -> frozenset[str]:
    """Indexes that hold a few rows alone: to walk through one is no walk through its table."""
    rules = [
        rule
        for model in apps.get_models()
        for rule in (*model._meta.indexes, *model._meta.constraints)
    ]
    return frozenset(rule.name for rule in rules if getattr(rule, "condition", None) is not None)


def explain(sql: str, values: Any) -> str:
    words = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        cursor.execute(words + sql, values)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
