"""What repeats one proof with other values: a few of them in `make test`, all in `make proof`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def few(values: Iterable[Any], quick: Collection[Any]) -> list[Any]:
    """Parameters: the quick ones as they are, the others marked `proof`."""
    return [
        value if value in quick else pytest.param(value, marks=pytest.mark.proof)
        for value in values
    ]
