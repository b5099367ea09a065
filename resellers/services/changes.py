"""What every change of a tenant's things has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model

M = TypeVar("M", bound=Model)


def take_over(row: Model, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set on the row what differs; return what it was and what it is now, by name."""
    after = {name: value for name, value in values.items() if getattr(row, name) != value}
    before = {name: getattr(row, name) for name in after}
    for name, value in after.items():
        setattr(row, name, value)
    return before, after


def save_changed(row: Any, *names: str) -> None:
    """Save these columns of a row with a version, which rises by one."""
    row.version += 1
    row.save(update_fields=[*names, "version", "updated_at"])
