"""Clients and their devices in the admin site.

What WireGuard must learn of is changed through the services, by the actions below and the API;
the forms show it and change only what nobody but people read. Secrets are on no page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext, pgettext_lazy

from gateways.admin import act_on_each, may_act
from peers.models import (
    BulkRun,
    Client,
    Peer,
    PeerAddress,
    PeerKey,
    PeerNetwork,
    ShareLink,
)
from peers.queries import view_client
from peers.services.clients import delete_client, disable_client, enable_client, update_client
from peers.services.extension import reset_usage
from peers.services.links import revoke_link
from peers.services.retries import retry_quarantined
from peers.services.terms import QUEUE
from peers.sold import TERM_CHECKS
from rest.errors import Refusal
from tenants.scoping import Caller, caller_of


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only the services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _PeerInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Peer
    fields = ["interface", "public_key", "blocked", "applied_at", "verified_at"]
    readonly_fields = ["interface", "public_key", "blocked", "applied_at", "verified_at"]
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Client)
class ClientAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Notes and labels may be edited here; the rest goes through the actions."""

    list_display = ["name", "tenant", "external_id", "devices", "open_holds", "created_at"]
    list_filter = [("deleted_at", admin.EmptyFieldListFilter), "tenant"]
    list_select_related = ["tenant"]
    search_fields = ["name", "external_id", "email", "uuid", "peers__public_key"]
    ordering = ["-id"]
    actions = ["enable", "disable", "reset_usage", "delete_through_service"]
    inlines = [_PeerInline]
    fields = (
        "uuid",
        "tenant",
        "name",
        "external_id",
        "why_off",
        "email",
        "telegram_id",
        "note",
        "tags",
        "metadata",
        "plan",
        *TERM_CHECKS,
        "first_connected_at",
        *QUEUE,
        "version",
        "created_by",
        "created_at",
        "updated_at",
        "deleted_at",
    )
    readonly_fields = tuple(str(name) for name in fields if name != "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        rows: QuerySet[Client] = super().get_queryset(request)
        live, held = Q(peers__deleted_at__isnull=True), Q(holds__closed_at__isnull=True)
        return rows.annotate(
            live_devices=Count("peers", filter=live, distinct=True),
            held_by=Count("holds", filter=held, distinct=True),
        )

    @admin.display(description=pgettext_lazy("admin", "devices"), ordering="live_devices")
    def devices(self, client: Client) -> int:
        return int(vars(client)["live_devices"])

    @admin.display(description=pgettext_lazy("admin", "open holds"), ordering="held_by")
    def open_holds(self, client: Client) -> int:
        return int(vars(client)["held_by"])

    @admin.display(description=pgettext_lazy("admin", "why it is off"))
    def why_off(self, client: Client) -> str:
        off = view_client(client).off
        return "-" if off is None else f"{off.message} {off.remedy}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Client | None = None) -> bool:
        return False  # a cascade would leave a peer on the interface without a cause

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        """Save the note, the one field this form may change, through the service."""
        if "note" in form.changed_data:
            update_client(
                caller=_caller(request, obj),
                client_id=obj.uuid,
                changes={"note": obj.note},
                at=timezone.now(),
            )

    @admin.action(
        description=pgettext_lazy("admin", "Enable (close the manual hold)"), permissions=["change"]
    )
    def enable(self, request: HttpRequest, clients: QuerySet[Client]) -> None:
        self._each(request, clients, enable_client)

    @admin.action(
        description=pgettext_lazy("admin", "Disable (open the manual hold)"), permissions=["change"]
    )
    def disable(self, request: HttpRequest, clients: QuerySet[Client]) -> None:
        self._each(request, clients, disable_client)

    @admin.action(
        description=pgettext_lazy("admin", "Begin the bytes of the period at 0"),
        permissions=["change"],
    )
    def reset_usage(self, request: HttpRequest, clients: QuerySet[Client]) -> None:
        self._each(request, clients, reset_usage)

    @admin.action(
        description=pgettext_lazy("admin", "Delete with all devices"), permissions=["change"]
    )
    def delete_through_service(self, request: HttpRequest, clients: QuerySet[Client]) -> None:
        self._each(request, clients, delete_client)

    def _each(self, request: HttpRequest, clients: QuerySet[Client], act: Any) -> None:
        """One transaction per client: a refusal stops that client alone."""
        done = 0
        for client in clients.filter(deleted_at__isnull=True).select_related("tenant"):
            try:
                act(caller=_caller(request, client), client_id=client.uuid, at=timezone.now())
                done += 1
            except Refusal as refusal:
                self.message_user(request, f"{client}: {refusal.message}", messages.ERROR)
        self.message_user(request, f"{done} clients: stored, and applied at once.")


@admin.register(Peer)
class PeerAdmin(_ReadOnly):
    """Devices: what is wanted, what was applied, what was seen."""

    list_display = [
        "public_key", "client", "tenant", "interface", "blocked", "generation",
        "applied_generation", "verified_generation", "last_handshake_at", "quarantine_reason",
    ]  # fmt: skip
    list_filter = [
        ("deleted_at", admin.EmptyFieldListFilter),
        "interface",
        "blocked",
        "observed_present",
        ("quarantine_reason", admin.EmptyFieldListFilter),
        "tenant",
    ]
    list_select_related = ["client", "tenant", "interface__gateway"]
    search_fields = ["public_key", "client__name", "addresses__address", "uuid"]
    ordering = ["-id"]
    exclude = ["preshared_key"]
    actions = ["retry"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return may_act(request)

    @admin.action(
        description=pgettext_lazy("admin", "Let out of quarantine, and try again"),
        permissions=["retry"],
    )
    def retry(self, request: HttpRequest, peers: QuerySet[Peer]) -> None:
        """One job for all of them."""
        ids = list(peers.values_list("uuid", flat=True))
        try:
            job = retry_quarantined(actor=caller_of(request).actor, peer_ids=ids, at=timezone.now())
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            words = ngettext("%s device is tried again.", "%s devices are tried again.", job.total)
            self.message_user(request, words % job.total, messages.SUCCESS)


@admin.register(PeerKey)
class PeerKeyAdmin(_ReadOnly):
    """That the portal knows a device's private key, never the key."""

    list_display = ["peer", "created_at"]
    list_select_related = ["peer"]
    search_fields = ["peer__public_key", "peer__client__name"]
    exclude = ["private_key"]


@admin.register(PeerAddress)
class PeerAddressAdmin(_ReadOnly):
    """Addresses that are held, and those held back."""

    list_display = ["address", "family", "pool", "gateway", "tenant", "peer", "free_at"]
    list_filter = ["family", "gateway", ("free_at", admin.EmptyFieldListFilter), "tenant"]
    list_select_related = ["pool", "gateway", "tenant", "peer"]
    search_fields = ["address", "peer__public_key", "peer__client__name"]
    ordering = ["-id"]


@admin.register(PeerNetwork)
class PeerNetworkAdmin(_ReadOnly):
    """Networks behind devices."""

    list_display = ["network", "gateway", "tenant", "peer"]
    list_filter = ["gateway", "tenant"]
    list_select_related = ["gateway", "tenant", "peer"]
    search_fields = ["network", "peer__public_key", "peer__client__name"]
    ordering = ["start"]
    exclude = ["start", "end"]


@admin.register(ShareLink)
class ShareLinkAdmin(_ReadOnly):
    """Links that show a customer his file; what opens them is nowhere."""

    list_display = [
        "peer", "tenant", "name", "single_use", "expires_at", "revoked_at", "used_at", "uses",
        "created_by", "created_at",
    ]  # fmt: skip
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "single_use", "tenant"]
    list_select_related = ["peer", "tenant"]
    search_fields = ["name", "peer__public_key", "peer__client__name", "uuid"]
    ordering = ["-id"]
    exclude = ["digest"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return may_act(request)

    @admin.action(description=pgettext_lazy("admin", "Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, links: QuerySet[ShareLink]) -> None:
        """End them for good."""
        at, caller = timezone.now(), caller_of(request)
        act_on_each(
            self,
            request,
            links.select_related("tenant"),
            lambda link: revoke_link(
                caller=replace(caller, tenant=link.tenant), link_id=link.uuid, at=at
            ),
        )


@admin.register(BulkRun)
class BulkRunAdmin(_ReadOnly):
    """Acts on many clients: how far they are. What was asked for is sealed."""

    list_display = [
        "uuid", "action", "status", "tenant", "done", "failed", "total", "dry_run", "actor_name",
        "created_at", "finished_at",
    ]  # fmt: skip
    list_filter = ["status", "action", "tenant"]
    list_select_related = ["tenant"]
    search_fields = ["uuid", "actor_name"]
    ordering = ["-id"]
    exclude = ["request", "jobs"]


def _caller(request: HttpRequest, client: Client) -> Caller:
    """The person at the admin site, acting for the client's tenant."""
    return replace(caller_of(request), tenant=client.tenant)
