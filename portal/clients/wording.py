"""Conditions of the list of clients in words: the chips, and the choices behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from portal import formats
from portal.clients.address import Address
from portal.clients.queries import interface_label
from quotas.models import Plan
from tenants.scoping import Caller, visible

#: The conditions that have a chip, with its name. The search has a field.
CHIPS: Final[dict[str, Promise | str]] = {
    "state": _("State"),
    "off": _("Off"),
    "online": _("Online"),
    "connected": _("Used"),
    "plan": _("Plan"),
    "interface": _("Interface"),
    "tag": _("Tag"),
    "ends": _("Ends"),
    "over": _("Usage"),
    "outdated": _("File"),
}
#: Those that can be added one by one; the others come with a view or a link.
OFFERED: Final = ("state", "online", "plan", "interface", "tag", "ends", "over")


@dataclass(frozen=True)
class Chip:
    """A condition that is on. ``without``: the view that it does not narrow down."""

    name: str
    label: str
    value: str
    without: str

    @property
    def words(self) -> str:
        """Label and value; a value that says it all stands alone."""
        return f"{self.label}: {self.value}" if self.label else self.value


def chips_of(address: Address, caller: Caller | None) -> tuple[Chip, ...]:
    """The chips of a view, in the order of the table of conditions."""
    found = []
    for name, value in address.conditions.items():
        if name in CHIPS:
            label = "" if name in _WHOLE else str(CHIPS[name])
            words = value_words(name, value, caller)
            found.append(Chip(name, label, words, address.having(**{name: ""}).query))
    return tuple(found)


_WHOLE: Final = frozenset({"state", "off", "online", "connected", "ends", "over", "outdated"})


def value_words(name: str, value: str, caller: Caller | None) -> str:
    """What a condition says, in the reader's words."""
    if name == "state":
        return str(STATE_WORDS[value])
    if name in _YES_OR_NO:
        return str(_YES_OR_NO[name][value != "true"])
    if name == "ends":
        days = int(value)
        text = ngettext("ends within %s day", "ends within %s days", days)
        return text % formats.number(days)
    if name == "over":
        return gettext("%s %% or more used") % formats.number(int(value))
    if name == "plan":
        return _plan_name(value, caller)
    if name == "interface" and _is_uuid(value):
        return interface_label(value) or value
    return value


STATE_WORDS: Final[dict[str, Promise | str]] = {
    "active": _("On"),
    "pending": _("Applying"),
    "failed": _("Failed"),
    "over-quota": _("Off: quota"),
    "expired": _("Off: expired"),
    "disabled": _("Off: by hand"),
    "suspended": _("Off: suspended"),
    "kicked": _("Off for a moment"),
}
_YES_OR_NO: Final = {
    "off": (_("off"), _("not off")),
    "online": (_("online"), _("not online")),
    "connected": (_("used before"), _("not used yet")),
    "outdated": (_("file outdated"), _("file right")),
}


def _plan_name(value: str, caller: Caller | None) -> str:
    if caller is None:
        return value
    row = visible(Plan.objects.filter(uuid=value), caller).values_list("name", flat=True).first()
    return row or value


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
