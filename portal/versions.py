"""Two people, one thing: a form names the version it was made from, so that the second is told."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext

from rest.versions import Version

FIELD = "version"


def version_of(request: HttpRequest) -> Version | None:
    """The version that the form was made from; None where it names none."""
    identity, _, number = request.POST.get(FIELD, "").rpartition("-")
    if not identity or not number.isascii() or not number.isdecimal() or len(number) > 18:
        return None
    return Version(identity, int(number))


def stale_note() -> str:
    """What the second of two is told; what was typed stands in the form still."""
    return gettext(
        "Somebody changed this since you opened it. Look at it, then save yours over it."
    )
