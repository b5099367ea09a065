"""Making tenants."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.events import SYSTEM, Actor, Target, record
from tenants.models import Tenant


class AccountRefused(Exception):
    """The tenant cannot be made as asked; the message says why."""


@transaction.atomic
def create_tenant(*, name: str, slug: str, actor: Actor = SYSTEM) -> Tenant:
    """Make an active tenant. Raises AccountRefused for a taken or unusable slug or name."""
    tenant = Tenant(name=name, slug=slug)
    try:
        tenant.full_clean()
    except ValidationError as error:
        sentences = [
            f"{field}: {text}" for field, texts in error.message_dict.items() for text in texts
        ]
        raise AccountRefused(" ".join(sentences)) from None
    tenant.save()
    target = Target("tenant", str(tenant.uuid), tenant.slug, tenant.pk)
    record(actor=actor, action="tenant.created", target=target, after={"name": name, "slug": slug})
    return tenant
