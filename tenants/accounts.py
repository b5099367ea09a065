"""Making tenants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.events import SYSTEM, Actor, Target, record
from tenants.models import Tenant


class AccountRefused(Exception):
    """The tenant cannot be made as asked; the message says why, ``fields`` which ones are to
    blame.
    """

    def __init__(self, message: str, fields: frozenset[str]) -> None:
        super().__init__(message)
        self.fields = fields


@transaction.atomic
def create_tenant(
    *,
    name: str,
    slug: str,
    actor: Actor = SYSTEM,
    details: Mapping[str, Any] | None = None,
    noted: Mapping[str, Any] | None = None,
) -> Tenant:
    """Make an active tenant, with ``details`` for its other columns; ``noted`` joins what the
    audit event says. Raises AccountRefused for a taken or unusable slug or name.
    """
    tenant = Tenant(name=name, slug=slug, **(details or {}))
    try:
        tenant.full_clean()
    except ValidationError as error:
        sentences = [
            f"{field}: {text}" for field, texts in error.message_dict.items() for text in texts
        ]
        raise AccountRefused(" ".join(sentences), frozenset(error.message_dict)) from None
    tenant.save()
    after = {"name": name, "slug": slug, **(details or {}), **(noted or {})}
    record(actor=actor, action="tenant.created", target=tenant_target(tenant), after=after)
    return tenant


def tenant_target(tenant: Tenant) -> Target:
    """The tenant as the audit names it."""
    return Target("tenant", str(tenant.uuid), tenant.slug, tenant.pk)
