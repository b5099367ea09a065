"""The database of a running stack, read in plain SQL: the product's own code is not believed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.stack.databases import cluster_connection


class Books:
    """SQLite's file or a PostgreSQL URL; placeholders are ``?`` for both."""

    def __init__(self, *, file: Path | None = None, url: str = "") -> None:
        self.file = file
        self._url = url

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of one SELECT."""
        with self._open() as connection:
            return list(connection.execute(self._spell(sql), values).fetchall())

    def one(self, sql: str, *values: Any) -> Any:
        """The one value of a SELECT."""
        ((value,),) = self.rows(sql, *values)
        return value

    def write(self, sql: str, *values: Any) -> None:
        """One statement, committed."""
        with self._open() as connection:
            connection.execute(self._spell(sql), values)
            connection.commit()

    @contextmanager
    def no_writer(self) -> Iterator[None]:
        """Keep every writer waiting, as a slow disk would; readers go on."""
        with self._open() as connection:
            if self.file:
                connection.execute("BEGIN IMMEDIATE")
            else:
                connection.execute("LOCK TABLE gateways_jobitem IN SHARE ROW EXCLUSIVE MODE")
            try:
                yield
            finally:
                with suppress(sqlite3.Error, psycopg.Error):
                    connection.rollback()

    def _spell(self, sql: str) -> str:
        return sql if self.file else sql.replace("?", "%s")

    @contextmanager
    def _open(self) -> Iterator[Any]:
        connection: Any = (
            sqlite3.connect(self.file, timeout=20, isolation_level=None)
            if self.file
            else _connected(self._url)
        )
        try:
            yield connection
        finally:
            connection.close()


def _connected(url: str) -> psycopg.Connection[Any]:
    """By the rules of the settings: a cluster may listen on a unix socket alone."""
    connection: psycopg.Connection[Any] = cluster_connection(url)
    connection.autocommit = False
    return connection
