"""What a tenant's owners say about it: its look, its people's contact, its place, its warnings."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.forms import Code, PageForm
from tenants.models import Tenant

LOOK: Final = (
    "brand_name", "brand_color", "brand_color_dark", "support_url", "config_prefix",
    "customers_sign_in",
)  # fmt: skip
CONTACT: Final = ("contact_name", "contact_email", "contact_phone")
PLACE: Final = ("timezone", "language")
WARNINGS: Final = ("warn_percents", "warn_days")


class Numbers(Code):
    """Whole numbers, with commas or spaces between them."""

    default_error_messages = {"invalid": _("Whole numbers, like 80, 95.")}

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(str(one) for one in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[int]:  # type: ignore[override]
        try:
            return [int(part) for part in str(value or "").replace(",", " ").split()]
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid") from None


class TenantForm(PageForm):
    """All of it may be empty but time zone and language."""

    brand_name = forms.CharField(
        label=_("Name that customers see"), max_length=60, required=False, strip=False
    )
    brand_color = Code(
        label=_("Colour"), max_length=7, help_text=_("Like #0a7d8c. Empty: the portal's own.")
    )
    brand_color_dark = Code(
        label=_("Colour on dark"), max_length=7, help_text=_("Empty: the same, made lighter.")
    )
    support_url = Code(
        label=_("Where customers ask for help"),
        max_length=255,
        help_text=_("An address like https://example.org/help."),
    )
    customers_sign_in = forms.BooleanField(
        required=False,
        label=_("Customers may sign in"),
        help_text=_(
            "Whom you invite on a client's page sees that client with a login of their own: usage,"
            " devices, files. Turned off, it is gone at once; turned on again, it is back."
        ),
    )
    config_prefix = Code(
        label=_("Beginning of file names"),
        max_length=8,
        help_text=_("Up to 8 of a-z, 0-9 and dashes."),
    )
    contact_name = forms.CharField(label=_("Contact"), max_length=120, required=False)
    contact_email = Code(label=_("E-mail"), max_length=254)
    contact_phone = Code(label=_("Telephone"), max_length=32)
    timezone = Code(
        label=_("Time zone"),
        max_length=64,
        help_text=_("Whose days and months count, like Asia/Tehran."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    warn_percents = Numbers(
        label=_("Warn at, percent of a volume"), help_text=_("Like 80, 95. Empty: never.")
    )
    warn_days = Numbers(
        label=_("Warn before an end, days"), help_text=_("Like 3, 1. Empty: never.")
    )


def values_of(tenant: Tenant) -> dict[str, Any]:
    """The tenant as its form shows it."""
    return {name: getattr(tenant, name) for name in (*LOOK, *CONTACT, *PLACE, *WARNINGS)}
