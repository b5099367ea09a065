"""The shape of a reseller's forms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from gateways.models import Interface
from portal.amounts import ByteCount, Speed
from portal.forms import Code, PageForm, Whole
from resellers.services.members import Person
from tenants.models import Membership, Tenant

ROLES = [
    (Membership.Role.OWNER.value, _("Owner")),
    (Membership.Role.MANAGER.value, _("Manager")),
    (Membership.Role.VIEWER.value, _("Viewer")),
]
#: Of a form, which are columns of the reseller and go to the service as they are.
LIMITS = (
    "max_clients", "max_devices_per_client", "max_bytes_per_period", "pool_counts", "pool_reset",
    "pool_stops", "max_speed_kbit", "requests_per_minute",
)  # fmt: skip
CONTACT = ("contact_name", "contact_email", "contact_phone")


class TenantForm(PageForm):
    """A reseller: its name, limits, contact, place."""

    name = forms.CharField(max_length=120, label=_("Name"), strip=False)
    slug = Code(
        max_length=48,
        label=_("Short name"),
        help_text=_("In addresses; never changes. Empty: made of the name."),
    )
    owner = Code(
        max_length=254,
        label=_("Owner's e-mail address"),
        help_text=_("A person who has no account yet gets one. May be empty."),
    )
    max_clients = Whole(label=_("Clients, at most"), help_text=_("Empty: no limit."))
    max_devices_per_client = Whole(label=_("Devices of a client, at most"))
    max_bytes_per_period = ByteCount(
        label=_("Pool"), help_text=_("Like 500 GB or 2 TB; empty: no limit.")
    )
    pool_counts = forms.ChoiceField(
        label=_("What counts against the pool"),
        choices=[("used", _("what clients used")), ("sold", _("what was sold to clients"))],
    )
    pool_reset = forms.ChoiceField(
        label=_("A new period begins"),
        choices=[
            ("none", _("never")),
            ("day", _("every day")),
            ("week", _("every week")),
            ("month", _("every month")),
            ("year", _("every year")),
        ],
    )
    pool_stops = forms.ChoiceField(
        label=_("When the pool is used up"),
        choices=[("all", _("all clients stop")), ("new", _("no new client is made"))],
    )
    max_speed_kbit = Speed(
        label=_("Fastest speed of a client"), help_text=_("Like 100 Mbit/s; empty: no limit.")
    )
    requests_per_minute = Whole(label=_("API requests a minute"))
    interfaces_limited = forms.BooleanField(
        required=False,
        label=_("Only on these interfaces"),
        help_text=_("Else on all, also on those that come later."),
    )
    interfaces = forms.MultipleChoiceField(
        required=False,
        label=_("Interfaces"),
        widget=forms.CheckboxSelectMultiple({"class": "tick"}),
    )
    contact_name = forms.CharField(required=False, max_length=120, label=_("Contact"))
    contact_email = Code(max_length=254, label=_("E-mail address"))
    contact_phone = Code(max_length=32, label=_("Telephone"))
    timezone = Code(required=True, max_length=64, label=_("Time zone"))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, tenant: Tenant | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Interface.objects.filter(simulated=False).select_related("gateway")
        rows = rows.order_by("gateway__slug", "name")
        self.fields["interfaces"].choices = [  # type: ignore[attr-defined]
            (str(row.uuid), f"{row} {row.label}".strip()) for row in rows
        ]
        if tenant is not None:
            del self.fields["slug"], self.fields["owner"]

    def wanted(self) -> dict[str, Any]:
        """What the services are told."""
        data = self.cleaned_data
        chosen = [UUID(text) for text in data["interfaces"]]
        return {
            "name": data["name"],
            "timezone": data["timezone"],
            "language": data["language"],
            "interfaces": chosen if data["interfaces_limited"] else None,
            **{name: data[name] for name in (*LIMITS, *CONTACT)},
        }


def initial(tenant: Tenant) -> dict[str, Any]:
    """The reseller as its form shows it."""
    names = ("name", "timezone", "language", *LIMITS, *CONTACT)
    return {
        **{name: getattr(tenant, name) for name in names},
        "interfaces_limited": tenant.limits_interfaces,
        "interfaces": [str(row.uuid) for row in tenant.interfaces.all()],
    }


class MemberForm(PageForm):
    """Somebody, and what he may do."""

    who = Code(
        required=True,
        max_length=254,
        label=_("E-mail address or user name"),
        help_text=_("For an address that nobody has, an account is made."),
    )
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial="manager")

    def person(self) -> Person:
        """Who is meant."""
        return person(self.cleaned_data["who"])


def person(text: str) -> Person:
    """Somebody as he is named: by e-mail address, or by user name."""
    return Person(email=text) if "@" in text else Person(username=text)
