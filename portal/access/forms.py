"""A new token's form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.utils.timezone import now as clock
from django.utils.translation import gettext_lazy as _

from portal.forms import Lines, PageForm
from resellers.services.tokens import TokenWish
from tenants.permissions import EVERYTHING, READS, SCOPES
from tenants.scoping import Caller

_KINDS = [
    (EVERYTHING, _("everything that you may")),
    (READS, _("look at everything, change nothing")),
    ("some", _("what is ticked below")),
]
_LIVES: Final = [
    ("", _("until it is revoked")),
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("a year")),
]


class TokenForm(PageForm):
    """Name and reach; the rest narrows it."""

    name = forms.CharField(label=_("Name"), max_length=120, strip=False)
    kind = forms.ChoiceField(label=_("It may"), choices=_KINDS, initial="some")
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), required=False, widget=forms.CheckboxSelectMultiple
    )
    expires_at = forms.ChoiceField(
        label=_("It works"), choices=_LIVES, required=False, initial="365"
    )
    allowed_cidrs = Lines(
        label=_("Only from these networks"),
        rows=2,
        max_length=2500,
        help_text=_("One a line, like 203.0.113.0/24. Empty: from anywhere."),
    )
    sandbox = forms.BooleanField(
        label=_("For the sandbox: its clients reach no real interface"), required=False
    )

    def __init__(self, *args: Any, caller: Caller, granted: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(name, name) for name in SCOPES if name in granted]
        if caller.tenant.is_sandbox:
            del self.fields["sandbox"]

    def wish(self) -> TokenWish:
        """What the service is asked for."""
        data = self.cleaned_data
        chosen = data["scopes"] if data["kind"] == "some" else [data["kind"]]
        days = int(data["expires_at"] or 0)
        return TokenWish(
            name=data["name"],
            scopes=chosen,
            allowed_cidrs=data["allowed_cidrs"],
            expires_at=clock() + timedelta(days=days) if days else None,
            sandbox=data.get("sandbox") or None,
        )
