"""The tenant's picture."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from audit.events import Actor, record
from resellers.services.changes import save_changed
from resellers.services.tenants import locked
from rest.errors import Invalid, Missing
from rest.versions import Version
from tenants.accounts import tenant_target
from tenants.models import Tenant

MAX_LOGO: Final = 64 * 1024
#: How a file of each kind begins and ends (PNG 3rd ed. 5.2 and 11.2.5; ITU-T T.81, B.1.1.3).
_FORMS: Final = {
    "image/png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"IEND\xaeB`\x82"),
    "image/jpeg": (b"\xff\xd8\xff", b"\xff\xd9"),
}


@transaction.atomic
def set_logo(
    *, actor: Actor, tenant_id: UUID, picture: bytes, at: datetime, if_match: Version | None = None
) -> Tenant:
    """Store a picture. What it is, its bytes say and not its sender. Raises `Invalid`,
    `StaleVersion`.
    """
    if len(picture) > MAX_LOGO:
        raise Invalid(f"A logo has at most {MAX_LOGO} bytes.", code="logo_too_large")
    kind = _kind(picture)
    if kind is None:
        raise Invalid("A logo is a whole PNG or JPEG.", code="logo_unusable")
    return _store(actor, locked(tenant_id, if_match), picture, kind)


@transaction.atomic
def remove_logo(
    *, actor: Actor, tenant_id: UUID, at: datetime, if_match: Version | None = None
) -> Tenant:
    """Take the picture away. Raises `Missing` when there is none, `StaleVersion`."""
    tenant = locked(tenant_id, if_match)
    if not tenant.brand_logo_type:
        raise Missing("There is no logo.")
    return _store(actor, tenant, None, "")


def _store(actor: Actor, tenant: Tenant, picture: bytes | None, kind: str) -> Tenant:
    before = {"logo": tenant.brand_logo_type or None}
    tenant.brand_logo, tenant.brand_logo_type = picture, kind
    save_changed(tenant, "brand_logo", "brand_logo_type")
    record(
        actor=actor,
        action="tenant.updated",
        target=tenant_target(tenant),
        before=before,
        after={"logo": kind or None, "bytes": len(picture or b"")},
    )
    return tenant


def _kind(picture: bytes) -> str | None:
    """The media type that the bytes say, None for any other."""
    for kind, (start, end) in _FORMS.items():
        if picture.startswith(start) and picture.endswith(end):
            return kind
    return None
