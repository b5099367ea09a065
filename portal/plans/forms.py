"""A plan's form: volumes in GB, speeds in Mbit/s, as they are sold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.forms import PageForm, Whole
from quotas.models import Plan
from rest.errors import Refusal

GB: Final = 10**9
MBIT: Final = 1000
HOUR: Final = 3600
#: Form field -> column, and how many of the column's units one of the form's is.
SCALED: Final = {
    "total_gb": ("total_bytes", GB),
    "upload_gb": ("upload_bytes", GB),
    "download_gb": ("download_bytes", GB),
    "upload_mbit": ("upload_kbit", MBIT),
    "download_mbit": ("download_kbit", MBIT),
    "throttle_mbit": ("throttle_kbit", MBIT),
    "grace_hours": ("grace_seconds", HOUR),
}
#: Where a service's refusal of a column is shown.
NAMES: Final = {column: name for name, (column, _) in SCALED.items()}
_SAME: Final = (
    "name", "description", "price_label", "duration_days", "start", "start_within_days", "reset",
    "devices", "at_limit", "delete_after_days",
)  # fmt: skip
_STARTS = [
    ("now", _("when it is sold")),
    ("date", _("at a date that the sale names")),
    ("first-handshake", _("with the first connection")),
]
_RESETS = [
    ("none", _("never: it is used up once")),
    ("day", _("every day")),
    ("week", _("every week")),
    ("month", _("on the first of every month")),
    ("month-from-start", _("every month from its start")),
    ("year", _("every year")),
]
_LIMITS = [("disconnect", _("switch off")), ("throttle", _("slow down"))]


def _amount(label: Any, **options: Any) -> forms.DecimalField:
    wide = {"max_digits": 13, "decimal_places": 3, "min_value": 0, "required": False}
    widget = forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr", "autocomplete": "off"})
    return forms.DecimalField(label=label, widget=widget, **{**wide, **options})


class PlanForm(PageForm):
    """Only the name is needed; what is left empty has no limit."""

    name = forms.CharField(label=_("Name"), max_length=120, strip=False)
    total_gb = _amount(_("Volume, GB"), help_text=_("Both directions together. Empty: no limit."))
    duration_days = Whole(label=_("Runs for, days"), help_text=_("Empty: it never ends."))
    reset = forms.ChoiceField(label=_("The volume begins anew"), choices=_RESETS, initial="none")
    devices = Whole(label=_("Devices"), initial=1)
    download_mbit = _amount(_("Download, Mbit/s"), help_text=_("Empty: no limit."))
    upload_mbit = _amount(_("Upload, Mbit/s"), help_text=_("Empty: no limit."))
    at_limit = forms.ChoiceField(
        label=_("When the volume is used up"), choices=_LIMITS, initial="disconnect"
    )
    throttle_mbit = _amount(_("Slow down to, Mbit/s"), help_text=_("Only for “slow down”."))
    start = forms.ChoiceField(label=_("The time begins"), choices=_STARTS, initial="now")
    start_within_days = Whole(
        label=_("First connection within, days"), help_text=_("Empty: whenever it comes.")
    )
    upload_gb = _amount(_("Upload apart, GB"), help_text=_("Instead of the volume of both."))
    download_gb = _amount(_("Download apart, GB"), help_text=_("Instead of the volume of both."))
    grace_hours = _amount(_("Goes on after its end, hours"))
    delete_after_days = Whole(
        label=_("Deleted after its end, days"),
        help_text=_("Empty: it is kept until you delete it."),
    )
    price_label = forms.CharField(label=_("Price, as you show it"), max_length=60, required=False)
    description = forms.CharField(label=_("Description"), max_length=500, required=False)

    def refuse(self, refusal: Refusal) -> int:
        """Show a refusal at the field that stands for the column."""
        refusal.field = NAMES.get(refusal.field or "", refusal.field)
        return super().refuse(refusal)

    def columns(self) -> dict[str, Any]:
        """What the services take."""
        data = self.cleaned_data
        found: dict[str, Any] = {name: data[name] for name in _SAME}
        found["devices"] = 1 if data["devices"] is None else data["devices"]
        for name, (column, unit) in SCALED.items():
            amount: Decimal | None = data[name]
            found[column] = None if amount is None else int(amount * unit)
        found["grace_seconds"] = found["grace_seconds"] or 0
        return found


def values_of(plan: Plan) -> dict[str, Any]:
    """The plan as its form shows it."""
    found: dict[str, Any] = {name: getattr(plan, name) for name in _SAME}
    for name, (column, unit) in SCALED.items():
        stored = getattr(plan, column)
        found[name] = None if not stored else _plain(Decimal(stored) / unit)
    return found


def _plain(amount: Decimal) -> str:
    """Without an exponent and without zeros that say nothing."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
