"""The shape of the pages' forms. What a value must be, the services decide, as for the API."""

from __future__ import annotations

from typing import Any

from django import forms

from gateways.models import Interface
from tenants.models import DEFAULT_TENANT, Tenant


class DeviceForm(forms.Form):
    """A new client with one device. Only the name is needed."""

    name = forms.CharField(max_length=120, strip=False)
    public_key = forms.CharField(required=False, max_length=64)
    addresses = forms.CharField(required=False, max_length=200)
    client_keepalive = forms.IntegerField(required=False)
    note = forms.CharField(required=False, max_length=2000)
    interface = forms.ModelChoiceField(
        Interface.objects.filter(simulated=False)
        .select_related("gateway")
        .order_by("-is_default", "pk"),
        required=False,
        to_field_name="uuid",
        empty_label=None,
    )
    tenant = forms.ModelChoiceField(
        Tenant.objects.filter(status=Tenant.Status.ACTIVE, sandbox_of=None).order_by("name"),
        required=False,
        to_field_name="slug",
        empty_label=None,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"tenant": DEFAULT_TENANT}, **kwargs})

    def details(self) -> dict[str, Any]:
        """What `peers.services.clients.create_client` is told beyond name, interface, caller."""
        data = self.cleaned_data
        wanted: dict[str, Any] = {"preshared_key": "generate"}
        if data["public_key"]:
            wanted["public_key"] = data["public_key"]
        if data["addresses"]:
            wanted["addresses"] = data["addresses"].replace(",", " ").split()
        if data["client_keepalive"] is not None:
            wanted["client_keepalive"] = data["client_keepalive"]
        if data["note"]:
            wanted["note"] = data["note"]
        return wanted
