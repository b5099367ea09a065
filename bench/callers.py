"""The two ends of a change: an API client that posts it, and a look at the job's row."""

from __future__ import annotations

import http.client
import json
import secrets
import sqlite3
import time
from base64 import b64encode
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.stack.databases import cluster_connection

#: How often a watched job is looked at (seconds): 20 microseconds of work each.
POLL_S = 0.001


class ApiCaller:
    """One connection, kept open, as a reseller's panel would."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON of a 2xx answer; anything else is an AssertionError."""
        text = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, body=text, headers=self._headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._connection.close()  # idle for longer than the server keeps it
            self._connection.request(method, path, body=text, headers=self._headers)
            answer = self._connection.getresponse()
        raw = answer.read()
        assert 200 <= answer.status < 300, (answer.status, raw[:300])
        found: dict[str, Any] = json.loads(raw)
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def add_peer(self) -> dict[str, Any]:
        """Post a peer with a fresh key."""
        return self.call("POST", "/api/wg/add-peer", {"public_key": new_public_key()})


def new_public_key() -> str:
    """Any 32 bytes are a public key."""
    return b64encode(secrets.token_bytes(32)).decode()


class JobWatch:
    """Reads job rows beside the product, so that watching costs neither web nor worker anything."""

    def __init__(self, database: Path | str) -> None:
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: psycopg.Connection[Any] | None = None
        if isinstance(database, Path):
            self._sqlite = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)
        else:
            self._postgres = cluster_connection(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in (self._sqlite, self._postgres):
            if connection is not None:
                connection.close()

    def status(self, job: str) -> str:
        """The status of a job, by its public id."""
        if self._sqlite is not None:
            row = self._sqlite.execute(
                "SELECT status FROM gateways_job WHERE uuid = ?", (job.replace("-", ""),)
            ).fetchone()
        else:
            assert self._postgres is not None
            row = self._postgres.execute(
                "SELECT status FROM gateways_job WHERE uuid = %s", (job,)
            ).fetchone()
        return str(row[0]) if row else ""

    def wait(self, job: str, *, seconds: float = 60.0) -> None:
        """Wait until the job has succeeded; AssertionError when it failed or takes too long."""
        end = time.monotonic() + seconds
        while (status := self.status(job)) != "succeeded":
            assert status != "failed", f"job {job} failed"
            assert time.monotonic() < end, f"job {job} is {status!r} after {seconds} s"
            time.sleep(POLL_S)
