"""The shape of the global settings."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.forms import Code, Lines, PageForm, Whole


class SettingsForm(PageForm):
    """Defaults that interfaces and clients inherit."""

    endpoint_address = Code(
        max_length=255,
        label=_("What clients dial"),
        help_text=_("A name or an address. Empty: each gateway's own address."),
    )
    relay_endpoint = Code(max_length=255, label=_("Relay"))
    dns_servers = Lines(
        rows=2, label=_("DNS servers"), help_text=_("One a line. Phones find little without one.")
    )
    default_routes = Lines(
        rows=2,
        label=_("What clients send into the tunnel"),
        help_text=_("Networks, one a line. Empty: everything."),
    )
    mtu = Whole(required=True, label=_("MTU"))
    persistent_keepalive = Whole(required=True, label=_("Keepalive, seconds"))
    firewall_mark = Whole(label=_("Firewall mark"))
    table = Code(required=True, max_length=16, label=_("Routing table"))
    config_file_path = Code(
        max_length=255,
        label=_("Boot file of the default interface"),
        help_text=_("An absolute path to a .conf file. Empty: vwg's own place."),
    )
    timezone = Code(
        required=True, max_length=64, label=_("Time zone"), help_text=_("Of new resellers.")
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("Of new resellers.")
    )
    address_hold_seconds = Whole(
        required=True,
        label=_("Addresses are held back, seconds"),
        help_text=_("After a device is gone, before another may have its address."),
    )
    undelete_seconds = Whole(required=True, label=_("Deleted clients can be brought back, seconds"))
    keep_ledger_days = Whole(required=True, label=_("The ledger is kept, days"))
    keep_quarters_days = Whole(
        required=True,
        label=_("Quarter-hours are kept, days"),
        help_text=_("Then they become days."),
    )
    keep_sessions_days = Whole(required=True, label=_("Sessions are kept, days"))
