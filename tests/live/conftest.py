"""What the live tests share: measured figures, and a running vwg with customers around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.site import Site
from tests.stack.conftest import short_path
from tests.stack.processes import Stack

Figure = Callable[[str, object], None]


def note_figure(name: str, value: object) -> None:
    """Print a measured figure, and append it to the file that VWG_FIGURES names."""
    line = f"FIGURE {name}={value:.3f}" if isinstance(value, float) else f"FIGURE {name}={value}"
    print(f"\n{line}")
    if path := os.environ.get("VWG_FIGURES"):
        with Path(path).open("a") as file:
            file.write(f"{line}\n")


@pytest.fixture
def figure() -> Figure:
    return note_figure


@pytest.fixture(scope="package")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running vwg of all files that measure."""
    with Stack(short_path(tmp_path_factory)) as running:
        yield running


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A running vwg with a laboratory around it, shared by the tests of one file; files that
    measure come to one vwg, one after the other, each with a laboratory of its own.
    """
    alone = request.node.get_closest_marker("alone")
    stack = request.getfixturevalue("measured") if alone else None
    with Site(short_path(tmp_path_factory), stack=stack) as running:
        yield running


@pytest.fixture
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same for one test alone, which does to the interface what no other could live with."""
    with Site(short_path(tmp_path_factory)) as running:
        yield running
