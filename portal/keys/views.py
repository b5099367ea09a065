"""The list of keys that the pages know."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from portal.doors import shell, signed_in

KEYS: Final = (
    (
        _("A list"),
        (
            (("/",), _("search")),
            (("j", "k"), _("down, up")),
            (("Enter",), _("open")),
            (("x",), _("tick")),
            (("Shift", "x"), _("tick up to here")),
            (("e",), _("extend")),
            (("b",), _("switch off or on")),
            (("q",), _("QR code")),
            (("c",), _("new client")),
            (("Esc",), _("close, then clear the selection")),
        ),
    ),
    (
        _("Go to"),
        (
            (("g", "h"), _("home")),
            (("g", "c"), _("clients")),
            (("g", "g"), _("gateways")),
            (("g", "j"), _("jobs")),
            (("?",), _("this list")),
        ),
    ),
)


@require_GET
@signed_in
def keys(request: HttpRequest) -> HttpResponse:
    """A dialog with all of them."""
    operator = bool(getattr(request.user, "is_operator", False))
    hidden = () if operator else (("g", "g"),)  # gateways are operators' alone
    groups = [(title, [one for one in rows if one[0] not in hidden]) for title, rows in KEYS]
    return render(request, "keys/keys.html", {"groups": groups, "shell": shell(request)})
