"""The shape of the forms about a client's devices and share links."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.client.forms import ActForm
from portal.fields import WholeField, WordsField
from portal.offers import interface_choices


class RotateForm(ActForm):
    """Whose key it will be."""

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


class NewDeviceForm(ActForm):
    """One more device. Nothing needs to be said."""

    device_name = forms.CharField(
        required=False,
        max_length=120,
        label=_("Name"),
        widget=forms.TextInput(attrs={"autofocus": True}),
        help_text=_("Phone, laptop … as you like."),
    )
    interface = forms.ChoiceField(required=False, label=_("Interface"))
    public_key = RotateForm.base_fields["public_key"]
    by_customer = forms.BooleanField(
        required=False, label=_("The customer makes the key, by a share link that allows it")
    )

    def arrange(self) -> None:
        if len(self.interfaces) < 2:
            del self.fields["interface"]
            return
        field: Any = self.fields["interface"]
        field.choices = interface_choices(self.interfaces)

    def details(self) -> dict[str, Any]:
        found = super().details()
        by_customer = found.pop("by_customer", False)
        wanted = {"preshared_key": "generate", **found}
        return {**wanted, "key_mode": "customer"} if by_customer else wanted


class DeviceForm(ActForm):
    """What may be changed of a device. Only what was changed is sent."""

    device_name = forms.CharField(required=False, max_length=120, label=_("Name"))
    addresses = WordsField(label=_("Addresses"), widget=forms.TextInput(attrs={"dir": "ltr"}))
    networks = WordsField(
        required=False,
        label=_("Networks behind it"),
        widget=forms.TextInput(attrs={"dir": "ltr"}),
        help_text=_("For a router: 192.168.8.0/24"),
    )
    mtu = WholeField(required=False, label=_("MTU"), help_text=_("Empty: as the settings say."))
    client_keepalive = WholeField(
        required=False, label=_("Keepalive, seconds"), help_text=_("Empty: as the settings say.")
    )

    dns_servers = WordsField(
        required=False,
        label=_("DNS servers"),
        widget=forms.TextInput(attrs={"dir": "ltr"}),
        help_text=_("Empty: as the settings say."),
    )
    routes = WordsField(
        required=False,
        label=_("What goes through the tunnel"),
        widget=forms.TextInput(attrs={"dir": "ltr"}),
        help_text=_("Networks, for a split tunnel. Empty: as the settings say."),
    )
    endpoint_override = forms.CharField(
        required=False,
        max_length=255,
        label=_("Endpoint in its file"),
        widget=forms.TextInput(attrs={"dir": "ltr"}),
        help_text=_("Like relay.example.net:51820. Empty: the gateway's own."),
    )
    persistent_keepalive = WholeField(
        required=False,
        label=_("Keepalive of the server, seconds"),
        help_text=_("Empty: none."),
    )

    FOLDS = (
        (_("More"), (
            "mtu", "client_keepalive", "dns_servers", "routes", "endpoint_override",
            "persistent_keepalive",
        )),
    )  # fmt: skip

    def arrange(self) -> None:
        device = next(one for one in self.view.devices if one.peer == self.peer)
        values = {
            "device_name": device.peer.name,
            "addresses": [text.partition("/")[0] for text in device.addresses],
            "networks": list(device.networks),
            "mtu": device.peer.mtu,
            "client_keepalive": device.peer.client_keepalive,
            "dns_servers": [] if device.peer.use_server_dns else device.peer.dns_servers,
            "routes": device.peer.routes,
            "endpoint_override": device.peer.endpoint_override,
            "persistent_keepalive": device.peer.persistent_keepalive,
        }
        for name, value in values.items():
            field = self.fields[name]
            field.initial = field.prepare_value(value)

    def details(self) -> dict[str, Any]:
        found = {name: self.cleaned_data[name] for name in self.changed_data}
        for name in ("dns_servers", "routes"):
            if found.get(name) == []:
                found[name] = None  # as the settings say
        return found


class LinkForm(ActForm):
    """A new share link."""

    device = forms.ChoiceField(label=_("Device"))
    name = forms.CharField(
        required=False, max_length=120, label=_("Name"), help_text=_("For you: whom it is for.")
    )
    days = forms.ChoiceField(label=_("Works for"))
    single_use = forms.BooleanField(
        required=False, label=_("For one use: it ends with the first look at the file")
    )
    allows_key = forms.BooleanField(
        required=False, label=_("May set the device's key, while it waits for one")
    )

    def arrange(self) -> None:
        devices: Any = self.fields["device"]
        devices.choices = [
            (str(one.peer.uuid), one.peer.name or one.addresses[0].partition("/")[0])
            for one in self.view.devices
        ]
        days: Any = self.fields["days"]
        days.choices = [
            ("1", gettext("1 day")),
            ("7", gettext("7 days")),
            ("30", gettext("30 days")),
            ("365", gettext("a year")),
            ("0", gettext("until it is revoked")),
        ]
        days.initial = "30"
        waits = [one for one in self.view.devices if one.peer.awaits_key]
        if waits:
            self.fields["allows_key"].initial = True
            devices.initial = str(waits[0].peer.uuid)
        else:
            del self.fields["allows_key"]
        if len(self.view.devices) == 1:
            devices.initial = str(self.view.devices[0].peer.uuid)
            devices.widget = forms.HiddenInput()
