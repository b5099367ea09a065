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
    return render(request, "keys/keys.html", {"groups": KEYS, "shell": shell(request)})
