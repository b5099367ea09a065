"""Where one is signed in, and how to end it there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from portal import formats
from portal.doors import actor_of, me, signed_in
from resellers.services.people import end_sessions

#: The first that is found in a browser's description counts: most name others' names too.
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A browser somebody is signed in with."""

    key: int
    browser: str
    system: str
    address: str
    since: datetime
    here: bool


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def sessions(request: HttpRequest) -> HttpResponse:
    """Show them; end one, or all but this one."""
    user = me(request)
    found = UserSession.objects.purge_and_list(user)
    if request.method == "POST":
        wanted = request.POST.get("session", "")
        chosen = [
            row
            for row in found
            if (wanted == "others" and not row.is_current()) or wanted == str(row.pk)
        ]
        end_sessions(user=user, sessions=chosen, actor=actor_of(request, user))
        text = ngettext("%s session was ended.", "%s sessions were ended.", len(chosen))
        messages.success(request, text % formats.number(len(chosen)))
        return redirect("usersessions_list")
    places = sorted(map(_place, found), key=lambda place: (not place.here, -place.key))
    return render(request, "account/sessions.html", {"places": places})


def _place(row: UserSession) -> Place:
    described = row.user_agent
    return Place(
        key=row.pk,
        browser=_named(described, _BROWSERS) or _("Another browser"),
        system=_named(described, _SYSTEMS),
        address="" if row.ip == "::" else row.ip,
        since=row.created_at,
        here=row.is_current(),
    )


def _named(described: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for sign, name in names if sign in described), "")
