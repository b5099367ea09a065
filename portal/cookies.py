"""The cookie that keeps a reader's theme where nobody is signed in. It holds a word, no secret."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

from tenants.models import User

THEME_COOKIE: Final = "vwg-theme"
THEMES: Final = ("light", "dark")
_YEAR: Final = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """The theme that the account keeps, or else this browser: "light", "dark", or "" for what the
    system says.
    """
    user = getattr(request, "user", None)
    chosen = user.theme if isinstance(user, User) else ""
    chosen = chosen or request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def keep_theme(request: HttpRequest, response: HttpResponse, theme: str) -> None:
    """Keep the theme in this browser; anything but light and dark means: as the system."""
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            theme,
            max_age=_YEAR,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
