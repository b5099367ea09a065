"""What `If-Match` and `ETag` say of a row, for tests that name a version by its number."""

from __future__ import annotations

from typing import Any
from uuid import UUID


def tag(of: Any, version: int) -> str:
    """The tag of that version of a row, or of the row that a body of the API shows."""
    identity = UUID(of["id"]) if isinstance(of, dict) else of.uuid
    return f'"{identity.hex[:12]}-{version}"'


def stateless(etag: str) -> str:
    """An ETag less its state: row and version, as `tag` writes them."""
    return f'"{"-".join(etag.strip(chr(34)).split("-")[:2])}"'
