"""One running world for all faults, and the figures that a test measured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.world import Caller, World
from tests.live.conftest import Figure, note_figure
from tests.stack.conftest import short_path


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A whole vwg on SQLite, as talkative as it gets; what a test kills it starts again."""
    with World(short_path(tmp_path_factory), settings={"LOG_LEVEL": "DEBUG"}) as running:
        yield running


@pytest.fixture(scope="package")
def token(world: World) -> str:
    """Of the default tenant, for everything."""
    return world.token()


@pytest.fixture
def caller(world: World, token: str) -> Iterator[Caller]:
    with Caller(world, token) as caller:
        yield caller


@pytest.fixture
def figure() -> Figure:
    """Print ``FIGURE name=value``."""
    return note_figure
