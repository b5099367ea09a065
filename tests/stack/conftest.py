"""The running stack, once on SQLite and once on PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.processes import Stack

#: `make test` starts a private PostgreSQL and names it here; without it only SQLite is meant.
CLUSTER_URL = os.environ.get("VWG_TEST_DATABASE_URL")


@pytest.fixture(scope="module", params=["sqlite", *(["postgresql"] if CLUSTER_URL else [])])
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A whole vwg, shared by the tests of one file; what a test kills it starts again."""
    cluster_url = CLUSTER_URL if request.param == "postgresql" else None
    with Stack(short_path(tmp_path_factory), cluster_url=cluster_url) as running:
        yield running


def short_path(factory: pytest.TempPathFactory) -> Path:
    """A fresh directory whose sockets' names fit."""
    return factory.mktemp("stack") / "s"
