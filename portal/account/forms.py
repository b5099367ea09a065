"""The shape of the account's forms. What a value must be, the services decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.zones import inhabited
from tenants.models import User

_AS_LANGUAGE = _("As the language")


class Dressed(forms.Form):
    """A form whose fields look like the portal's; shown by ``portal/field.html``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            ticked = isinstance(field.widget, forms.CheckboxInput)
            field.widget.attrs.setdefault("class", "tick" if ticked else "in")


class ProfileForm(Dressed):
    """Who one is, and how the pages read."""

    first_name = forms.CharField(required=False, max_length=150, label=_("First name"))
    last_name = forms.CharField(required=False, max_length=150, label=_("Last name"))
    language = forms.ChoiceField(
        required=False,
        label=_("Language"),
        choices=[("", _("As the browser says")), *settings.LANGUAGES],
    )
    theme = forms.ChoiceField(
        label=_("Theme"),
        choices=[
            (User.Theme.SYSTEM.value, _("As the system")),
            (User.Theme.LIGHT.value, _("Light")),
            (User.Theme.DARK.value, _("Dark")),
        ],
    )
    timezone = forms.ChoiceField(required=False, label=_("Time zone"))
    digits = forms.ChoiceField(
        required=False,
        label=_("Digits"),
        choices=[
            ("", _AS_LANGUAGE),
            ("latin", "0 1 2 3"),
            ("persian", "\u06f0 \u06f1 \u06f2 \u06f3"),
        ],
    )
    calendar = forms.ChoiceField(
        required=False,
        label=_("Calendar"),
        choices=[("", _AS_LANGUAGE), ("gregorian", _("Gregorian")), ("jalali", _("Jalali"))],
    )
    byte_units = forms.ChoiceField(
        label=_("Sizes"),
        choices=[
            ("decimal", _("Decimal: 1 GB is 1,000,000,000 bytes")),
            ("binary", _("Binary: 1 GiB is 1,073,741,824 bytes")),
        ],
    )
    single_keys = forms.BooleanField(
        required=False,
        label=_("Shortcuts of a single key"),
        help_text=_("/ to search, j and k to move, ? for the whole list."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(area, [(name, _city(name)) for name in names]) for area, names in inhabited()]
        loose, *grouped = zones
        known = {name for _area, names in zones for name, _words in names}
        now = self.initial.get("timezone", "")
        kept = [(now, now)] if now and now not in known else []
        self.fields["timezone"].choices = [  # type: ignore[attr-defined]
            ("", _("As the tenant's")), *kept, *loose[1], *grouped
        ]  # fmt: skip


def _city(zone: str) -> str:
    return zone.partition("/")[2].replace("_", " ") or zone
