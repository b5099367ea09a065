"""Whose clients a list shows: one tenant's, or everybody's for operators; with its addresses."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse

from peers.models import Client
from peers.queries import visible_clients
from portal.offers import interfaces_of
from tenants.permissions import may
from tenants.scoping import Caller


@dataclass(frozen=True)
class Place:
    """A list of clients. Without a caller it is everybody's, which operators alone may open."""

    caller: Caller | None = None

    @property
    def rows(self) -> QuerySet[Client]:
        """All that it is about."""
        if self.caller is not None:
            return visible_clients(self.caller)
        rows = Client.objects.filter(deleted_at__isnull=True)
        return rows.select_related("plan", "next_plan", "tenant").defer("tenant__brand_logo")

    @property
    def may_write(self) -> bool:
        """Whether the reader may change clients here."""
        return self.caller is not None and may(self.caller, "clients:write")

    @property
    def may_move(self) -> bool:
        """Whether there is another interface to move clients to."""
        return self.may_write and self.caller is not None and len(interfaces_of(self.caller)) > 1

    @property
    def may_reveal(self) -> bool:
        """Whether the reader may take files, which hold private keys."""
        return self.caller is not None and may(self.caller, "configs:read")

    def url(self, page: str = "") -> str:
        """The address of the list, or of one of its pages: "live", "counts", "columns"."""
        name = f"clients-{page}" if page else "clients"
        if self.caller is None:
            return reverse(f"all-{name}")
        return reverse(name, args=[self.caller.tenant.slug])

    def filter_url(self, name: str) -> str:
        """Where a condition is chosen."""
        if self.caller is None:
            return reverse("all-clients-filter", args=[name])
        return reverse("clients-filter", args=[self.caller.tenant.slug, name])

    def client_url(self, client: Client) -> str:
        """The client's own page, which is its tenant's."""
        slug = self.caller.tenant.slug if self.caller is not None else client.tenant.slug
        return f"/t/{slug}/clients/{client.uuid}/"
