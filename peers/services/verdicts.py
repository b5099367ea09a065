"""Verdicts on clients whose bytes have moved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime


def judge(*, client_ids: Collection[int], at: datetime) -> None:
    """Judge these clients in the caller's transaction, after their usage was written.

    For now nothing follows from it: the ledger counts before limits are kept by it.
    """
