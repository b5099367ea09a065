"""The form of a new client: a name is enough. What a value must be, the services decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gateways.models import Interface
from portal.fields import ByteField, ListField, WholeField, dress
from portal.offers import interface_choices, plan_choices
from quotas.models import Plan

NO_PLAN: Final = ""


class CreateForm(forms.Form):
    """What is the same for one new client and for many: the plan, and what is behind "More"."""

    plan = forms.ChoiceField(required=False, label=_("Plan"), widget=forms.RadioSelect)
    interface = forms.ChoiceField(required=False, label=_("Interface"))
    tags = ListField(required=False, label=_("Tags"), help_text=_("With commas between them."))
    quota_bytes = ByteField(
        required=False,
        label=_("Data, both ways"),
        help_text=_("Like 50 GB. Empty: as the plan says."),
    )
    duration_days = WholeField(
        required=False,
        label=_("Days from the first use"),
        help_text=_("Empty: as the plan says."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        plans: Sequence[Plan],
        interfaces: Sequence[Interface],
        plan: UUID | None = None,
    ) -> None:
        super().__init__(data, use_required_attribute=False)
        choices: Any = self.fields["plan"]
        choices.choices = plan_choices(plans)
        if plans:
            choices.choices = [*choices.choices, (NO_PLAN, gettext("No plan"))]
        choices.initial = str(plan or "")
        places: Any = self.fields["interface"]
        places.choices = interface_choices(interfaces)
        if not plans:
            del self.fields["plan"]
        if len(interfaces) < 2:
            del self.fields["interface"]
        dress(self)

    def details(self) -> dict[str, Any]:
        """What the service is told, beside the interface."""
        found = {name: value for name, value in self.cleaned_data.items() if value}
        found.pop("interface", None)
        if "plan" in found:
            found["plan"] = UUID(found["plan"])
        return found


class ClientForm(CreateForm):
    """One new client."""

    name = forms.CharField(
        max_length=120,
        strip=False,
        label=_("Name"),
        help_text=_("Only you see it. It is never written into a file."),
        widget=forms.TextInput(attrs={"class": "in in-lg", "autofocus": True}),
    )
    external_id = forms.CharField(required=False, max_length=120, label=_("Your reference"))
    note = forms.CharField(required=False, max_length=2000, label=_("Note"))
    device_name = forms.CharField(
        required=False,
        max_length=120,
        label=_("Name of the device"),
        help_text=_("Phone, laptop … as you like."),
    )
    public_key = forms.CharField(
        required=False,
        max_length=64,
        label=_("Public key"),
        widget=forms.TextInput(attrs={"class": "in key", "dir": "ltr", "spellcheck": "false"}),
        help_text=_(
            "Empty: vwg makes the key pair. With a key of the customer's own, vwg never sees the "
            "private one."
        ),
    )
    by_customer = forms.BooleanField(
        required=False, label=_("The customer makes the key, by a share link that allows it")
    )

    #: Behind "More".
    FOLDED: Final = (
        "interface", "device_name", "external_id", "tags", "note", "quota_bytes", "duration_days",
        "public_key", "by_customer",
    )  # fmt: skip

    def details(self) -> dict[str, Any]:
        found = super().details()
        by_customer = found.pop("by_customer", False)
        found["preshared_key"] = "generate"
        return {**found, "key_mode": "customer"} if by_customer else found


class ManyForm(CreateForm):
    """Many new clients: names, a pattern, or a table."""

    lines = forms.CharField(
        label=_("Names"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "autofocus": True, "spellcheck": "false"}),
    )

    FOLDED: Final = ("interface", "tags", "quota_bytes", "duration_days")
