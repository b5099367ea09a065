"""The global settings: what interfaces and clients inherit, and what a change outdates."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from gateways.queries import global_settings
from gateways.services.changes import Edited
from gateways.services.effects import Preview
from gateways.services.settings import update_settings
from portal.doors import may_write, operators_only
from portal.effects import effects, hurts
from portal.settings.forms import SettingsForm
from portal.versions import stale_note, version_of
from rest.errors import Refusal, StaleVersion
from tenants.scoping import caller_of


@require_http_methods(["GET", "POST"])
@operators_only()
def settings(request: HttpRequest) -> HttpResponse:
    """GET: the settings. POST: change them; what that does to files is told first."""
    row = global_settings()
    if request.method == "GET":
        form = SettingsForm(initial={name: getattr(row, name) for name in SettingsForm.base_fields})
        if not may_write(request):
            for field in form.fields.values():
                field.disabled = True
        return _show(request, form, 200)
    form = SettingsForm(request.POST)
    if not form.is_valid():
        return _show(request, form, 400)
    try:
        preview = _change(request, form, dry_run=True).preview
        if hurts(preview) and "confirmed" not in request.POST:
            return _show(request, form, 200, preview)
        edited = _change(request, form, dry_run=False)
    except StaleVersion:
        form.add_error(None, stale_note())
        return _show(request, form, 409)
    except Refusal as refusal:
        return _show(request, form, form.refuse(refusal))
    changed = bool(edited.preview.changes)
    messages.success(
        request, gettext("The settings are changed.") if changed else gettext("Nothing changed.")
    )
    return redirect("settings")


def _change(request: HttpRequest, form: SettingsForm, *, dry_run: bool) -> Edited:
    return update_settings(
        actor=caller_of(request).actor,
        changes=form.cleaned_data,
        at=clock(),
        if_match=version_of(request),
        dry_run=dry_run,
    )


def _show(
    request: HttpRequest, form: SettingsForm, status: int, preview: Preview | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "row": global_settings(),
        "preview": preview,
        "effects": effects(preview) if preview else [],
        "may_write": may_write(request),
    }
    return render(request, "settings/settings.html", context, status=status)
