"""What an act on many asks for beside whom: a reason, days, bytes, a plan, tags."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from peers.models import BulkRun
from peers.sold import MAX_BYTES
from portal.offers import interface_choices, interfaces_of, plan_choices, plans_of
from tenants.scoping import Caller

GIGABYTE: Final = 10**9
MAX_EXTENSION: Final = 3660


class ActForm(forms.Form):
    """An act that asks for nothing. ``action``: what the bulk service calls it."""

    action = ""
    #: Whether it takes something away: its button is red.
    is_grave = False

    def __init__(self, data: Any = None, *, caller: Caller) -> None:
        super().__init__(data)
        self.caller = caller
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "in"
            field.widget.attrs["aria-describedby"] = f"{name}-err"

    def values(self) -> dict[str, Any]:
        """The arguments of each entry, as the bulk service takes them."""
        return {}


class EnableForm(ActForm):
    action = BulkRun.Action.ENABLE


class DeleteForm(ActForm):
    action = BulkRun.Action.DELETE
    is_grave = True


class DisableForm(ActForm):
    action = BulkRun.Action.DISABLE
    is_grave = True
    note = forms.CharField(
        label=_("Reason"),
        max_length=255,
        required=False,
        help_text=_("Whoever asks later reads it. Customers do not."),
    )

    def values(self) -> dict[str, Any]:
        note = self.cleaned_data["note"]
        return {"note": note} if note else {}


class MoreForm(ActForm):
    """Days, bytes, or both."""

    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=MAX_EXTENSION, required=False)
    gigabytes = forms.DecimalField(
        label=_("GB"), min_value=Decimal("0.001"), max_digits=12, decimal_places=3, required=False
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not self.errors and not (found.get("days") or found.get("gigabytes")):
            raise forms.ValidationError(_("Say how many days or GB."))
        if (found.get("gigabytes") or 0) * GIGABYTE > MAX_BYTES:
            self.add_error("gigabytes", _("That is more than can be counted."))
        return found

    def values(self) -> dict[str, Any]:
        days, size = self.cleaned_data["days"], self.cleaned_data["gigabytes"]
        found: dict[str, Any] = {"days": days} if days else {}
        return {**found, "bytes": int(size * GIGABYTE)} if size else found


class ExtendForm(MoreForm):
    action = BulkRun.Action.EXTEND


class TopUpForm(MoreForm):
    action = BulkRun.Action.TOP_UP


class PlanForm(ActForm):
    action = BulkRun.Action.UPDATE
    plan = forms.ChoiceField(label=_("Plan"))

    def __init__(self, data: Any = None, *, caller: Caller) -> None:
        super().__init__(data, caller=caller)
        self.fields["plan"].choices = plan_choices(plans_of(caller))  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        return {"plan": forms.UUIDField().clean(self.cleaned_data["plan"])}


class MoveForm(ActForm):
    action = BulkRun.Action.MOVE
    is_grave = True
    interface = forms.ChoiceField(label=_("Interface"))

    def __init__(self, data: Any = None, *, caller: Caller) -> None:
        super().__init__(data, caller=caller)
        field: Any = self.fields["interface"]
        field.choices = interface_choices(interfaces_of(caller))

    def values(self) -> dict[str, Any]:
        return {"interface": self.cleaned_data["interface"]}


class TagForm(ActForm):
    action = BulkRun.Action.UPDATE
    add = forms.CharField(
        label=_("Tags to add"), required=False, help_text=_("Several with commas between them.")
    )
    remove = forms.CharField(label=_("Tags to take away"), required=False)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not self.errors and not (_tags(found["add"]) or _tags(found["remove"])):
            raise forms.ValidationError(_("Name a tag."))
        return found

    def values(self) -> dict[str, Any]:
        names = {"add": "add_tags", "remove": "remove_tags"}
        found = {names[name]: _tags(self.cleaned_data[name]) for name in names}
        return {name: tags for name, tags in found.items() if tags}


class ConfigsForm(ActForm):
    """Files as one archive; no change."""


def _tags(text: str) -> list[str]:
    parts = (part.strip() for part in text.replace("،", ",").split(","))
    return list(dict.fromkeys(part for part in parts if part))


#: The name of an act in addresses -> its form.
ACTS: Final[dict[str, type[ActForm]]] = {
    "disable": DisableForm,
    "enable": EnableForm,
    "extend": ExtendForm,
    "top-up": TopUpForm,
    "plan": PlanForm,
    "move": MoveForm,
    "tag": TagForm,
    "delete": DeleteForm,
    "configs": ConfigsForm,
}
