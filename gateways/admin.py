"""The admin site's view of gateways: what is wanted may be edited, what was seen may be read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext, pgettext_lazy

from audit.events import Actor
from gateways.models import (
    AddressPool,
    Gateway,
    GlobalSetting,
    Heartbeat,
    Interface,
)
from gateways.services.changes import Edited
from gateways.services.gateways import update_gateway
from gateways.services.interfaces import update_interface
from gateways.services.settings import update_settings
from rest.errors import Refusal
from rest.forms import AbstractForm
from tenants.models import User
from tenants.scoping import caller_of

_INTERFACE_SEEN = (
    "state", "state_reason", "observed_at", "observed_backend", "observed_peers", "drift",
    "guard_keys", "guard_since", "cutoff", "shaping", "stamp", "apply_seq", "observed_seq",
    "boot_id",
    "boot_dirty_since",
)  # fmt: skip


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that only vwg itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def may_act(request: HttpRequest) -> bool:
    """Whether an operator may do more than look."""
    return getattr(request.user, "operator", "") == User.Operator.FULL


def act_on_each(
    site: admin.ModelAdmin[Any],
    request: HttpRequest,
    rows: QuerySet[Any],
    act: Callable[[Any], object],
) -> None:
    """One act, one transaction and one event for each row: a refusal stops that row alone."""
    done = 0
    for row in rows:
        try:
            with transaction.atomic():
                act(row)
        except Refusal as refusal:
            site.message_user(request, f"{row}: {refusal.message}", messages.ERROR)
        else:
            done += 1
    if done:
        words = ngettext("Done for %s row.", "Done for %s rows.", done)
        site.message_user(request, words % done, messages.SUCCESS)


class ServedForm(AbstractForm):
    """A form whose values the service judges, by a dry run; what it refuses stands at its field."""

    #: The acting operator, and whether the row is there already; set by `ServedAdmin`.
    actor: Actor
    present = False

    @abstractmethod
    def edit(self, changes: dict[str, Any], *, dry_run: bool) -> Edited:
        """Hand the changes to the service."""

    def changes(self) -> dict[str, Any]:
        """The fields that the operator changed, with their values."""
        return {n: self.cleaned_data[n] for n in self.changed_data if n in self.cleaned_data}

    def clean(self) -> dict[str, Any]:
        """Have the service say what it thinks of them."""
        if self.present and not self.errors:
            try:
                self.edit(self.changes(), dry_run=True)
            except Refusal as error:
                field = error.field if error.field in self.fields else None
                self.add_error(field, error.message)
        return self.cleaned_data


class ServedAdmin(admin.ModelAdmin[Any]):
    """Rows that operators may change here, through the services that the API calls too."""

    form: type[ServedForm]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> type[ServedForm]:
        """The form, told who acts."""
        form = super().get_form(request, obj, change=change, **options)
        told = {"actor": caller_of(request).actor, "present": change}
        return cast(type[ServedForm], type(form.__name__, (form,), told))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Have the service do it, in the transaction of the admin's view; and say what it does."""
        edited = form.edit(form.changes(), dry_run=False)
        if form.changed_data:
            self.message_user(request, edited.preview.summary)


class SettingsForm(ServedForm):
    def edit(self, changes: dict[str, Any], *, dry_run: bool) -> Edited:
        return update_settings(
            actor=self.actor, changes=changes, at=timezone.now(), dry_run=dry_run
        )


class GatewayForm(ServedForm):
    def edit(self, changes: dict[str, Any], *, dry_run: bool) -> Edited:
        return update_gateway(
            actor=self.actor, gateway_id=self.instance.uuid, changes=changes, dry_run=dry_run
        )


class InterfaceForm(ServedForm):
    def edit(self, changes: dict[str, Any], *, dry_run: bool) -> Edited:
        return update_interface(
            actor=self.actor,
            interface_id=self.instance.uuid,
            changes=changes,
            at=timezone.now(),
            dry_run=dry_run,
        )


@admin.register(GlobalSetting)
class GlobalSettingAdmin(ServedAdmin):
    """The one row of defaults."""

    form = SettingsForm
    list_display = ("__str__", "endpoint_address", "mtu", "persistent_keepalive", "updated_at")
    readonly_fields = ("updated_at", "version", "config_generation")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A migration made it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: GlobalSetting | None = None) -> bool:
        return False


@admin.register(Gateway)
class GatewayAdmin(ServedAdmin):
    """Hosts. They are made and deleted by the API; the slug names a queue, and never changes."""

    form = GatewayForm
    list_display = ("slug", "name", "endpoint_address", "last_seen_at", "alarm")
    search_fields = ("slug", "name", "endpoint_address", "uuid")
    readonly_fields = (
        "uuid", "slug", "netns", "host_id", "alarm", "last_seen_at", "version",
        "config_generation", "created_at",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Gateway | None = None) -> bool:
        return False


@admin.register(Interface)
class InterfaceAdmin(ServedAdmin):
    """Interfaces. The private key is nowhere on the page. Keys, addresses and whether it is on
    are changed by the API, which says beforehand whom that cuts off.
    """

    form = InterfaceForm
    list_display = (
        "__str__", "state", "listen_port", "enabled", "is_default", "restart_policy",
        "observed_peers", "observed_at",
    )  # fmt: skip
    list_filter = ("state", "enabled", "backend", "restart_policy", "gateway")
    list_select_related = ("gateway",)
    search_fields = ("name", "public_key", "gateway__slug", "uuid")
    readonly_fields = (
        "uuid", "gateway", "name", "is_default", "enabled", "public_key", "listen_port",
        "addresses", "wg_quick", "simulated", "version", "config_generation", "created_at",
        *_INTERFACE_SEEN,
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("uuid", "gateway", "name", "label", "is_default", "enabled")}),
        (
            pgettext_lazy("admin", "By the API"),
            {"fields": ("public_key", "listen_port", "addresses", "wg_quick", "simulated")},
        ),
        (
            pgettext_lazy("admin", "New files"),
            {"fields": ("endpoint_address", "relay_endpoint", "dns_servers",
                        "config_generation", "version")},
        ),
        (
            pgettext_lazy("admin", "Link"),
            {"fields": ("mtu", "firewall_mark", "table", "backend", "restart_policy", "forward",
                        "nat")},
        ),
        (
            pgettext_lazy("admin", "Next bring-up"),
            {"fields": ("pre_up", "post_up", "pre_down", "post_down"), "classes": ("collapse",)},
        ),
        (pgettext_lazy("admin", "Seen"), {"fields": _INTERFACE_SEEN}),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made by the API, or by `manage.py setup`: they also make the key and the pools."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Interface | None = None) -> bool:
        return False


@admin.register(AddressPool)
class AddressPoolAdmin(ReadOnlyAdmin):
    """Pools and how far they are given out."""

    list_display = ("name", "network", "interface", "family", "size", "next_offset")
    list_filter = ("family", "gateway")
    list_select_related = ("interface__gateway",)
    search_fields = ("name", "network", "uuid")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """Which workers answer."""

    list_display = ("queue", "seen_at")
