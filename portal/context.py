"""What every template of the portal knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from portal.navigation import standing


def frame(request: HttpRequest) -> dict[str, Any]:
    """``standing``: for the menu, the tenant switch and the banner; read when it is shown.
    ``csrf_cookie``: the name of the cookie that portal.js takes a fresh token from.
    ``oidc_name``: of the provider that opens the door too, if there is one.
    """
    return {
        "standing": SimpleLazyObject(lambda: standing(request)),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "oidc_name": settings.VWG_OIDC_NAME if settings.VWG_OIDC_URL else "",
    }
