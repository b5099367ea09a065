"""The shape of the forms about a client. What a value must be, the services decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gateways.models import Interface
from peers.models import Peer
from peers.queries import ClientView
from portal.client.terms import reset_words
from portal.fields import (
    ByteField,
    ListField,
    MomentField,
    ObjectField,
    RateField,
    SpanField,
    WholeField,
    dress,
)
from portal.offers import interface_choices, plan_choices
from quotas.models import Plan


class Fold(NamedTuple):
    """Fields behind a word; open where one of them was refused."""

    title: str
    fields: list[forms.BoundField]
    is_open: bool


class ActForm(forms.Form):
    """What an act on a client is told. ``view`` is the client it acts on."""

    #: The fields that stand behind a word, which keeps the form short.
    FOLDS: Sequence[tuple[Any, Sequence[str]]] = ()

    def __init__(
        self,
        data: Any = None,
        *,
        view: ClientView,
        plans: Sequence[Plan] = (),
        interfaces: Sequence[Interface] = (),
        peer: Peer | None = None,
    ) -> None:
        self.view, self.plans, self.interfaces, self.peer = view, plans, interfaces, peer
        super().__init__(data, use_required_attribute=False)
        self.arrange()
        dress(self)

    def arrange(self) -> None:
        """Fill in what depends on the client."""

    @property
    def plain(self) -> list[forms.BoundField]:
        """The fields that are seen at once."""
        folded = {name for _title, names in self.FOLDS for name in names}
        return [self[name] for name in self.fields if name not in folded]

    @property
    def folds(self) -> list[Fold]:
        """The others."""
        return [
            Fold(title, fields, self.is_bound and any(one.errors for one in fields))
            for title, names in self.FOLDS
            if (fields := [self[name] for name in names if name in self.fields])
        ]

    def details(self) -> dict[str, Any]:
        """What the service is told besides the client."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class ReasonForm(ActForm):
    """Why."""

    note = forms.CharField(
        required=False,
        max_length=255,
        label=_("Reason"),
        help_text=_("Shown on this page and in the history. The customer does not see it."),
    )


class KickForm(ActForm):
    """For how long."""

    seconds = WholeField(label=_("Seconds"), initial=60)


class MoreForm(ActForm):
    """Days, bytes, or both."""

    days = WholeField(required=False, min_value=1, max_value=3660, label=_("Days more"))
    number = ByteField(required=False, label=_("Data more"), help_text=_("Like 10 GB."))

    def arrange(self) -> None:
        client = self.view.client
        if client.expires_at is None and client.duration_days is None:
            del self.fields["days"]
        if client.quota_bytes is None:
            del self.fields["number"]
        first = next(iter(self.fields.values()), None)
        if first is not None:
            first.widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(cleaned.values()):
            raise forms.ValidationError(gettext("Say how much more: days, data, or both."))
        return cleaned


class ExtendForm(MoreForm):
    """More for good."""

    def arrange(self) -> None:
        super().arrange()
        if "days" in self.fields:
            self.fields["days"].initial = 30
        if "number" in self.fields:
            self.fields["number"].help_text = gettext(
                "Like 10 GB. It is there in every period from now on."
            )


class TopUpForm(MoreForm):
    """More for the period that runs."""

    field_order = ("number", "days")


class MoveForm(ActForm):
    """Where to."""

    interface = forms.ChoiceField(label=_("Interface"))

    def arrange(self) -> None:
        there = {device.peer.interface_id for device in self.view.devices}
        field: Any = self.fields["interface"]
        field.choices = interface_choices(one for one in self.interfaces if {one.pk} != there)


class PlanForm(ActForm):
    """Which plan, when, and what becomes of the period."""

    plan = forms.ChoiceField(label=_("Plan"), widget=forms.RadioSelect)
    when = forms.ChoiceField(label=_("When"))
    rest = forms.ChoiceField(label=_("What is left of the data"))

    def arrange(self) -> None:
        plan, when, rest = (self.fields[name] for name in ("plan", "when", "rest"))
        choose: Any = plan
        choose.choices = plan_choices(self.plans)
        client = self.view.client
        plan.initial = str(client.plan.uuid) if client.plan is not None else None
        whens = [("now", gettext("Now"))]
        if client.reset != Plan.Reset.NONE:
            whens.append(("period", gettext("When this period ends")))
        whens.append(("end", gettext("When what was sold ends")))
        when.initial, rest.initial = "now", "keep"
        choose = when
        choose.choices = whens
        choose = rest
        choose.choices = [
            ("keep", gettext("The period goes on, what was used counts (only now)")),
            ("drop", gettext("A new period begins, what is left is gone")),
            ("carry", gettext("A new period begins, what is left goes over into it")),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("when") != "now" and cleaned.get("rest") == "keep":
            cleaned["rest"] = "drop"
        return cleaned

    def details(self) -> dict[str, Any]:
        found = super().details()
        return {**found, "plan": UUID(found["plan"])}


class EditForm(ActForm):
    """What is written about a client, and what was sold. Only what was changed is sent: what
    another person changed meanwhile stays his.
    """

    name = forms.CharField(max_length=120, strip=False, label=_("Name"))
    note = forms.CharField(
        required=False, max_length=2000, label=_("Note"), widget=forms.Textarea(attrs={"rows": 2})
    )
    tags = ListField(required=False, label=_("Tags"), help_text=_("With commas between them."))
    external_id = forms.CharField(required=False, max_length=120, label=_("Your reference"))
    email = forms.CharField(
        required=False, label=_("E-mail"), widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    telegram_id = forms.CharField(
        required=False, label=_("Telegram"), widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    quota_bytes = ByteField(
        required=False, label=_("Data, both ways"), help_text=_("Like 50 GB; empty: no limit.")
    )
    download_quota_bytes = ByteField(required=False, label=_("Data, download"))
    upload_quota_bytes = ByteField(required=False, label=_("Data, upload"))
    reset = forms.ChoiceField(label=_("Data begins anew"))
    expires_at = MomentField(
        required=False, label=_("Ends"), help_text=_("Empty: it does not end.")
    )
    duration_days = WholeField(required=False, label=_("Days from the first use"))
    download_kbit = RateField(
        required=False, label=_("Speed down"), help_text=_("Like 50 Mbit/s; empty: no limit.")
    )
    upload_kbit = RateField(required=False, label=_("Speed up"))
    at_limit = forms.ChoiceField(label=_("At the limit"))
    throttle_kbit = RateField(required=False, label=_("Speed at the limit"))
    starts_at = MomentField(
        required=False, label=_("Begins"), help_text=_("Empty: with the first use, or at once.")
    )
    start_before = MomentField(
        required=False,
        label=_("Begins at the latest"),
        help_text=_("Its days count from then, even if it was never used."),
    )
    grace_seconds = SpanField(
        required=False,
        label=_("Grace after its end"),
        help_text=_("Like 12 h or 3 d: so long it stays on."),
    )
    metadata = ObjectField(
        required=False,
        label=_("Your own data (JSON)"),
        help_text=_('An object for your shop: {"rack": 7}'),
    )
    delete_after_days = WholeField(
        required=False,
        min_value=0,
        label=_("Deleted days after its end"),
        help_text=_("Empty: it is kept."),
    )

    FOLDS = (
        (_("Limits"), (
            "quota_bytes", "download_quota_bytes", "upload_quota_bytes", "reset",
            "download_kbit", "upload_kbit", "at_limit", "throttle_kbit",
        )),
        (_("Dates"), (
            "expires_at", "duration_days", "starts_at", "start_before", "grace_seconds",
            "delete_after_days",
        )),
        (_("More"), ("email", "telegram_id", "metadata")),
    )  # fmt: skip

    def arrange(self) -> None:
        choices: Any = self.fields["reset"]
        choices.choices = [(word, reset_words(word)) for word in Plan.Reset.values]
        choices = self.fields["at_limit"]
        choices.choices = [("disconnect", gettext("off")), ("throttle", gettext("slowed down"))]
        for name, field in self.fields.items():
            value = getattr(self.view.client, name)
            field.show_hidden_initial = True
            field.initial = _minute(value) if isinstance(value, datetime) else value
            if not isinstance(field, MomentField | ObjectField):
                field.initial = field.prepare_value(field.initial)

    def changes(self) -> dict[str, Any]:
        """The fields that were changed, as the service takes them."""
        found = {name: self.cleaned_data[name] for name in self.changed_data}
        if found.get("external_id") == "":
            found["external_id"] = None
        return found


def _minute(value: datetime) -> datetime:
    return value.replace(second=0, microsecond=0)
