"""Who is asked in, and as what."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.forms import PageForm
from resellers.services.members import Person
from rest.errors import Refusal
from tenants.models import Membership

ROLES = [
    (Membership.Role.VIEWER, _("viewer: looks, and changes nothing")),
    (Membership.Role.MANAGER, _("manager: clients and plans")),
    (Membership.Role.OWNER, _("owner: everything, members and tokens too")),
]


class MemberForm(PageForm):
    """A person by e-mail address, or by the user name of an account without one."""

    who = forms.CharField(
        label=_("E-mail or name"),
        max_length=254,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
        help_text=_("An address that nobody has gets an account: its password is set by mail."),
    )
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=Membership.Role.MANAGER)

    def refuse(self, refusal: Refusal) -> int:
        """Show a refusal of the person at the one field."""
        refusal.field = "who" if refusal.field in ("email", "username") else refusal.field
        return super().refuse(refusal)

    def person(self) -> Person:
        """As the service names people."""
        who = self.cleaned_data["who"]
        return Person(email=who) if "@" in who else Person(username=who)


class RoleForm(PageForm):
    """Another role."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLES)
