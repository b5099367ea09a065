"""The shape of the account's forms. What a value must be, the services decide."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.mfa.adapter import get_adapter as get_factors
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.zones import inhabited
from tenants.models import User

_AS_LANGUAGE = _("As the language")

#: What allauth lets through from a credential that is malformed.
_UNSOUND = (AttributeError, KeyError, TypeError, ValueError)


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


class ChangePasswordForm(allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """The present password and another one."""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        if data.get("password1") and data["password1"] == data.get("oldpassword"):
            self.add_error("password1", get_adapter().validation_error("same_as_current"))
        return data


class ForgottenForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Whose password is forgotten. That nobody has the address shows nowhere: a mail is written
    for it as for any other, and thrown away (`AccountAdapter.send_mail`).
    """

    users: list[User]

    def clean_email(self) -> str:
        email = str(super().clean_email())
        # Without an address, for allauth would keep one.
        self.users = self.users or [User(pk=0, username="nobody")]
        return email


class _Sound:
    """A credential that no browser makes is a wrong one, and no fault of ours."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _UNSOUND as error:
            raise get_factors().validation_error("incorrect_code") from error


class PasskeyForm(_Sound, passkeys.LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey opens the door by itself."""


class FactorForm(_Sound, passkeys.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """It does so after the password."""


class AgainForm(_Sound, passkeys.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """It shows that it is still the same person."""


class AddPasskeyForm(passkeys.AddWebAuthnForm):  # type: ignore[misc]
    """A new one, with a name to tell it by."""

    def clean(self) -> dict[str, Any]:
        try:
            data: dict[str, Any] = super().clean()
        except _UNSOUND as error:
            raise get_factors().validation_error("incorrect_code") from error
        return data
