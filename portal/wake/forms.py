"""The form of a machine that a gateway can wake."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway, WakeHost
from portal.forms import Code, PageForm


class WakeHostForm(PageForm):
    """A machine beside a gateway."""

    gateway = forms.ModelChoiceField(
        Gateway.objects.none(),
        to_field_name="slug",
        empty_label=None,
        label=_("Gateway"),
        help_text=_("The machine stands in its network; the packet leaves from there."),
    )
    name = forms.CharField(max_length=120, label=_("Name"))
    mac = Code(required=True, max_length=17, label=_("MAC address"), help_text="aa:bb:cc:dd:ee:ff")
    link = Code(
        max_length=15,
        label=_("Network card"),
        help_text=_("Of the gateway, like eth0. Empty: where its routes lead."),
    )
    broadcast = Code(
        required=True,
        max_length=15,
        label=_("Broadcast address"),
        help_text=_("255.255.255.255 reaches the network of the card itself."),
    )

    def __init__(self, *args: Any, host: WakeHost | None = None, **kwargs: Any) -> None:
        first = {"broadcast": "255.255.255.255"}
        if host is not None:
            first = {name: getattr(host, name) for name in ("name", "mac", "link", "broadcast")}
        super().__init__(*args, initial=first, **kwargs)
        if host is not None:
            del self.fields["gateway"]
        else:
            places = self.fields["gateway"]
            places.queryset = Gateway.objects.filter(  # type: ignore[attr-defined]
                interfaces__simulated=False
            ).distinct()
