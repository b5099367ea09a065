"""What every template of the portal knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from portal.navigation import standing


def frame(request: HttpRequest) -> dict[str, Any]:
    """``standing``: for the menu, the tenant switch and the banner; read when it is shown."""
    return {"standing": SimpleLazyObject(lambda: standing(request))}
