"""The shape of the forms of gateways, interfaces and pools."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway, Interface
from portal.forms import Code, Lines, PageForm, Whole

_INHERITED = _("Empty: as the gateway or the settings say.")
_LATER = _("A command a line, run by a shell of the gateway's host at the next bring-up.")


class GatewayForm(PageForm):
    """A host."""

    slug = Code(
        required=True,
        max_length=32,
        label=_("Short name"),
        help_text=_("Names its queue, gateway.NAME, and never changes."),
    )
    name = forms.CharField(required=False, max_length=120, label=_("Name"))
    location = forms.CharField(
        required=False, max_length=64, label=_("Place"), help_text=_("As sellers read it.")
    )
    country = Code(max_length=2, label=_("Country"), help_text=_("Two letters, like DE."))
    endpoint_address = Code(
        max_length=255,
        label=_("What clients dial"),
        help_text=_("A name or an address. Empty: as the settings say, else its own address."),
    )
    relay_endpoint = Code(max_length=255, label=_("Relay"))
    netns = Code(max_length=64, label=_("Network namespace"))
    usage_percent = Whole(
        required=True,
        label=_("Billed per 100 bytes"),
        help_text=_("100: as counted; 0: free; 200: twice."),
    )

    def __init__(self, *args: Any, gateway: Gateway | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if gateway is not None:
            del self.fields["slug"]


class InterfaceForm(PageForm):
    """A WireGuard interface."""

    gateway = forms.ModelChoiceField(
        Gateway.objects.none(), to_field_name="uuid", empty_label=None, label=_("Gateway")
    )
    name = Code(required=True, max_length=15, label=_("Name"), help_text=_("Like wg1."))
    addresses = Lines(
        rows=2,
        label=_("Its own addresses"),
        help_text=_("Like 10.8.0.1/16, one a line. Clients get theirs from these networks."),
    )
    listen_port = Whole(required=True, label=_("UDP port"))
    label = forms.CharField(
        required=False, max_length=64, label=_("Label"), help_text=_("What sellers call it.")
    )
    endpoint_address = Code(max_length=255, label=_("What clients dial"), help_text=_INHERITED)
    relay_endpoint = Code(max_length=255, label=_("Relay"), help_text=_INHERITED)
    dns_servers = Lines(rows=2, label=_("DNS servers"), help_text=_INHERITED)
    mtu = Whole(label=_("MTU"), help_text=_("Empty: as the settings say."))
    firewall_mark = Whole(label=_("Firewall mark"))
    table = Code(max_length=16, label=_("Routing table"))
    nat = forms.BooleanField(
        required=False, label=_("NAT"), help_text=_("Clients leave with the gateway's address.")
    )
    forward = forms.BooleanField(required=False, label=_("Forwarding"))
    is_default = forms.BooleanField(
        required=False, label=_("Default"), help_text=_("Where clients go unless one is named.")
    )
    backend = forms.ChoiceField(
        label=_("Kind of interface"),
        choices=[
            ("auto", _("kernel where there is one, else wireguard-go")),
            ("kernel", _("kernel")),
            ("userspace", "wireguard-go"),
        ],
    )
    restart_policy = forms.ChoiceField(
        label=_("Restart, where nothing else helps"),
        choices=[
            ("auto", _("only when it already carries no traffic")),
            ("always", _("whenever other ways fail")),
            ("never", _("wait for an operator")),
        ],
    )
    pre_up = Lines(label=_("Before it comes up"), help_text=_LATER)
    post_up = Lines(label=_("After it came up"))
    pre_down = Lines(label=_("Before it goes down"))
    post_down = Lines(label=_("After it went down"))

    def __init__(self, *args: Any, interface: Interface | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if interface is None:
            rows = Gateway.objects.exclude(interfaces__simulated=True).order_by("slug")
            self.fields["gateway"].queryset = rows  # type: ignore[attr-defined]
        else:
            for name in ("gateway", "name", "addresses"):
                del self.fields[name]
        if interface is not None and interface.wg_quick:
            for name in OF_WG_QUICK:
                del self.fields[name]
        if interface is not None and interface.is_default:
            del self.fields["is_default"]

    def changes(self) -> dict[str, Any]:
        """What the services are told; what is inherited stays empty."""
        return {**self.cleaned_data}


#: What wg-quick's own file says of an interface that was adopted from it.
OF_WG_QUICK: Final = (
    "nat", "forward", "table", "backend", "pre_up", "post_up", "pre_down", "post_down",
)  # fmt: skip


class PoolForm(PageForm):
    """A further network of an interface."""

    interface = forms.ModelChoiceField(
        Interface.objects.filter(simulated=False)
        .select_related("gateway")
        .order_by("gateway__slug", "name"),
        to_field_name="uuid",
        empty_label=None,
        label=_("Interface"),
    )
    network = Code(
        required=True,
        max_length=64,
        label=_("Network"),
        help_text=_("Like 10.9.0.0/16: its first address becomes the server's."),
    )
    name = forms.CharField(required=False, max_length=64, label=_("Name"))


class PoolNameForm(PageForm):
    """A pool's name."""

    name = forms.CharField(max_length=64, label=_("Name"))
