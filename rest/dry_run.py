"""Parameters of the query that several endpoints share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from rest.filters import check_query

DRY_RUN: Final = OpenApiParameter(
    "dry_run", bool, description="Say what it would do, and change nothing."
)


def wants_dry_run(request: Request, allowed: Collection[str] = ()) -> bool:
    """Whether ``?dry_run=true``; every other parameter but ``allowed`` is refused (400)."""
    check_query(request, {"dry_run", *allowed})
    text = request.GET.get("dry_run", "false")
    if text not in ("true", "false"):
        raise ValidationError({"dry_run": [ErrorDetail("This must be true or false.", "invalid")]})
    return text == "true"
